/** A figure, opened: its formula, what went into it, and the way to the samples. */
import { Drawer } from "antd";
import { leaf, useFormat, type Format } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { ErrorBox, Waiting } from "../../parts/Notice";
import { trendAddress } from "../../router";
import { useTexts } from "../../texts";
import { kpiApi, NS_MS, type Explained, type Figure, type Input, type Scope } from "./kpi-api";

const STRETCHES = 200;

/** A figure in its unit: shares as percent. */
export function figureText(figure: Figure | undefined, format: Format): string {
  if (!figure || figure.value === null) return "–";
  return figure.unit === "1" ? format.percent(figure.value) : `${format.figure(figure.value, 4)} ${figure.unit}`;
}

export function Explain(props: { scope: Scope; figure: string; onClose: () => void }) {
  const { scope, figure } = props;
  const texts = useTexts();
  const found = useLoad(`explain ${figure} ${JSON.stringify(scope)}`, (signal) => kpiApi.explain(scope, figure, signal));
  return (
    <Drawer open onClose={props.onClose} title={texts.unit.figures[figure] ?? figure} size={640}>
      <ErrorBox error={found.error} reload={found.reload} />
      {found.loading ? <Waiting /> : found.data && <Opened explained={found.data} />}
    </Drawer>
  );
}

function Opened({ explained }: { explained: Explained }) {
  const texts = useTexts();
  const format = useFormat();
  const { figure } = explained;
  return (
    <>
      <p className="explain-formula">{figure.text} = <b className="number">{figureText(figure, format)}</b></p>
      {figure.doubtful && <p className="state-uncertain">{texts.unit.doubtful}</p>}
      <p className="quiet small">{format.time(explained.start_ns / NS_MS)} – {format.time(explained.stop_ns / NS_MS)}</p>
      <h2>{texts.unit.inputs}</h2>
      <Inputs inputs={explained.inputs} />
      {explained.units.length > 1 && explained.units.map((one) => (
        <details key={one.unit}>
          <summary>{leaf(one.unit)}: <b className="number">{figureText(one.figure, format)}</b></summary>
          <Inputs inputs={one.inputs} />
        </details>
      ))}
      <h2>{texts.unit.sources}</h2>
      <ul className="explain-list">
        {explained.sources.map((s) => (
          <li key={`${s.point} ${s.role}`}>
            <Link to={trendAddress([s.point], { from: iso(s.start_ns), to: iso(s.stop_ns) })}>{s.point}</Link>
            <span className="quiet small"> {texts.unit.roles[s.role] ?? s.role}</span>
          </li>
        ))}
      </ul>
      <h2>{texts.unit.stretches}</h2>
      <ul className="explain-list">
        {explained.stretches.slice(0, STRETCHES).map((s) => (
          <li key={`${s.unit} ${s.start_ns}`} className="explain-stretch">
            <span className="number">{format.time(s.start_ns / NS_MS)}</span>
            <span>{s.state || texts.board.unknown}{s.reason && <span className="quiet"> · {s.reason}</span>}</span>
            <span className="number right">{format.span((s.stop_ns - s.start_ns) / NS_MS)}</span>
            <span className="quiet small">{s.element.toUpperCase()}{s.micro ? ` · ${texts.unit.micro}` : ""}{s.corrected ? ` · ${texts.unit.corrected}` : ""}</span>
          </li>
        ))}
      </ul>
      {explained.left_out > 0 && <p className="quiet small">{texts.unit.leftOut(format.count(explained.left_out))}</p>}
    </>
  );
}

function Inputs({ inputs }: { inputs: Input[] }) {
  const format = useFormat();
  return (
    <dl className="facts">
      {inputs.map((input) => (
        <div key={input.symbol} className="alarm-figure">
          <dt title={input.meaning}>{input.symbol.toUpperCase()} <span className="quiet small">{input.meaning}</span></dt>
          <dd className="number">{input.time ? format.span(input.value / NS_MS) : format.figure(input.value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function iso(ns: number): string {
  return new Date(ns / NS_MS).toISOString();
}
