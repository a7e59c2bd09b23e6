/** Handover documentation (IDTA 02004): documents with their files, to look at or to take along. */
import { DownloadOutlined, EyeOutlined, FileTextOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Modal, Tag } from "antd";
import { useState } from "react";
import { useLoad } from "../../hooks";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { useSession } from "../../session";
import { useLanguage, useTexts, type Language } from "../../texts";
import { child, childPath, childrenOf, plain, walk, type Element, type Submodel } from "./aas";
import { aas } from "./aas-api";
import { AddDocument } from "./AddDocument";
import { isHeld } from "./AttachedImage";

interface Held {
  path: string;
  element: Element;
}

interface Document {
  path: string;
  title: string;
  number: string;
  classes: string[];
  version: string;
  languages: string;
  summary: string;
  files: Held[];
}

interface Props {
  submodel: Submodel;
  /** The shell that new ones go to; none are added without. */
  shell: string;
  onChange: () => void;
}

export function Documents({ submodel, shell, onChange }: Props) {
  const t = useTexts().twins.documents;
  const language = useLanguage();
  const { can } = useSession();
  const [shown, setShown] = useState<Held>();
  const [adding, setAdding] = useState(false);
  const documents = documentsOf(submodel, language);
  const added = () => {
    setAdding(false);
    onChange();
  };
  return (
    <>
      {shell && can("configure") && <div><Button icon={<PlusOutlined />} onClick={() => setAdding(true)}>{t.add}</Button></div>}
      {adding && <AddDocument shell={shell} onClose={() => setAdding(false)} onAdded={added} />}
      {!documents.length && <Empty icon={<FileTextOutlined />} title={t.empty} remedy={t.emptyRemedy} />}
      <ul className="documents">
        {documents.map((one) => (
          <li key={one.path} className="panel document">
            <FileTextOutlined className="document-icon" />
            <div className="grow">
              <h2>{one.title || one.number || one.path}</h2>
              <p className="quiet small">{[one.number, one.version && `${t.version} ${one.version}`, one.languages].filter(Boolean).join(" · ")}</p>
              {one.summary && <p>{one.summary}</p>}
              {one.classes.map((c) => <Tag key={c}>{c}</Tag>)}
            </div>
            <div className="stacked">
              {one.files.map((file) => <FileActs key={file.path} file={file} submodel={submodel.id} onShow={() => setShown(file)} />)}
              {!one.files.length && <span className="quiet small">{t.noFile}</span>}
            </div>
          </li>
        ))}
      </ul>
      {shown && <Preview submodel={submodel.id} file={shown} onClose={() => setShown(undefined)} />}
    </>
  );
}

function FileActs({ file, submodel, onShow }: { file: Held; submodel: string; onShow: () => void }) {
  const t = useTexts().twins.documents;
  const name = String(file.element.value).split("/").at(-1) ?? "";
  if (!isHeld(file.element) && !/^https?:/i.test(String(file.element.value))) return <span className="small path-text">{String(file.element.value)}</span>;
  if (!isHeld(file.element)) return <a href={String(file.element.value)} target="_blank" rel="noreferrer noopener" className="small path-text">{String(file.element.value)}</a>;
  return (
    <span className="nowrap">
      {previewOf(file.element) && <Button size="small" icon={<EyeOutlined />} onClick={onShow}>{t.look}</Button>}{" "}
      <Button size="small" icon={<DownloadOutlined />} href={aas.attachment(submodel, file.path)} download={name} title={name}>{t.download}</Button>
    </span>
  );
}

type Preview = "image" | "text";

/** What can be shown without a viewer of somebody else's. */
function previewOf(element: Element): Preview | undefined {
  const type = element.contentType ?? "";
  if (/^image\/(png|jpeg|gif|webp|bmp)/.test(type)) return "image";
  if (/^text\/|json|xml|csv/.test(type) && !/svg|html/.test(type)) return "text";
  return undefined;
}

const TEXT_MAX = 200_000;

function Preview({ submodel, file, onClose }: { submodel: string; file: Held; onClose: () => void }) {
  const kind = previewOf(file.element);
  const name = String(file.element.value).split("/").at(-1);
  const text = useLoad(kind === "text" ? `file ${submodel} ${file.path}` : undefined, async () => {
    const blob = await aas.attachmentFile(submodel, file.path);
    return (await blob.slice(0, TEXT_MAX).text());
  });
  return (
    <Modal open footer={null} width={860} title={name} onCancel={onClose}>
      {kind === "image" && <img className="preview-image" src={aas.attachment(submodel, file.path)} alt={name} />}
      {kind === "text" && (text.data === undefined ? (text.error ? <ErrorBox error={text.error} /> : <Waiting />) : <pre className="preview-text">{text.data}</pre>)}
    </Modal>
  );
}

/** The documents of version 2.0 (a list) and of 1.2 (collections beside each other). */
function documentsOf(submodel: Submodel, language: Language): Document[] {
  const list = childrenOf(submodel).find((e) => e.idShort === "Documents");
  const parent = list ?? submodel;
  const above = list ? "Documents" : "";
  return childrenOf(parent)
    .map((element, i) => ({ element, path: childPath(parent, above, element, i) }))
    .filter(({ element }) => element.modelType === "SubmodelElementCollection")
    .map(({ element, path }) => documentOf(element, path, language));
}

function documentOf(document: Element, path: string, language: Language): Document {
  const inside = [...walk(document, path)];
  const all = (name: RegExp) => inside.filter(([, e]) => name.test(e.idShort ?? "")).map(([, e]) => plain(e, language)).filter(Boolean);
  const versions = child(document, "DocumentVersions") ?? document;
  const newest = childrenOf(versions).filter((e) => e.modelType === "SubmodelElementCollection").at(-1);
  const of = (name: string) => plain(child(newest, name), language);
  const languages = [...walk(document, path)].filter(([at]) => /Languages?\[\d+\]$|Language\d+$/.test(at)).map(([, e]) => plain(e, language));
  return {
    path,
    title: of("Title") || all(/^Title$/)[0] || "",
    number: all(/^(DocumentIdentifier|ValueId|DocumentId)$/)[0] ?? "",
    classes: [...new Set(all(/^ClassName$/))],
    version: of("Version") || of("DocumentVersionId"),
    languages: (languages.length ? languages : [of("Language")]).filter(Boolean).join(", "),
    summary: of("Description") || of("Summary"),
    files: inside.filter(([, e]) => e.modelType === "File" && e.value).map(([at, element]) => ({ path: at, element })),
  };
}
