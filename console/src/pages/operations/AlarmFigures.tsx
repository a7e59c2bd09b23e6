/** How good the alarm system is: the figures of ISA-18.2 and EEMUA 191 beside their targets. */
import { Progress, Segmented, Table } from "antd";
import { useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { ErrorBox, Waiting } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { alarmsApi, type Priority, type Report } from "./alarms-api";

export default function AlarmFigures() {
  const texts = useTexts();
  const [span, setSpan] = useState("-7d");
  const found = useLoad(`report ${span}`, (signal) => alarmsApi.report(span, signal));
  return (
    <>
      <div className="toolbar">
        <Segmented aria-label={texts.alarms.time} value={span} onChange={setSpan} options={Object.entries(texts.alarms.span).map(([value, label]) => ({ value, label }))} />
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      <div className="scroll">{found.loading ? <Waiting /> : found.data && <Figures report={found.data} />}</div>
    </>
  );
}

function Figures({ report }: { report: Report }) {
  const texts = useTexts();
  const format = useFormat();
  const { rates } = report;
  const rows = [
    [texts.alarms.rate, format.fixed(rates.per_10_min, 2), "≤ 1", rates.per_10_min > 1],
    [texts.alarms.perHour, format.fixed(rates.per_hour, 1), "≤ 6", rates.per_hour > 6],
    [texts.alarms.perDay, format.fixed(rates.per_day, 0), "≤ 150", rates.per_day > 150],
    [texts.alarms.most, format.count(rates.most_in_10_min), "≤ 10", rates.most_in_10_min > 10],
    [texts.alarms.windows, format.percent(rates.windows_over), "< 1 %", rates.windows_over >= 0.01],
    [texts.alarms.inFlood, format.percent(report.flood_share), "< 1 %", report.flood_share >= 0.01],
    [texts.alarms.floods, format.count(report.floods.length), "0", report.floods.length > 0],
    [texts.alarms.stale, format.count(report.stale), "< 5", report.stale >= 5],
    [texts.alarms.fleeting, format.count(report.fleeting), "0", report.fleeting > 0],
    [texts.alarms.median, report.acknowledge_s_median === null ? "–" : format.age(report.acknowledge_s_median * 1000), "", false],
    [texts.alarms.wordless, format.count(report.acknowledged_only), "", false],
    [texts.alarms.realarms, format.count(report.realarms), "", false],
    [texts.alarms.covered, format.count(report.covered), "", false],
    [texts.alarms.shelves, format.count(report.shelving.count), "", false],
    [texts.alarms.overShelf, format.count(report.shelving.over), "0", report.shelving.over > 0],
    [texts.alarms.unauthorised, format.count(report.unauthorised), "0", report.unauthorised > 0],
    [texts.alarms.topShare, format.percent(report.top_share), "≤ 5 %", report.top_share > 0.05],
    [texts.alarms.klass, texts.alarms.classes[report.performance] ?? report.performance, "", false],
    [texts.alarms.steady, texts.alarms.classes[report.steady] ?? report.steady, "", false],
    ...(report.upset ? [[texts.alarms.upset, texts.alarms.classes[report.upset] ?? report.upset, "", true] as const] : []),
  ] as const;
  const rung = Math.max(1, Object.values(report.by_severity).reduce((a, b) => a + b, 0));
  return (
    <div className="alarm-figures">
      <div className="panel">
        <dl className="facts">
          {rows.map(([name, value, target, over]) => (
            <div key={name} className="alarm-figure">
              <dt>{name}</dt>
              <dd><span className={over ? "state-uncertain value" : "value"}>{value}</span> {target && <span className="quiet small">{texts.alarms.target(target)}</span>}</dd>
            </div>
          ))}
        </dl>
      </div>
      <div className="panel">
        <h2>{texts.alarms.distribution}</h2>
        {(["critical", "high", "medium", "low"] as Priority[]).map((p) => (
          <div key={p} className="alarm-bar">
            <span>{texts.alarms.priority[p]}</span>
            <Progress percent={(report.by_severity[p] / rung) * 100} showInfo={false} strokeColor="var(--quiet)" size="small" />
            <span className="number right">{format.count(report.by_severity[p])} / {format.count(report.configured[p])}</span>
            <span className="quiet small">{texts.alarms.target(format.percent(report.targets[p]))}</span>
          </div>
        ))}
        <h2>{texts.alarms.perDay}</h2>
        <Days report={report} />
        {Object.keys(report.acknowledge).length > 0 && <h2>{texts.alarms.answered}</h2>}
        <dl className="facts">
          {(["critical", "high", "medium", "low"] as Priority[]).map((p) => {
            const waits = report.acknowledge[p];
            return waits && (
              <div key={p} className="alarm-figure">
                <dt>{texts.alarms.priority[p]}</dt>
                <dd>{format.age(waits.p50_s * 1000)} · {format.age(waits.p95_s * 1000)} <span className="quiet small">({format.count(waits.count)})</span></dd>
              </div>
            );
          })}
        </dl>
        <h2>{texts.alarms.top}</h2>
        <Table
          size="small"
          rowKey="alarm"
          pagination={false}
          dataSource={report.top}
          locale={{ emptyText: texts.alarms.noJournal }}
          columns={[
            { title: texts.alarms.name, dataIndex: "alarm", render: (name: string, a) => <>{name}{a.chattering && <span className="state-uncertain small"> {texts.alarms.chattering}</span>}</> },
            { title: texts.alarms.count, dataIndex: "count", align: "right", className: "number", render: (n: number) => format.count(n) },
            { title: texts.alarms.share, dataIndex: "share", align: "right", className: "number", render: (s: number) => format.percent(s) },
          ]}
        />
      </div>
    </div>
  );
}

const PER_DAY = 144;
const DAYS_WIDTH = 560;
const DAYS_HEIGHT = 70;

/** Alarms a day beside the line that one operator can answer (IEC 62682). */
function Days({ report }: { report: Report }) {
  const texts = useTexts();
  const format = useFormat();
  const most = Math.max(PER_DAY * 1.1, ...report.days.map((d) => d.count));
  const y = (n: number) => DAYS_HEIGHT - (n / most) * DAYS_HEIGHT;
  const width = DAYS_WIDTH / Math.max(report.days.length, 1);
  return (
    <svg className="alarm-days" role="img" viewBox={`0 0 ${DAYS_WIDTH} ${DAYS_HEIGHT}`} aria-label={texts.alarms.perDay}>
      {report.days.map((d, i) => (
        <rect key={d.start_ns} x={i * width + 1} width={Math.max(width - 2, 1)} y={y(d.count)} height={DAYS_HEIGHT - y(d.count)} className={d.count > PER_DAY ? "alarm-strip-bar" : "alarm-days-bar"}>
          <title>{`${format.time(d.start_ns / 1e6)} ${format.count(d.count)}`}</title>
        </rect>
      ))}
      <line x1={0} x2={DAYS_WIDTH} y1={y(PER_DAY)} y2={y(PER_DAY)} className="alarm-days-line"><title>{texts.alarms.target(`≤ ${PER_DAY}`)}</title></line>
    </svg>
  );
}
