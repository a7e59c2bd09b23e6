/** What the data explorer asks: what is stored of each point, and history in SQL. */
import type { Scalar } from "./api";
import { ask, askFile } from "./http";
import type { FileFormat } from "./history";

/** What one point takes in settled storage. */
export interface Stored {
  point: string;
  rows: number;
  bytes: number;
  first: string | null;
  last: string | null;
}

const PAGE = 1000;

/** Every point's storage, a page at a time; `more` is told after each what there is so far. */
export async function storedPoints(branch: string, more: (items: Stored[]) => void, signal: AbortSignal): Promise<Stored[]> {
  const found: Stored[] = [];
  let cursor: string | undefined;
  do {
    const query = { branch, cursor, limit: PAGE };
    const page = await ask<{ items: Stored[]; cursor?: string | null }>("GET", "/storage", { query, signal });
    found.push(...page.items);
    cursor = page.cursor || undefined;
    if (cursor) more([...found]);
  } while (cursor);
  return found;
}

export interface Column {
  name: string;
  type: string;
}

export interface SqlResult {
  columns: Column[];
  rows: Scalar[][];
  truncated: boolean;
  elapsed_ms: number;
}

export interface SqlView {
  name: string;
  description: string;
  columns: (Column & { description: string })[];
}

export interface SqlSchema {
  views: SqlView[];
  examples: { title: string; text: string }[];
}

export function sql(text: string, limit: number, signal?: AbortSignal): Promise<SqlResult> {
  return ask<SqlResult>("POST", "/sql", { body: { text, limit }, signal });
}

export function sqlFile(text: string, format: FileFormat, signal?: AbortSignal): Promise<Blob> {
  return askFile("POST", "/sql", { body: { text, format }, signal });
}

export function sqlSchema(signal?: AbortSignal): Promise<SqlSchema> {
  return ask<SqlSchema>("GET", "/sql/schema", { signal });
}

/** The type of a column in one word. */
export function typeWord(type: string): string {
  return type.replace("TIMESTAMP WITH TIME ZONE", "timestamptz").toLowerCase();
}

/** How well a point was recorded within a period. */
export interface Health {
  /** Share of samples that are not bad, from 0 to 1; null without samples. */
  good: number | null;
  /** The longest time without a sample, in ms; null without samples. */
  gapMs: number | null;
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/**
 * Quality and gaps of some points over the last days, from the roll-ups of a minute: gaps that
 * begin and end within one minute do not count.
 */
export async function healthOf(points: readonly string[], days: number, signal?: AbortSignal): Promise<Map<string, Health>> {
  const since = Date.now() - days * 86_400_000;
  const text = `
    SELECT point, sum(usable) / sum(count) AS good,
      greatest(max(begin_ns - before_ns), ${Date.now()}000000 - max(end_ns)) / 1e6 AS gap_ms
    FROM (
      SELECT point, usable, count, begin_ns, end_ns,
        lag(end_ns) OVER (PARTITION BY point ORDER BY time_ns) AS before_ns
      FROM rollup_1m
      WHERE point IN (${points.map(quoted).join(", ")}) AND time_ns >= ${since}000000
    ) GROUP BY point`;
  const result = await sql(text, points.length, signal);
  return new Map(result.rows.map(([point, good, gap]) => [
    String(point),
    { good: good === null ? null : Number(good), gapMs: gap === null ? null : Number(gap) },
  ]));
}
