/** A submodel: a page of its own for what the console knows, and its elements as a living tree. */
import { BarsOutlined, DeleteOutlined, DiffOutlined, EyeOutlined } from "@ant-design/icons";
import { App, Button, Dropdown, Segmented, Tag, Tooltip } from "antd";
import { useEffect, useState } from "react";
import { Link } from "../../parts/Link";
import { ErrorBox, explain, Waiting } from "../../parts/Notice";
import { go, usePlace } from "../../router";
import { useSession } from "../../session";
import { useLanguage, useTexts } from "../../texts";
import { encodeId, kindOf, meaning, said, twinAddress, type Submodel } from "./aas";
import { aas } from "./aas-api";
import { BoundContext, useBound } from "./bindings";
import { Elements } from "./Elements";
import { ExportMenu } from "./ExportMenu";
import { KIND_ICONS } from "./kinds";
import { useConcepts, useSubmodel } from "./twin-data";
import { SubmodelView, VIEWED } from "./SubmodelView";
import { twins } from "./twins-api";
import { useAsk } from "./use-ask";

interface Props {
  id: string;
  /** The shell it is looked at in; empty when on its own. */
  shell: string;
  onGone?: () => void;
}

export function SubmodelPage({ id, shell, onGone }: Props) {
  const loaded = useSubmodel(id);
  const { bound, reload: rebind } = useBound(loaded.data ? id : undefined);
  const concepts = useConcepts(loaded.data);
  const { query } = usePlace();
  const submodel = loaded.data;
  const changed = () => {
    loaded.reload();
    rebind();
  };
  const kind = submodel ? kindOf(submodel) : "other";
  const viewed = VIEWED.includes(kind);
  const [form, setForm] = useState<"view" | "elements">(query.get("e") ? "elements" : "view");
  useEffect(() => { if (query.get("e")) setForm("elements"); }, [query]);
  if (!submodel) return loaded.error ? <ErrorBox error={loaded.error} reload={loaded.reload} /> : <Waiting />;
  return (
    <BoundContext value={bound}>
      <Head submodel={submodel} shell={shell} form={viewed ? form : undefined} onForm={setForm} onChange={changed} onGone={onGone} />
      <ErrorBox error={loaded.error} reload={loaded.reload} />
      {viewed && form === "view"
        ? <SubmodelView kind={kind} submodel={submodel} shell={shell} onChange={changed} />
        : <Elements submodel={submodel} etag={loaded.etag} concepts={concepts} at={query.get("e") ?? ""} onChange={changed} />}
    </BoundContext>
  );
}

interface HeadProps {
  submodel: Submodel;
  shell: string;
  form: "view" | "elements" | undefined;
  onForm: (form: "view" | "elements") => void;
  onChange: () => void;
  onGone: (() => void) | undefined;
}

function Head({ submodel, shell, form, onForm, onChange, onGone }: HeadProps) {
  const t = useTexts().twins;
  const language = useLanguage();
  const { version, revision } = submodel.administration ?? {};
  const kind = kindOf(submodel);
  return (
    <div className="trend-head">
      <div className="title">
        <nav className="crumbs" aria-label={t.title}>
          <Link to="/twins">{t.title}</Link>
          {shell && <> / <Link to={twinAddress(shell)}>{t.shell}</Link></>}
        </nav>
        <h1>{KIND_ICONS[kind]} {said(submodel.displayName, language) || submodel.idShort || submodel.id}</h1>
        <div className="twin-about quiet small">
          {version && <span>{t.version} {[version, revision].filter(Boolean).join(".")}</span>}
          {submodel.kind === "Template" && <Tag>{t.template}</Tag>}
          {meaning(submodel) && <Tooltip title={`${t.semanticId}: ${meaning(submodel)}`}><span className="path-text ellipsis" tabIndex={0}>{meaning(submodel)}</span></Tooltip>}
        </div>
      </div>
      <span className="grow" />
      {form && (
        <Segmented
          aria-label={t.form}
          value={form}
          onChange={onForm}
          options={[
            { value: "view", icon: <EyeOutlined />, label: t.view },
            { value: "elements", icon: <BarsOutlined />, label: t.elements },
          ]}
        />
      )}
      <CompareMenu submodel={submodel} onChange={onChange} />
      <ExportMenu ids={[submodel.id]} name={submodel.idShort ?? "submodel"} />
      <Drop submodel={submodel} shell={shell} onGone={onGone} />
    </div>
  );
}

/** What the submodel is compared with; and the way back to what the plant made. */
function CompareMenu({ submodel, onChange }: { submodel: Submodel; onChange: () => void }) {
  const texts = useTexts();
  const t = texts.twins;
  const { can } = useSession();
  const { message } = App.useApp();
  const ask = useAsk();
  const id = encodeId(submodel.id);
  const reset = () => ask({
    title: t.resetAsk(submodel.idShort ?? submodel.id),
    content: t.resetHelp,
    okText: t.reset,
    work: async () => {
      await twins.reset(submodel.id);
      onChange();
    },
  });
  const before = async () => {
    try {
      const [newest] = (await twins.versions(submodel.id)).items;
      if (newest) go(`/twins/compare?left=${id}&leftIs=${newest.at}&right=${id}`);
      else void message.info(t.compare.noVersions);
    } catch (error) {
      void message.error(explain(error, texts).sentence);
    }
  };
  const items = [
    { key: "other", label: t.compare.withOther, onClick: () => go(`/twins/compare?left=${id}`) },
    { key: "made", label: t.compare.withGenerated, onClick: () => go(`/twins/compare?left=${id}&leftIs=generated&right=${id}`) },
    { key: "before", label: t.compare.withBefore, onClick: () => void before() },
    can("configure") && { key: "reset", label: t.reset, danger: true, onClick: reset },
  ].filter((item) => !!item);
  return (
    <Dropdown trigger={["click"]} menu={{ items }}>
      <Button icon={<DiffOutlined />} aria-label={t.compare.open} title={t.compare.open} />
    </Dropdown>
  );
}

function Drop({ submodel, shell, onGone }: { submodel: Submodel; shell: string; onGone: (() => void) | undefined }) {
  const texts = useTexts();
  const { can } = useSession();
  const ask = useAsk();
  if (!can("configure")) return null;
  const drop = () => ask({
    title: texts.twins.dropSubmodel(submodel.idShort ?? submodel.id),
    content: texts.twins.dropSubmodelHelp,
    okText: texts.common.delete,
    work: async () => {
      if (shell) await aas.dropReference(shell, submodel.id);
      await aas.dropSubmodel(submodel.id);
      onGone?.();
      go(shell ? twinAddress(shell) : "/twins");
    },
  });
  return <Button icon={<DeleteOutlined />} aria-label={texts.twins.deleteSubmodel} title={texts.twins.deleteSubmodel} onClick={drop} />;
}
