/** What several work units did, one above the other. */
import { useMemo, useRef, useState } from "react";
import { leaf } from "../../format";
import { useLoad, useNow } from "../../hooks";
import { ErrorBox } from "../../parts/Notice";
import { go } from "../../router";
import { StateTimeline, type Row } from "./StateTimeline";
import { statesApi, type Timeline } from "./states-api";
import { stopsAddress } from "./unit-address";
import { aroundSpan } from "./useTimeline";

const REFRESH_MS = 10_000;
const LIVE_STEP_MS = 10_000;
const SPAN_MS = 8 * 3_600_000;
/** More rows are read elsewhere: each is a question of its own. */
const UNITS_MAX = 24;

export function PlantTimeline({ units }: { units: readonly string[] }) {
  const shown = useMemo(() => units.slice(0, UNITS_MAX), [units.join("\n")]);
  const [moved, setMoved] = useState<[number, number]>();
  const now = Math.ceil(useNow() / LIVE_STEP_MS) * LIVE_STEP_MS;
  const span = useMemo<[number, number]>(() => moved ?? [now - SPAN_MS, now], [moved, now]);
  const [start, stop] = aroundSpan(span);
  const found = useLoad(
    `timelines ${start} ${stop} ${shown.join(" ")}`,
    (signal) => Promise.all(shown.map((unit) => statesApi.timeline(unit, start, stop, signal))),
    REFRESH_MS,
  );
  const last = useRef<Timeline[]>([]);
  if (found.data) last.current = found.data;
  const lines = last.current;
  const rows: Row[] = useMemo(() => shown.map((unit) => ({ key: unit, label: leaf(unit), line: lines.find((l) => l.unit === unit) })), [shown, lines]);
  return (
    <div className="panel stops-timeline">
      <StateTimeline rows={rows} span={span} onSpan={setMoved} onOpen={(row) => go(stopsAddress(row.key))} />
      <ErrorBox error={found.error} reload={found.reload} />
    </div>
  );
}
