/** Time series: the history of what is bound, and the records that a segment holds itself. */
import { DownloadOutlined, LineChartOutlined } from "@ant-design/icons";
import { Button, Segmented } from "antd";
import { useContext, useMemo, useState } from "react";
import { api, type Point } from "../../api";
import { leaf, unitText, useFormat } from "../../format";
import { charts } from "../../history";
import { useLoad } from "../../hooks";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { go, trendAddress } from "../../router";
import { useLanguage, useTexts } from "../../texts";
import { child, plain, type Submodel } from "./aas";
import { aas } from "./aas-api";
import { isHeld } from "./AttachedImage";
import { BoundContext } from "./bindings";
import { LineChart, type Line } from "../../parts/LineChart";
import { linkedPoints, recordsOf, segmentsOf, type Segment } from "./series-data";

const POINTS_MAX = 12;
const REFRESH_MS = 5000;
const SPANS = { h1: 3_600_000, h8: 28_800_000, d1: 86_400_000, d7: 604_800_000 } as const;

export function Series({ submodel }: { submodel: Submodel }) {
  const t = useTexts().twins.series;
  const bound = useContext(BoundContext);
  const language = useLanguage();
  const segments = useMemo(() => segmentsOf(submodel), [submodel]);
  const linked = useMemo(() => linkedPoints(segments), [segments]);
  const asked = useLoad(linked.length ? `linked ${linked.join(" ")}` : undefined, (signal) =>
    Promise.all(linked.map((path) => api.point(path, signal).catch((): Point => ({ path })))));
  const points = useMemo(() => {
    const all = new Map([...(asked.data ?? []), ...bound.values()].map((p) => [p.path, p]));
    return [...all.values()].filter((p) => p.kind !== "text" && p.kind !== "json").slice(0, POINTS_MAX);
  }, [bound, asked.data]);
  const metadata = child(submodel, "Metadata");
  const about = plain(child(metadata, "Description"), language);
  return (
    <>
      {about && <p className="twin-description">{about}</p>}
      {points.length > 0 && <Living points={points} />}
      {segments.map((segment) => <SegmentPanel key={segment.path} segment={segment} submodel={submodel.id} />)}
      {!segments.length && !points.length && <Empty icon={<LineChartOutlined />} title={t.empty} />}
    </>
  );
}

/** The bound points as the historian has them. */
function Living({ points }: { points: Point[] }) {
  const texts = useTexts();
  const t = texts.twins;
  const [span, setSpan] = useState<keyof typeof SPANS>("h1");
  const paths = points.map((p) => p.path);
  const { data, error, reload } = useLoad(`series ${span} ${paths.join(" ")}`, (signal) => {
    const stop = Date.now();
    const start = stop - SPANS[span];
    return charts(paths, { start, stop }, 600, signal, true).then((curves) => ({ curves, span: [start, stop] as const }));
  }, REFRESH_MS);
  return (
    <section className="panel" aria-label={t.series.living}>
      <div className="page-head">
        <h2>{t.series.living}</h2>
        <span className="grow" />
        <Segmented
          size="small"
          aria-label={texts.trend.span}
          value={span}
          onChange={setSpan}
          options={(Object.keys(SPANS) as (keyof typeof SPANS)[]).map((key) => ({ value: key, label: texts.trend.presets[key] }))}
        />
        <Button size="small" icon={<LineChartOutlined />} onClick={() => go(trendAddress(paths, { span: String(SPANS[span] / 1000) }))}>{t.openTrend}</Button>
      </div>
      <ErrorBox error={error} reload={reload} />
      {!data ? (error ? null : <Waiting rows={4} />) : (
        <div className="line-charts">
          {points.map((point, i) => {
            const curve = data.curves.get(point.path);
            const line: Line = {
              name: leaf(point.path), unit: unitText(point.unit), times: curve?.times ?? [], values: curve?.values ?? [],
              stepped: point.kind === "boolean" || point.kind === "enum" || point.kind === "integer",
            };
            return <LineChart key={point.path} line={line} colour={i} relative={false} span={data.span} />;
          })}
        </div>
      )}
    </section>
  );
}

const FACTS = ["RecordCount", "StartTime", "EndTime", "Duration", "SamplingInterval", "SamplingRate", "State", "LastUpdate", "Endpoint", "Query"] as const;

function SegmentPanel({ segment, submodel }: { segment: Segment; submodel: string }) {
  const t = useTexts().twins;
  const language = useLanguage();
  const format = useFormat();
  const { element, kind, path } = segment;
  const records = useMemo(() => (kind === "internal" ? recordsOf(element) : undefined), [element, kind]);
  const names: Record<string, string> = t.series.facts;
  const facts = FACTS.map((name) => [name, plain(child(element, name), language)] as const).filter(([, value]) => value);
  const file = child(element, "File");
  return (
    <section className="panel">
      <h2>{plain(child(element, "Name"), language) || element.idShort} <span className="quiet small">{t.series.kinds[kind]}</span></h2>
      {facts.length > 0 && (
        <dl className="facts">
          {facts.map(([name, value]) => (
            <span key={name} className="fact-pair"><dt>{names[name] ?? name}</dt><dd className={/Endpoint|Query/.test(name) ? "path-text" : ""}>{/Time|LastUpdate/.test(name) && !Number.isNaN(Date.parse(value)) ? format.time(value) : value}</dd></span>
          ))}
        </dl>
      )}
      {records && <div className="line-charts">{records.lines.map((line, i) => <LineChart key={line.name} line={line} colour={i} relative={records.relative} />)}</div>}
      {kind === "internal" && !records && <p className="quiet">{t.series.noRecords}</p>}
      {file && isHeld(file) && <Button icon={<DownloadOutlined />} href={aas.attachment(submodel, `${path}.${file.idShort ?? ""}`)} download>{String(file.value).split("/").at(-1)}</Button>}
    </section>
  );
}
