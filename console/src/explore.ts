/** What the data explorer asks: what is stored of each point, and history in SQL. */
import type { Point, Scalar } from "./api";
import { ask, askFile } from "./http";
import type { FileFormat } from "./history";

/** What there is of one point. */
export interface Stored {
  point: Point;
  /** In settled storage; the newest samples are not counted yet. */
  rows: number;
  bytes: number;
  first: string | null;
  last: string | null;
  /** The last 24 hours; null when nothing came then, or when the values are texts. */
  day: { count: number; per_s: number; bad: number; quality: number; gap_s: number } | null;
}

/** The first page fills a screen at once, the others bring the rest. */
const PAGE_FIRST = 100;
const PAGE = 1000;

/** Every point's storage, a page at a time; `more` is told after each what there is so far. */
export async function storedPoints(branch: string, more: (items: Stored[]) => void, signal: AbortSignal): Promise<Stored[]> {
  const found: Stored[] = [];
  let cursor: string | undefined;
  do {
    const query = { branch, cursor, limit: cursor ? PAGE : PAGE_FIRST };
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
