/** One work unit on the board. */
import { leaf, useFormat } from "../../format";
import { useNow } from "../../hooks";
import { Link } from "../../parts/Link";
import { useTexts } from "../../texts";
import { priorityOf, type AlarmView } from "./alarms-api";
import { NS_MS, type Now } from "./kpi-api";
import type { UnitView } from "./states-api";
import { alarmsAddress, stopsAddress, unitAddress } from "./unit-address";

interface Props {
  state: UnitView;
  shift: Now | undefined;
  alarms: AlarmView[];
}

export function BoardTile({ state, shift, alarms }: Props) {
  const texts = useTexts();
  const format = useFormat();
  const gravest = alarms.reduce((most, v) => Math.max(most, v.state.severity), 0);
  return (
    <article className="board-tile" data-unit={state.unit} data-item={state.item || "unknown"}>
      <header>
        <h3 title={state.unit}><Link to={unitAddress(state.unit)}>{leaf(state.unit)}</Link></h3>
        {alarms.length > 0 && (
          <Link to={alarmsAddress(state.unit)} className={`alarm-${priorityOf(gravest)}`} aria-label={texts.board.openAlarms(format.count(alarms.length))}>
            ▲ <b className="number">{format.count(alarms.length)}</b>
          </Link>
        )}
      </header>
      <StateNow state={state} />
      <Shift shift={shift} />
      {state.unexplained > 0 && (
        <Link to={stopsAddress(state.unit)} className="small">{texts.board.unexplained(format.count(state.unexplained))}</Link>
      )}
    </article>
  );
}

/** What it does now and for how long: grey while it runs, marked by shape where it does not. */
export function StateNow({ state }: { state: UnitView }) {
  const texts = useTexts();
  const format = useFormat();
  const now = useNow();
  const known = state.state !== "";
  const runs = state.item === "executing";
  const look = !known ? "state-uncertain" : runs ? "state-quiet" : "state-stopped";
  return (
    <p className={`state ${look}`} role="status">
      <span aria-hidden="true">{!known ? "?" : runs ? "●" : "■"}</span>{" "}
      {known ? state.state : texts.board.unknown}
      <span className="quiet small"> {format.age(now - state.since_ns / NS_MS)}</span>
      {state.reason && <span className="quiet small"> · {state.reason_text}</span>}
    </p>
  );
}

function Shift({ shift }: { shift: Now | undefined }) {
  const texts = useTexts();
  const format = useFormat();
  const oee = shift?.figures.oee;
  if (!shift || !oee) return <p className="quiet small">{texts.board.noShift}</p>;
  const share = oee.value ?? 0;
  return (
    <div className="board-oee" title={`${shift.day} ${shift.shift}`}>
      <span className="quiet small">OEE {shift.shift}</span>
      <b className={`number ${oee.doubtful ? "state-uncertain" : ""}`}>{oee.value === null ? "–" : format.percent(share)}</b>
      <span className="board-bar"><span style={{ width: `${Math.min(share, 1) * 100}%` }} /></span>
    </div>
  );
}
