/** How a process stands: grey while it is in control. */
import { useTexts } from "../../../texts";
import { markText, toneOf, type ChartView } from "./charts-api";

export function ChartMark({ view }: { view: ChartView }) {
  const texts = useTexts().spc;
  const tone = toneOf(view);
  if (tone === "out") {
    return (
      <span className="chart-mark chart-out" title={view.standing.marks.map((m) => texts.rules[m] ?? m).join("\n")}>
        ● {texts.outOfControl} <span className="small">({view.standing.marks.map(markText).join(", ")})</span>
      </span>
    );
  }
  if (tone === "in") return <span className="chart-mark">○ {texts.inControl}</span>;
  const why = view.trouble ? texts.notAtWork : view.chart.phases?.length ? texts.noData : texts.noPhase;
  return <span className={`chart-mark ${view.trouble ? "state-uncertain" : "quiet"}`} title={view.trouble || undefined}>– {why}</span>;
}
