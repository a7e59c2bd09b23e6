/** One work unit: what it did, how well, and where its time went. */
import { Button, Segmented, Table } from "antd";
import { useMemo, useState } from "react";
import { leaf, parentOf, useFormat } from "../../format";
import { useLoad, useNow } from "../../hooks";
import type { PageProps } from "../../page";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { branchAddress, go, usePlace } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { StateNow } from "./BoardTile";
import { Explain, figureText } from "./Explain";
import { kpiApi, MAIN, NS_MS, type FigureRows, type Row, type Scope } from "./kpi-api";
import { Pareto } from "./Pareto";
import { SaidList } from "./SaidList";
import { chosenAt, StateCorrection, type Chosen } from "./StateCorrection";
import { statesApi } from "./states-api";
import { StateTimeline } from "./StateTimeline";
import { reportAddress, stopsAddress, unitAddress } from "./unit-address";
import { useTimeline } from "./useTimeline";
import { Waterfall } from "./Waterfall";

const HOUR_MS = 3_600_000;
const SPANS_MS: Record<string, number> = { "-8h": 8 * HOUR_MS, "-24h": 24 * HOUR_MS, "-7d": 168 * HOUR_MS, "-30d": 720 * HOUR_MS };
const SPANS = Object.keys(SPANS_MS);
const CUTS = ["shift", "day", "order", "product"];
const REFRESH_MS = 10_000;

export default function UnitPage({ rest }: PageProps) {
  const texts = useTexts();
  const { query } = usePlace();
  const span = SPANS.includes(query.get("span") ?? "") ? (query.get("span") as string) : "-24h";
  const states = useLoad("states", statesApi.units, REFRESH_MS);
  const state = states.data?.items.find((s) => s.unit === rest);
  const to = (next: string) => go(`${unitAddress(rest)}?span=${next}`, { replace: true });
  if (states.data && !state) return <Empty title={texts.unit.missing(rest)} remedy={texts.board.noneRemedy} />;
  return (
    <section className="page" aria-label={rest}>
      <div className="page-head">
        <div>
          <div className="crumbs"><Link to="/board">{texts.board.title}</Link> / {parentOf(rest)}</div>
          <h1>{leaf(rest)}</h1>
        </div>
        {state && <StateNow state={state} />}
        <span className="grow" />
        <Segmented aria-label={texts.unit.timeline} value={span} onChange={to} options={SPANS.map((value) => ({ value, label: texts.unit.spans[value] ?? value }))} />
      </div>
      <ErrorBox error={states.error} reload={states.reload} />
      <div className="toolbar small">
        <Link to={stopsAddress(rest)}>{texts.unit.explainStops}</Link>
        <Link to={branchAddress(rest)}>{texts.unit.points}</Link>
        <Link to={reportAddress({ unit: rest })}>{texts.report.title}</Link>
      </div>
      <div className="scroll">{state ? <Content key={`${rest} ${span}`} unit={rest} span={span} /> : <Waiting />}</div>
    </section>
  );
}

function Content({ unit, span }: { unit: string; span: string }) {
  const texts = useTexts();
  const scope = useMemo<Scope>(() => ({ unit, start: span }), [unit, span]);
  const [opened, setOpened] = useState("");
  const [by, setBy] = useState("shift");
  const { can } = useSession();
  const [chosen, setChosen] = useState<Chosen>();
  const [said, setSaid] = useState(0);
  const key = `${unit} ${span}`;
  const [moved, setMoved] = useState<[number, number]>();
  const now = Math.ceil(useNow() / REFRESH_MS) * REFRESH_MS;
  const shown = useMemo<[number, number]>(() => moved ?? [now - (SPANS_MS[span] ?? 0), now], [moved, now, span]);
  const line = useTimeline(unit, shown, moved !== undefined);
  const rows = useLoad(`figures ${key} ${by}`, (signal) => kpiApi.figures(scope, by, signal), REFRESH_MS);
  const losses = useLoad(`losses ${key}`, (signal) => kpiApi.losses(scope, signal), REFRESH_MS);
  const tree = useLoad(`reasons ${unit}`, (signal) => statesApi.reasons(unit, signal));
  const reasons = useMemo(() => new Map((tree.data?.items ?? []).map((r) => [r.code, r.text])), [tree.data]);
  const again = () => {
    line.reload();
    rows.reload();
    losses.reload();
  };
  return (
    <>
      <ErrorBox error={line.error ?? rows.error ?? losses.error} reload={rows.reload} />
      <div className="panel unit-line">
        <h2>{texts.unit.timeline}</h2>
        <StateTimeline
          rows={[{ key: unit, line: line.data }]}
          span={shown}
          onSpan={setMoved}
          onOpen={can("write") ? (row, at) => row.line && setChosen(chosenAt(row.line, at, texts.states.unknown)) : undefined}
          reasonText={(code) => reasons.get(code) ?? code}
        />
      </div>
      {rows.data ? <Main rows={rows.data} onOpen={setOpened} /> : <Waiting rows={3} />}
      <div className="unit-losses">
        <div className="panel"><h2>{texts.unit.waterfall}</h2>{losses.data ? <Waterfall falls={losses.data.waterfall} /> : <Waiting />}</div>
        <div className="panel"><h2>{texts.unit.pareto}</h2>{losses.data ? <Pareto causes={losses.data.pareto} reasons={reasons} /> : <Waiting />}</div>
      </div>
      {rows.data && <Pieces rows={rows.data} by={by} onBy={setBy} />}
      <SaidList unit={unit} start={span} version={said} reasonText={(code) => reasons.get(code) ?? code} onChange={again} />
      {chosen && line.data && (
        <StateCorrection unit={unit} chosen={chosen} states={line.data.states.map((s) => s.name)} onClose={() => setChosen(undefined)} onDone={() => { setSaid(said + 1); again(); }} />
      )}
      {opened && <Explain scope={scope} figure={opened} onClose={() => setOpened("")} />}
    </>
  );
}

