/** From planned busy time down to OEE time: what each loss has taken. */
import { useFormat } from "../../format";
import { useTexts } from "../../texts";
import { NS_MS, type Fall } from "./kpi-api";

export function Waterfall({ falls }: { falls: readonly Fall[] }) {
  const texts = useTexts();
  const format = useFormat();
  const whole = falls[0]?.ns ?? 0;
  // A wrong run time per item makes what is left longer than what was planned.
  const longest = Math.max(...falls.map((f) => (f.loss ? f.left_ns + f.ns : f.ns)));
  if (!whole) return <p className="quiet">{texts.unit.noTime}</p>;
  const shown = falls.filter((f) => !f.loss || f.ns > 0);
  return (
    <ol className="waterfall" aria-label={texts.unit.waterfall}>
      {shown.map((fall) => {
        const from = fall.loss ? fall.left_ns : 0;
        const share = fall.ns / whole;
        return (
          <li key={fall.name} data-fall={fall.name}>
            <span className={fall.loss ? "" : "value"}>{texts.unit.falls[fall.name] ?? fall.name}</span>
            <span className="waterfall-track" aria-hidden="true">
              <span
                className={fall.loss ? "waterfall-loss" : "waterfall-left"}
                style={{ insetInlineStart: `${(from / longest) * 100}%`, width: `${(fall.ns / longest) * 100}%` }}
              />
            </span>
            <span className="number right nowrap">{format.span(fall.ns / NS_MS)}</span>
            <span className="number right quiet">{format.percent(share)}</span>
          </li>
        );
      })}
    </ol>
  );
}
