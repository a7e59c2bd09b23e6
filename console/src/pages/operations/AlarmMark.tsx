/** How an alarm shows itself: form and number say the priority, colour only what is not normal. */
import { useTexts } from "../../texts";
import { gravest, priorityOf, type AlarmView } from "./alarms-api";

const SHAPES = { low: "▽", medium: "△", high: "◆", critical: "■" };

export function AlarmMark({ view }: { view: AlarmView }) {
  const texts = useTexts();
  const priority = view.state.severity ? priorityOf(view.state.severity) : gravest(view.alarm);
  const loud = view.annunciation === "none" ? "quiet" : view.state.active ? `alarm-${priority}` : "state-uncertain";
  const blinks = view.annunciation.includes("blink") ? "alarm-blink" : "";
  return (
    <span className={`alarm-mark ${loud} ${blinks}`}>
      <span aria-hidden="true">{SHAPES[priority]}</span> {texts.alarms.priority[priority]}
    </span>
  );
}
