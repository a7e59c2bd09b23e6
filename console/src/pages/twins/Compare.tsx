/** Two submodels, or two versions of one, side by side: what differs and where. */
import { DiffOutlined, SwapOutlined } from "@ant-design/icons";
import { Button, Input, Select, Space } from "antd";
import { useMemo, useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { go, usePlace } from "../../router";
import { useTexts } from "../../texts";
import { decodeId, encodeId, type Submodel } from "./aas";
import { aas } from "./aas-api";
import { differences } from "./diff";
import { DiffTable } from "./DiffTable";
import { twins, type Version } from "./twins-api";

/** One side: a submodel, and which of its versions; empty for the present one. */
interface Side {
  id: string;
  at: string;
}

export function Compare() {
  const texts = useTexts();
  const t = texts.twins.compare;
  const { query } = usePlace();
  const side = (name: string): Side => ({ id: decodeId(query.get(name) ?? ""), at: query.get(`${name}At`) ?? "" });
  const left = side("left");
  const right = side("right");
  const show = (l: Side, r: Side) => {
    const next = new URLSearchParams();
    for (const [name, one] of [["left", l], ["right", r]] as const) {
      if (one.id) next.set(name, encodeId(one.id));
      if (one.at) next.set(`${name}At`, one.at);
    }
    go(`/twins/compare?${next}`, { replace: true });
  };
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
      {left.id && right.id ? <Result left={left} right={right} /> : <Empty icon={<DiffOutlined />} title={t.empty} remedy={t.emptyRemedy} />}
    </section>
  );
}

function Chooser({ label, side, onChoose }: { label: string; side: Side; onChoose: (side: Side) => void }) {
  const t = useTexts().twins.compare;
  const format = useFormat();
  const [text, setText] = useState(side.id);
  const versions = useLoad(side.id ? `versions ${side.id}` : undefined, (signal) => twins.versions(side.id, signal));
  const options = [
    { value: "", label: t.now },
    ...(versions.data?.items ?? []).map((v: Version) => ({ value: v.time, label: `${format.time(v.time)}${v.actor ? ` · ${v.actor}` : ""}` })),
  ];
  const take = () => { if (text.trim() !== side.id) onChoose({ id: text.trim(), at: "" }); };
  return (
    <div className="compare-side">
      <label className="small quiet" htmlFor={`compare-${label}`}>{label}</label>
      <Space.Compact block>
        <Input id={`compare-${label}`} className="path-text" placeholder={t.idOf} value={text} onChange={(e) => setText(e.target.value)} onBlur={take} onPressEnter={take} />
        <Select aria-label={`${label}: ${t.version}`} className="compare-version" popupMatchSelectWidth={false} value={side.at} options={options} onChange={(at) => onChoose({ id: side.id, at })} />
      </Space.Compact>
    </div>
  );
}

function Result({ left, right }: { left: Side; right: Side }) {
  const texts = useTexts();
  const t = texts.twins.compare;
  const load = async ({ id, at }: Side, signal: AbortSignal): Promise<Submodel | undefined> =>
    at ? twins.versionAt(id, at, signal) : (await aas.submodel(id, "", signal))?.data;
  const { data, error, reload } = useLoad(JSON.stringify([left, right]), (signal) => Promise.all([load(left, signal), load(right, signal)]));
  const rows = useMemo(() => (data ? differences(data[0], data[1]) : undefined), [data]);
  if (!rows) return error ? <ErrorBox error={error} reload={reload} /> : <Waiting />;
  return (
    <>
      <p className="quiet" role="status">{rows.length === 0 ? t.same : t.count(rows.length)}</p>
      {rows.length > 0 && <DiffTable rows={rows} left={t.left} right={t.right} />}
    </>
  );
}
