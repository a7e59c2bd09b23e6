/** Two submodels side by side, or one with what an earlier file says of it: what differs and where. */
import { CloseOutlined, DiffOutlined, FileTextOutlined, RollbackOutlined, SwapOutlined } from "@ant-design/icons";
import { App, Button, Input, Select, Space, Tag, Upload } from "antd";
import { useEffect, useMemo, useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { go, usePlace } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { decodeId, encodeId, type Submodel } from "./aas";
import { aas } from "./aas-api";
import { differences } from "./diff";
import { DiffTable } from "./DiffTable";
import { twins, type Version } from "./twins-api";
import { useAsk } from "./use-ask";

/** A JSON file of an environment, as an export writes it. */
interface Opened {
  name: string;
  submodels: Submodel[];
}

interface Side {
  /** Of a submodel of the plant; empty when nothing is chosen yet. */
  id: string;
  file: Opened | undefined;
  /** `now`, `generated` for what the plant made before people changed it, or the `at` of a version. */
  which: string;
}

const NOW = "now";
const GENERATED = "generated";

const NONE: readonly [undefined, undefined] = [undefined, undefined];

export function Compare() {
  const texts = useTexts();
  const t = texts.twins.compare;
  const { query } = usePlace();
  // Files are not part of the address: nobody else could open them.
  const [files, setFiles] = useState<readonly [Opened | undefined, Opened | undefined]>(NONE);
  const side = (name: string, file: Opened | undefined): Side =>
    ({ id: decodeId(query.get(name) ?? ""), file, which: query.get(`${name}Is`) || NOW });
  const left = side("left", files[0]);
  const right = side("right", files[1]);
  const show = (l: Side, r: Side) => {
    setFiles([l.file, r.file]);
    const next = new URLSearchParams();
    for (const [name, one] of [["left", l], ["right", r]] as const) {
      if (one.id) next.set(name, encodeId(one.id));
      if (one.id && one.which !== NOW) next.set(`${name}Is`, one.which);
    }
    go(`/twins/compare?${next}`, { replace: true });
  };
  const ready = (one: Side) => one.id || one.file;
  return (
    <section className="page" aria-label={t.title}>
      <div className="trend-head">
        <div className="title">
          <nav className="crumbs"><Link to="/twins">{texts.twins.title}</Link></nav>
          <h1>{t.title}</h1>
        </div>
      </div>
      <div className="compare-sides">
        <Chooser label={t.left} side={left} onChoose={(s) => show(s, right)} />
        <Button icon={<SwapOutlined />} aria-label={t.swap} title={t.swap} onClick={() => show(right, left)} />
        <Chooser label={t.right} side={right} onChoose={(s) => show(left, s)} />
      </div>
      {ready(left) && ready(right) ? <Result left={left} right={right} /> : <Empty icon={<DiffOutlined />} title={t.empty} remedy={t.emptyRemedy} />}
    </section>
  );
}

function Chooser({ label, side, onChoose }: { label: string; side: Side; onChoose: (side: Side) => void }) {
  const texts = useTexts();
  const t = texts.twins.compare;
  const { message } = App.useApp();
  const { can } = useSession();
  const format = useFormat();
  const ask = useAsk();
  const [text, setText] = useState(side.id);
  useEffect(() => setText(side.id), [side.id]);
  const take = () => { if (text.trim() !== side.id) onChoose({ ...side, id: text.trim(), which: NOW }); };
  const loaded = useLoad(side.id && !side.file ? side.id : undefined, (signal) => twins.versions(side.id, signal));
  const versions = loaded.data?.items;
  const named = (v: Version) => t.until(format.time(v.until), v.by);
  const states = [
    { value: NOW, label: t.now },
    { value: GENERATED, label: t.generated },
    ...(versions ?? []).map((v) => ({ value: v.at, label: named(v) })),
  ];
  const restore = () => ask({
    title: t.restoreAsk,
    content: t.restoreHelp,
    okText: t.restore,
    work: async () => {
      await twins.restore(side.id, side.which);
      loaded.reload();
      onChoose({ ...side, which: NOW });
    },
  });
  const open = async (file: File) => {
    try {
      const env = JSON.parse(await file.text()) as { submodels?: Submodel[]; modelType?: string };
      const submodels = env.submodels ?? (env.modelType === "Submodel" ? [env as unknown as Submodel] : []);
      if (!submodels.length) throw new Error(t.noSubmodel);
      onChoose({ ...side, file: { name: file.name, submodels } });
    } catch (error) {
      void message.error(texts.twins.notJson(error instanceof Error ? error.message : ""));
    }
  };
  return (
    <div className="compare-side">
      <label className="small quiet" htmlFor={`compare-${label}`}>{label}</label>
      {side.file ? (
        <div className="compare-file">
          <Tag icon={<FileTextOutlined />}>{side.file.name}</Tag>
          <Button type="text" size="small" icon={<CloseOutlined />} aria-label={texts.common.remove} onClick={() => onChoose({ ...side, file: undefined })} />
        </div>
      ) : (
        <Space.Compact block>
          <Input id={`compare-${label}`} className="path-text" placeholder={t.idOf} value={text} onChange={(e) => setText(e.target.value)} onBlur={take} onPressEnter={take} />
          <Select
            aria-label={`${label}: ${t.which}`}
            className="compare-which"
            popupMatchSelectWidth={false}
            value={side.which}
            options={states}
            onChange={(which) => onChoose({ ...side, which })}
          />
          {can("configure") && versions?.some((v) => v.at === side.which) && <Button icon={<RollbackOutlined />} aria-label={t.restore} title={t.restore} onClick={restore} />}
          <Upload accept=".json" maxCount={1} showUploadList={false} beforeUpload={(file) => { void open(file); return false; }}>
            <Button icon={<FileTextOutlined />}>{t.file}</Button>
          </Upload>
        </Space.Compact>
      )}
    </div>
  );
}

function Result({ left, right }: { left: Side; right: Side }) {
  const texts = useTexts();
  const t = texts.twins.compare;
  const key = JSON.stringify([left, right].map((one) => [one.id, one.file?.name, one.which]));
  const { data, error, reload } = useLoad(key, async (signal) => {
    const [l, r] = await Promise.all([left, right].map((one) => (one.file ? undefined : asked(one, signal))));
    return [l ?? within(left.file, r), r ?? within(right.file, l)] as const;
  });
  const rows = useMemo(() => (data ? differences(data[0], data[1]) : undefined), [data]);
  if (!rows) return error ? <ErrorBox error={error} reload={reload} /> : <Waiting />;
  return (
    <>
      <p className="quiet" role="status">{rows.length === 0 ? t.same : t.count(rows.length)}</p>
      {rows.length > 0 && <DiffTable rows={rows} left={t.left} right={t.right} />}
    </>
  );
}

async function asked({ id, which }: Side, signal: AbortSignal): Promise<Submodel | undefined> {
  if (which === GENERATED) return (await twins.generated(id, signal)).base;
  if (which !== NOW) return twins.versionAt(id, which, signal);
  return (await aas.submodel(id, "", signal))?.data;
}

/** The submodel of a file that is meant: the same one, else one of that name, else the first. */
function within(file: Opened | undefined, other: Submodel | undefined): Submodel | undefined {
  const all = file?.submodels ?? [];
  return all.find((s) => s.id === other?.id) ?? all.find((s) => s.idShort === other?.idShort) ?? all[0];
}