function Main({ rows, onOpen }: { rows: FigureRows; onOpen: (figure: string) => void }) {
  const texts = useTexts();
  const format = useFormat();
  const others = Object.values(rows.whole.figures).filter((f) => f.value !== null && !MAIN.some((m) => m === f.name));
  return (
    <div className="panel">
      <div className="unit-main">
        {MAIN.map((name) => {
          const figure = rows.whole.figures[name];
          return (
            <button key={name} type="button" className="unit-figure" data-figure={name} onClick={() => onOpen(name)}>
              <span className="quiet">{texts.unit.figures[name]}</span>
              <b className={`number ${figure?.doubtful ? "state-uncertain" : ""}`}>{figureText(figure, format)}</b>
              {figure?.doubtful && <span className="small state-uncertain">{texts.unit.doubtful}</span>}
            </button>
          );
        })}
      </div>
      {rows.notes.map((note) => <p key={note} className="small state-uncertain">{note}</p>)}
      <details>
        <summary>{texts.unit.allFigures(format.count(others.length))}</summary>
        <dl className="facts unit-others">
          {others.map((figure) => (
            <div key={figure.name} className="alarm-figure">
              <dt><Button type="link" size="small" onClick={() => onOpen(figure.name)}>{texts.unit.figures[figure.name] ?? figure.name}</Button></dt>
              <dd className="number">{figureText(figure, format)}</dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  );
}

function Pieces({ rows, by, onBy }: { rows: FigureRows; by: string; onBy: (by: string) => void }) {
  const texts = useTexts();
  const format = useFormat();
  const share = (name: string) => ({
    title: texts.unit.figures[name],
    key: name,
    align: "right" as const,
    className: "number",
    render: (_: unknown, row: Row) => figureText(row.figures[name], format),
  });
  return (
    <div className="panel">
      <div className="toolbar">
        <Segmented value={by} onChange={onBy} options={CUTS.map((value) => ({ value, label: texts.unit.cuts[value] ?? value }))} />
      </div>
      <Table
        size="small"
        rowKey={(row) => `${row.start_ns} ${JSON.stringify(row.key)}`}
        pagination={rows.rows.length > 50 ? { pageSize: 50 } : false}
        dataSource={[...rows.rows].reverse()}
        locale={{ emptyText: texts.unit.noTime }}
        scroll={{ x: true }}
        columns={[
          { title: texts.unit.cuts[by], key: "key", render: (_, row) => keyText(row, by) || texts.unit.outside },
          { title: texts.unit.from, key: "start", className: "number", render: (_, row) => format.time(row.start_ns / NS_MS) },
          ...MAIN.map(share),
          { title: texts.unit.good, key: "gq", align: "right", className: "number", render: (_, row) => format.count(row.sums.gq ?? 0) },
          { title: texts.unit.scrap, key: "sq", align: "right", className: "number", render: (_, row) => format.count(row.sums.sq ?? 0) },
        ]}
      />
    </div>
  );
}

function keyText(row: Row, by: string): string {
  const { day = "", shift = "", order = "", product = "" } = row.key;
  if (by === "shift") return [day, shift].filter(Boolean).join(" ");
  return by === "day" ? day : by === "order" ? order : product;
}
