/** One alarm as a row of the list, and the head above the rows. */
import { Checkbox } from "antd";
import { useFormat } from "../../format";
import { useNow } from "../../hooks";
import { useTexts } from "../../texts";
import { AlarmMark } from "./AlarmMark";
import type { AlarmView } from "./alarms-api";

export const ROW_HEIGHT = 44;

export function rowId(name: string): string {
  return `alarm row ${name}`.replaceAll(/\s/g, "-");
}

export function AlarmHead({ picked, count, onPick }: { picked: number; count: number; onPick: () => void }) {
  const texts = useTexts();
  return (
    <div role="row" aria-rowindex={1} className="alarm-row alarm-head">
      <span role="columnheader"><Checkbox tabIndex={-1} aria-label={texts.common.all} checked={picked === count} indeterminate={picked > 0 && picked < count} onChange={onPick} /></span>
      <span role="columnheader">{texts.alarms.priorityTitle}</span>
      <span role="columnheader">{texts.alarms.name}</span>
      <span role="columnheader" className="alarm-limit">{texts.alarms.limit}</span>
      <span role="columnheader">{texts.alarms.state}</span>
      <span role="columnheader" className="alarm-since">{texts.alarms.sinceShort}</span>
    </div>
  );
}

interface RowProps {
  view: AlarmView;
  index: number;
  chosen: boolean;
  picked: boolean;
  onPick: () => void;
  onOpen: () => void;
}

export function AlarmRow({ view, index, chosen, picked, onPick, onOpen }: RowProps) {
  const texts = useTexts();
  const format = useFormat();
  const now = useNow();
  const since = view.state.active_ns / 1e6;
  return (
    <div
      className={`alarm-row clickable ${chosen ? "alarm-chosen" : ""}`}
      style={{ height: ROW_HEIGHT }}
      role="row"
      id={rowId(view.alarm.name)}
      aria-rowindex={index + 2}
      aria-selected={picked}
      data-alarm={view.alarm.name}
      data-letter={view.letter}
      aria-current={chosen || undefined}
      onClick={onOpen}
    >
      <span role="gridcell"><Checkbox checked={picked} tabIndex={-1} aria-label={view.alarm.name} onClick={(e) => e.stopPropagation()} onChange={onPick} /></span>
      <span role="gridcell"><AlarmMark view={view} /></span>
      <span role="gridcell" className={`alarm-name ${view.after ? "alarm-after" : ""}`} title={view.alarm.name}>
        <strong>{view.alarm.name}{view.state.first && view.state.active && <span className="quiet small"> {texts.alarms.firstOut}</span>}</strong>
        <span className="quiet small" title={view.alarm.point}>{view.alarm.point}</span>
      </span>
      <span role="gridcell" className="alarm-limit">{view.state.limits.join(" ") || view.state.limit}</span>
      <span role="gridcell" className="alarm-letter">{view.state.enabled ? texts.alarms.letter[view.letter] : texts.alarms.disabled}</span>
      <span role="gridcell" className="quiet nowrap alarm-since" title={since ? format.time(since) : undefined}>
        {view.state.active ? format.age(now - since) : ""}
      </span>
    </div>
  );
}
