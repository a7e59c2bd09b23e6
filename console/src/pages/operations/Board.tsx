/** The plant at a glance: what every work unit does now, how its shift goes, what rings. */
import { AppstoreOutlined } from "@ant-design/icons";
import { useMemo } from "react";
import { leaf, parentOf, useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { isOpen, listed, priorityOf, type AlarmView, type Priority } from "./alarms-api";
import { BoardTile } from "./BoardTile";
import { kpiApi, type Now } from "./kpi-api";
import { statesApi, type UnitView } from "./states-api";
import { reportAddress } from "./unit-address";

const PRIORITIES: readonly Priority[] = ["critical", "high", "medium", "low"];
const NONE: AlarmView[] = [];
const STATES_MS = 2_000;
const FIGURES_MS = 10_000;

export default function Board() {
  const texts = useTexts();
  const states = useLoad("states", statesApi.units, STATES_MS);
  const figures = useLoad("kpis now", kpiApi.now, FIGURES_MS);
  const alarms = useLoad("alarms", (signal) => listed("open", signal), STATES_MS);
  const open = useMemo(() => (alarms.data?.items ?? []).filter(isOpen), [alarms.data]);
  const shifts = useMemo(() => new Map((figures.data?.items ?? []).map((n) => [n.unit, n])), [figures.data]);
  const lines = useMemo(() => byLine(states.data?.items ?? []), [states.data]);
  const ringing = useMemo(() => byBranch(open), [open]);
  return (
    <section className="page" aria-label={texts.board.title}>
      <div className="page-head">
        <h1>{texts.board.title}</h1>
        {states.data && <Running states={states.data.items} />}
        <AlarmCounts open={open} />
        <span className="grow" />
        <Link to={reportAddress({})}>{texts.report.title}</Link>
      </div>
      <ErrorBox error={states.error ?? figures.error ?? alarms.error} reload={states.reload} />
      {states.loading ? (
        <Waiting />
      ) : lines.length === 0 ? (
        <Empty icon={<AppstoreOutlined />} title={texts.board.noneTitle} remedy={texts.board.noneRemedy} />
      ) : (
        <div className="scroll">
          {lines.map(([line, units]) => (
            <Line key={line} line={line} units={units} shifts={shifts} ringing={ringing} />
          ))}
        </div>
      )}
    </section>
  );
}

function Line(props: { line: string; units: UnitView[]; shifts: Map<string, Now>; ringing: Map<string, AlarmView[]> }) {
  return (
    <section className="board-line" aria-label={props.line}>
      <h2 className="quiet" title={props.line}>{leaf(props.line) || props.line}</h2>
      <div className="board-tiles">
        {props.units.map((state) => (
          <BoardTile
            key={state.unit}
            state={state}
            shift={props.shifts.get(state.unit)}
            alarms={props.ringing.get(state.unit) ?? NONE}
          />
        ))}
      </div>
    </section>
  );
}

function Running({ states }: { states: UnitView[] }) {
  const texts = useTexts();
  const format = useFormat();
  const running = states.filter((s) => s.item === "executing" && s.mode === "processing").length;
  return <span className="number">{texts.board.running(format.count(running), format.count(states.length))}</span>;
}

/** Open alarms by priority; a count of none stays grey. */
export function AlarmCounts({ open }: { open: readonly AlarmView[] }) {
  const texts = useTexts();
  const format = useFormat();
  const count = (p: Priority) => open.filter((v) => priorityOf(v.state.severity) === p).length;
  return (
    <Link to="/alarms" className="board-alarms" aria-label={texts.board.openAlarms(format.count(open.length))}>
      {PRIORITIES.map((p) => {
        const n = count(p);
        return (
          <span key={p} data-priority={p} className={n ? `alarm-${p}` : "quiet"}>
            {texts.alarms.priority[p]} <b className="number">{format.count(n)}</b>
          </span>
        );
      })}
    </Link>
  );
}

/** Open alarms by every branch above their points. */
function byBranch(open: readonly AlarmView[]): Map<string, AlarmView[]> {
  const branches = new Map<string, AlarmView[]>();
  for (const view of open) {
    for (let path = parentOf(view.alarm.point); path; path = parentOf(path)) {
      const known = branches.get(path);
      if (known) known.push(view);
      else branches.set(path, [view]);
    }
  }
  return branches;
}

function byLine(states: UnitView[]): [string, UnitView[]][] {
  const lines = new Map<string, UnitView[]>();
  for (const state of states) {
    const line = parentOf(state.unit);
    const known = lines.get(line);
    if (known) known.push(state);
    else lines.set(line, [state]);
  }
  return [...lines];
}
