/** Everything about one element: what it means, its value now, and what may be done with it. */
import { CloseOutlined, DeleteOutlined, EditOutlined, LineChartOutlined, PlusOutlined, SendOutlined, ThunderboltOutlined } from "@ant-design/icons";
import { Button, Tag } from "antd";
import { useState, type ReactNode } from "react";
import type { Point } from "../../api";
import { unitText } from "../../format";
import { Link } from "../../parts/Link";
import { AgeText, QualityText, ValueText } from "../../parts/Reading";
import { WriteDialog } from "../../parts/WriteDialog";
import { branchAddress, go, trendAddress } from "../../router";
import { useSession } from "../../session";
import { useLanguage, useTexts } from "../../texts";
import { useWritable } from "../../writable";
import { childrenOf, isParent, meaning, referenceText, said, type Element, type Lang } from "./aas";
import { aas, type Concept } from "./aas-api";
import { AttachedImage } from "./AttachedImage";
import { BindDialog } from "./BindDialog";
import { useBoundPoint } from "./bindings";
import { Copyable } from "./Copyable";
import { StillValue } from "./ElementLine";
import type { ElementRow } from "./element-rows";
import { OperationRun } from "./OperationRun";
import { ShellLink } from "./Structure";
import { contentOf } from "./twin-data";
import { useAsk } from "./use-ask";

interface Props {
  row: ElementRow;
  submodel: string;
  etag: string;
  concepts: ReadonlyMap<string, Concept>;
  onClose: () => void;
  onEdit: () => void;
  onAdd: () => void;
  onChange: () => void;
}

export function ElementDetails(props: Props) {
  const { row, submodel, concepts } = props;
  const texts = useTexts();
  const t = texts.twins;
  const language = useLanguage();
  const { element, path } = row;
  const point = useBoundPoint(path);
  const concept = contentOf(concepts.get(meaning(element)));
  const description = said(element.description, language);
  const definition = said(concept?.definition, language);
  const types: Record<string, string> = t.types;
  return (
    <aside className="element-details" aria-label={t.details}>
      <header>
        <h2>{row.name}</h2>
        <Button type="text" size="small" icon={<CloseOutlined />} aria-label={texts.common.close} onClick={props.onClose} />
      </header>
      <Acts {...props} />
      {point && <BoundValue point={point} />}
      {element.modelType === "Operation" && <OperationRun submodel={submodel} path={path} operation={element} />}
      {element.modelType === "File" && element.contentType?.startsWith("image/") && (
        <div className="element-picture"><AttachedImage submodel={submodel} path={path} element={element} alt={row.name} /></div>
      )}
      {description && <p>{description}</p>}
      {definition && definition !== description && <p className="quiet">{definition}</p>}
      <dl className="facts">
        {!point && !childrenOf(element).length && element.modelType !== "Operation" && <Fact name={t.value}><Value element={element} submodel={submodel} path={path} unit={unitText(concept?.unit)} /></Fact>}
        <Fact name={t.type}>{types[element.modelType] ?? element.modelType}{element.valueType && <Tag className="type-tag">{element.valueType}</Tag>}</Fact>
        <Fact name={t.path}><Copyable text={path} /></Fact>
        {element.idShort && element.idShort !== row.name && <Fact name="idShort">{element.idShort}</Fact>}
        {meaning(element) && <Fact name={t.semanticId}><Copyable text={meaning(element)} /></Fact>}
        {(element.supplementalSemanticIds ?? []).map((r, i) => <Fact key={i} name={t.alsoMeans}>{referenceText(r)}</Fact>)}
        {element.contentType && <Fact name={t.contentType}>{element.contentType}</Fact>}
        {element.globalAssetId && <Fact name={t.asset}><ShellLink asset={element.globalAssetId} /></Fact>}
        {(element.qualifiers ?? []).map((q, i) => <Fact key={i} name={q.type}>{q.value ?? "–"}</Fact>)}
      </dl>
    </aside>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}

function Value(props: { element: Element; submodel: string; path: string; unit: string }) {
  const { element } = props;
  if (element.modelType !== "MultiLanguageProperty") return <StillValue {...props} />;
  return (
    <>
      {((element.value as Lang[] | undefined) ?? []).map((one, i) => (
        <div key={i} lang={one.language}><span className="quiet small">{one.language}</span> {one.text}</div>
      ))}
    </>
  );
}

/** The reading of a bound element, and the way to its history and to the machine. */
function BoundValue({ point }: { point: Point }) {
  const t = useTexts();
  const writable = useWritable(point);
  const [writing, setWriting] = useState(false);
  return (
    <div className="bound">
      <div className="bound-value"><ValueText point={point} unit /></div>
      <div><QualityText point={point} /> <span className="quiet">·</span> <AgeText path={point.path} /></div>
      <div><Link to={branchAddress(point.path)} className="quiet-link tree-path" title={point.path}>{point.path}</Link></div>
      <div className="bound-acts">
        <Button size="small" icon={<LineChartOutlined />} onClick={() => go(trendAddress([point.path]))}>{t.twins.openTrend}</Button>
        {writable && <Button size="small" icon={<SendOutlined />} onClick={() => setWriting(true)}>{t.live.write}</Button>}
      </div>
      {writing && <WriteDialog point={point} onClose={() => setWriting(false)} />}
    </div>
  );
}

function Acts({ row, submodel, etag, onEdit, onAdd, onChange, onClose }: Props) {
  const texts = useTexts();
  const t = texts.twins;
  const { can } = useSession();
  const ask = useAsk();
  const point = useBoundPoint(row.path);
  const [binding, setBinding] = useState(false);
  if (!can("configure")) return null;
  const remove = () => ask({
    title: t.dropElement(row.name),
    okText: texts.common.delete,
    work: async () => {
      await aas.dropElement(submodel, row.path, etag);
      onClose();
      onChange();
    },
  });
  return (
    <div className="bound-acts">
      <Button size="small" icon={<EditOutlined />} onClick={onEdit}>{t.edit}</Button>
      {row.element.modelType === "Property" && <Button size="small" icon={<ThunderboltOutlined />} onClick={() => setBinding(true)}>{t.bind}</Button>}
      {binding && (
        <BindDialog submodel={submodel} path={row.path} now={point?.path ?? ""} onClose={() => setBinding(false)} onDone={() => { setBinding(false); onChange(); }} />
      )}
      {isParent(row.element) && <Button size="small" icon={<PlusOutlined />} onClick={onAdd}>{t.addBelow}</Button>}
      <Button size="small" icon={<DeleteOutlined />} aria-label={`${texts.common.delete}: ${row.name}`} title={texts.common.delete} onClick={remove} />
    </div>
  );
}
