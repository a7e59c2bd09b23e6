/** A shift on one page: to read, to print, to hand on. */
import { DownOutlined, DownloadOutlined, PrinterOutlined } from "@ant-design/icons";
import { Button, DatePicker, Dropdown, Select, Space } from "antd";
import dayjs from "dayjs";
import { useMemo } from "react";
import { api } from "../../api";
import { leaf, useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { ErrorBox, Waiting } from "../../parts/Notice";
import { go, usePlace } from "../../router";
import { useTexts } from "../../texts";
import { figureText } from "./Explain";
import { kpiApi, MAIN, NS_MS, type Report, type ReportAsked, type UnitReport } from "./kpi-api";
import { Pareto } from "./Pareto";
import { statesApi } from "./states-api";
import { reportAddress } from "./unit-address";

const PARTS = ["figures", "stops", "states"] as const;

export default function ShiftReport() {
  const texts = useTexts();
  const { query } = usePlace();
  const asked: ReportAsked = Object.fromEntries(["unit", "branch", "day", "shift"].map((n) => [n, query.get(n) ?? ""]));
  const found = useLoad(`shift report ${JSON.stringify(asked)}`, (signal) => kpiApi.report(asked, signal));
  const reasons = useLoad("reasons", (signal) => statesApi.reasons("", signal));
  const names = new Map((reasons.data?.items ?? []).map((r) => [r.code, r.text]));
  const ask = (next: Partial<ReportAsked>) => go(reportAddress({ ...asked, ...next } as Record<string, string>));
  return (
    <section className="page report" aria-label={texts.report.title}>
      <div className="page-head no-print">
        <h1>{texts.report.title}</h1>
        <DatePicker
          aria-label={texts.report.day}
          value={found.data ? dayjs(found.data.day) : null}
          onChange={(day) => ask({ day: day ? day.format("YYYY-MM-DD") : "", shift: found.data?.shift ?? "" })}
        />
        <ShiftChoice asked={asked} report={found.data} onChoose={(shift) => ask({ day: found.data?.day, shift })} />
        <span className="grow" />
        <Space.Compact>
          <Button icon={<DownloadOutlined />} href={kpiApi.reportCsv(asked, "figures")}>CSV</Button>
          <Dropdown
            trigger={["click"]}
            menu={{ items: PARTS.map((part) => ({ key: part, label: <a href={kpiApi.reportCsv(asked, part)} download>{texts.report.parts[part]}</a> })) }}
          >
            <Button icon={<DownOutlined />} aria-label={texts.report.tables} />
          </Dropdown>
        </Space.Compact>
        <Button icon={<PrinterOutlined />} onClick={() => window.print()}>{texts.report.print}</Button>
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      <div className="scroll">{found.loading ? <Waiting /> : found.data && <Paper report={found.data} of={asked.unit || asked.branch || ""} reasons={names} />}</div>
    </section>
  );
}

/** The shifts that its units had in the days before. */
function ShiftChoice(props: { asked: ReportAsked; report: Report | undefined; onChoose: (shift: string) => void }) {
  const texts = useTexts();
  const { unit, branch } = props.asked;
  const rows = useLoad(`shifts of ${unit} ${branch}`, (signal) => kpiApi.figures({ unit, branch, start: "-7d" }, "shift", signal));
  const names = [...new Set((rows.data?.rows ?? []).map((r) => r.key.shift ?? "").filter(Boolean))];
  return (
    <Select
      aria-label={texts.unit.cuts.shift}
      className="branch-select"
      value={props.report?.shift ?? ""}
      onChange={props.onChoose}
      options={[{ value: "", label: texts.report.wholeDay }, ...names.map((value) => ({ value, label: value }))]}
    />
  );
}

/** What is printed says by itself what it is of, and when that was known. */
function Paper({ report, of, reasons }: { report: Report; of: string; reasons: ReadonlyMap<string, string> }) {
  const texts = useTexts();
  const format = useFormat();
  const system = useLoad("system", api.system);
  // A report that has been loaded anew is of a later moment.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const known = useMemo(() => Date.now(), [report]);
  return (
    <article className="paper">
      <p className="print-only">{texts.report.title}</p>
      <h2>{[system.data?.plant, texts.report.heading(report.day, report.shift || texts.report.wholeDay)].filter(Boolean).join(" · ")}</h2>
      <p className="quiet">
        {of && <span className="report-state">{of}</span>}
        <span className="report-state">{format.time(report.start_ns / NS_MS)} – {format.time(report.stop_ns / NS_MS)}</span>
        {texts.report.known(format.time(known))}
      </p>
      <div className="unit-main">
        {MAIN.map((name) => (
          <div key={name} className="unit-figure">
            <span className="quiet">{texts.unit.figures[name]}</span>
            <b className="number">{figureText(report.whole.figures[name], format)}</b>
          </div>
        ))}
        <div className="unit-figure"><span className="quiet">{texts.unit.good}</span><b className="number">{format.count(report.whole.sums.gq ?? 0)}</b></div>
        <div className="unit-figure"><span className="quiet">{texts.unit.scrap}</span><b className="number">{format.count(report.whole.sums.sq ?? 0)}</b></div>
      </div>
      {report.alarms && (
        <p>{texts.report.alarms}: {Object.entries(report.alarms).filter(([, n]) => n > 0).map(([severity, n]) => `${texts.alarms.priority[severity as "low"] ?? severity} ${format.count(n)}`).join(", ") || "0"}</p>
      )}
      <UnitTable units={report.units} />
      <h3>{texts.unit.pareto}</h3>
      <Pareto causes={report.pareto} reasons={reasons} />
      {report.units.map((unit) => <UnitPart key={unit.unit} part={unit} reasons={reasons} />)}
    </article>
  );
}

function UnitTable({ units }: { units: UnitReport[] }) {
  const texts = useTexts();
  const format = useFormat();
  return (
    <table className="pareto">
      <thead>
        <tr>
          <th scope="col">{texts.report.unit}</th>
          {MAIN.map((name) => <th key={name} scope="col" className="right">{texts.unit.figures[name]}</th>)}
          <th scope="col" className="right">{texts.unit.good}</th>
          <th scope="col" className="right">{texts.unit.scrap}</th>
        </tr>
      </thead>
      <tbody>
        {units.map((unit) => (
          <tr key={unit.unit} data-unit={unit.unit}>
            <th scope="row" title={unit.unit}>{leaf(unit.unit)}</th>
            {MAIN.map((name) => <td key={name} className="number right">{figureText(unit.row.figures[name], format)}</td>)}
            <td className="number right">{format.count(unit.row.sums.gq ?? 0)}</td>
            <td className="number right">{format.count(unit.row.sums.sq ?? 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function UnitPart({ part, reasons }: { part: UnitReport; reasons: ReadonlyMap<string, string> }) {
  const texts = useTexts();
  const format = useFormat();
  return (
    <section className="report-unit">
      <h3>{leaf(part.unit)}</h3>
      <p>
        {part.states.map((s) => (
          <span key={s.state} className="report-state">{s.state || texts.board.unknown} <b className="number">{format.span(s.ns / NS_MS)}</b> <span className="quiet">{format.percent(s.share)}</span></span>
        ))}
      </p>
      {part.stops.length > 0 && (
        <table className="pareto">
          <thead><tr><th scope="col">{texts.unit.from}</th><th scope="col">{texts.report.state}</th><th scope="col">{texts.unit.reason}</th><th scope="col" className="right">{texts.unit.time}</th></tr></thead>
          <tbody>
            {part.stops.map((stop) => (
              <tr key={stop.start_ns}>
                <td className="number">{format.time(stop.start_ns / NS_MS)}</td>
                <td>{stop.state || texts.board.unknown}</td>
                <td>{stop.reason ? reasons.get(stop.reason) ?? stop.reason : <span className="quiet">{texts.unit.unexplained}</span>}</td>
                <td className="number right">{format.span((stop.stop_ns - stop.start_ns) / NS_MS)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {part.left_out > 0 && <p className="quiet small">{texts.unit.leftOut(format.count(part.left_out))}</p>}
    </section>
  );
}
