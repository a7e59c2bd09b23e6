/** The parts of a live reading: value, quality, age. Each is redrawn alone. */
import { ExclamationCircleFilled, QuestionCircleFilled, WarningFilled } from "@ant-design/icons";
import { Tooltip } from "antd";
import type { Point } from "../api";
import { unitText, useFormat } from "../format";
import { useNow, useReading } from "../hooks";
import type { Reading } from "../live";
import { qualityName, severity } from "../quality";
import { useTexts } from "../texts";

/** Whether the number lies outside the range that the point declares. */
export function isOutside(reading: Reading | undefined, point: Point): boolean {
  if (!reading || Number.isNaN(reading.number)) return false;
  if (typeof point.low === "number" && reading.number < point.low) return true;
  return typeof point.high === "number" && reading.number > point.high;
}

export function isAbnormal(reading: Reading | undefined, point: Point): boolean {
  return !!reading && (severity(reading.quality) !== "good" || isOutside(reading, point));
}

export function ValueText(props: { point: Point; unit?: boolean }) {
  const { point } = props;
  const format = useFormat();
  const texts = useTexts();
  const reading = useReading(point.path);
  const grade = reading ? severity(reading.quality) : "good";
  const outside = grade !== "bad" && isOutside(reading, point);
  const text = format.reading(reading, point);
  const value = (
    <span className={`value value-${outside ? "outside" : grade}`} data-value={point.path}>
      {outside && <WarningFilled aria-label={texts.live.outside} />}
      {text}
    </span>
  );
  return (
    <>
      {outside ? (
        <Tooltip title={`${texts.live.outside}. ${texts.live.range(edge(format.value(point.low ?? null, point)), edge(format.value(point.high ?? null, point)))}`}>
          {value}
        </Tooltip>
      ) : value}
      {props.unit && <span className="unit">{unitText(point.unit)}</span>}
    </>
  );
}

function edge(text: string): string {
  return text === "–" ? "∞" : text;
}

/** Grey text when all is well; colour, icon and name when not. */
export function QualityText(props: { point: Point; short?: boolean }) {
  const texts = useTexts();
  const reading = useReading(props.point.path);
  if (!reading) return <span className="quiet">{props.short ? "" : texts.quality.none}</span>;
  const grade = severity(reading.quality);
  const name = qualityName(reading.quality);
  if (grade === "good") {
    return props.short ? null : <span className="quiet" title={name}>{texts.quality.good}</span>;
  }
  const icon = grade === "bad" ? <ExclamationCircleFilled /> : <QuestionCircleFilled />;
  return (
    <span className={`quality quality-${grade}`} title={name} role="img" aria-label={`${texts.quality[grade]}: ${name}`}>
      {icon}
      {!props.short && <span className="quality-name">{name}</span>}
    </span>
  );
}

export function AgeText(props: { path: string }) {
  const format = useFormat();
  const reading = useReading(props.path);
  const now = useNow();
  if (!reading) return <span className="quiet">–</span>;
  return (
    <time className="quiet number" dateTime={new Date(reading.timeMs).toISOString()} title={format.timeMs(reading.timeMs)}>
      {format.age(now - reading.timeMs)}
    </time>
  );
}
