/** The Time Series submodel (IDTA 02008): its segments, and records as curves. */
import { child, childrenOf, meaning, plain, type Element, type Submodel } from "./aas";
import type { Line } from "../../parts/LineChart";

export type SegmentKind = "internal" | "linked" | "external";

export interface Segment {
  kind: SegmentKind;
  element: Element;
  path: string;
}

export function segmentsOf(submodel: Submodel): Segment[] {
  const segments = child(submodel, "Segments");
  return childrenOf(segments ?? submodel).flatMap((element) => {
    const text = `${meaning(element)} ${element.idShort ?? ""}`;
    const kind = /Internal/i.test(text) ? "internal" : /Linked/i.test(text) ? "linked" : /External/i.test(text) ? "external" : undefined;
    return kind ? [{ kind, element, path: `${segments?.idShort ?? ""}.${element.idShort ?? ""}` }] : [];
  });
}

/** The points of our own history that linked segments ask for. */
export function linkedPoints(segments: readonly Segment[]): string[] {
  const queries = segments.filter((s) => /\/api\/v1\/history$/.test(text(child(s.element, "Endpoint")))).map((s) => text(child(s.element, "Query")));
  return queries.flatMap((query) => {
    const asked = new URLSearchParams(query);
    return [...asked.getAll("point"), ...asked.getAll("points")];
  });
}

/** More columns than this no screen shows. */
const LINES_MAX = 12;
const RECORDS_MAX = 20_000;

export interface Records {
  lines: Line[];
  relative: boolean;
  count: number;
}

/** The columns of an internal segment's records over their time. */
export function recordsOf(segment: Element): Records | undefined {
  const records = childrenOf(child(segment, "Records") ?? segment).filter((e) => e.modelType === "SubmodelElementCollection").slice(0, RECORDS_MAX);
  const first = records[0];
  if (!first) return undefined;
  const columns = childrenOf(first).filter((e) => e.modelType === "Property" || e.modelType === "SubmodelElementCollection");
  const time = columns.find(isTime);
  const names = columns.filter((c) => c !== time && c.idShort && isNumeric(c)).map((c) => c.idShort as string).slice(0, LINES_MAX);
  const relative = !time || !/dateTime/.test(time.valueType ?? "") && Number.isNaN(Date.parse(text(time)));
  const times = records.map((record, i) => {
    const at = time?.idShort ? text(childrenOf(record).find((e) => e.idShort === time.idShort)) : "";
    if (!at) return i;
    return relative ? Number(at) : Date.parse(at);
  });
  const order = times.map((_, i) => i).filter((i) => Number.isFinite(times[i])).sort((a, b) => (times[a] as number) - (times[b] as number));
  const lines = names.map((name) => ({
    name, unit: "",
    times: order.map((i) => times[i] as number),
    values: order.map((i) => numberOf(childrenOf(records[i] as Element).find((e) => e.idShort === name))),
  }));
  return { lines, relative, count: records.length };
}

function isTime(element: Element): boolean {
  return /PointInTime|UtcTime|TaiTime/i.test(meaning(element)) || /^time/i.test(element.idShort ?? "") || element.valueType === "xs:dateTime";
}

function isNumeric(element: Element): boolean {
  return /double|float|decimal|nt|long|short|byte|boolean/i.test(element.valueType ?? "") || Number.isFinite(numberOf(element) ?? NaN);
}

function text(element: Element | undefined): string {
  return plain(element, "en");
}

function numberOf(element: Element | undefined): number | null {
  const value = text(element);
  if (value === "true" || value === "false") return value === "true" ? 1 : 0;
  const number = value === "" ? NaN : Number(value);
  return Number.isFinite(number) ? number : null;
}
