/** When an alarm would have been active, on a strip of the last days; a click opens the trend there. */
import { useFormat } from "../../format";
import { go, trendAddress } from "../../router";
import { useTexts } from "../../texts";
import { TRIED_DAYS, type Preview } from "./alarms-api";

const WIDTH = 590;
const HEIGHT = 34;
const DAY_MS = 86_400_000;

export function Activations({ preview, point }: { preview: Preview; point: string }) {
  const texts = useTexts();
  const format = useFormat();
  const stop = Date.now();
  const start = stop - TRIED_DAYS * DAY_MS;
  const x = (ms: number) => (Math.max(ms - start, 0) / (stop - start)) * WIDTH;
  const days = Array.from({ length: TRIED_DAYS + 1 }, (_, k) => new Date(start).setHours(0, 0, 0, 0) + (k + 1) * DAY_MS).filter((t) => t < stop);
  const open = () => go(trendAddress([point]));
  return (
    <svg className="alarm-strip" role="img" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-label={texts.alarms.activations(format.count(preview.activations.length))} onClick={open}>
      <line x1={0} x2={WIDTH} y1={24} y2={24} className="alarm-strip-line" />
      {days.map((t) => <line key={t} x1={x(t)} x2={x(t)} y1={20} y2={28} className="alarm-strip-line" />)}
      {preview.activations.map((a) => {
        const from = x(a.start_ns / 1e6);
        const to = x(a.end_ns === null ? stop : a.end_ns / 1e6);
        return (
          <rect key={a.start_ns} x={from} y={6} width={Math.max(to - from, 1.5)} height={18} className={/^(HiHi|LoLo|Trip)$/.test(a.limit) ? "alarm-strip-grave" : "alarm-strip-bar"}>
            <title>{`${format.time(a.start_ns / 1e6)} ${a.limit}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
