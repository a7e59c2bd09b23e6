/** The words of the API of event frames, and one function for every question about them. */
import { address, ask } from "../../http";

export type Kind = "batch" | "phase" | "cycle" | "stop" | "excursion" | "other";
export const KINDS: readonly Kind[] = ["batch", "phase", "cycle", "stop", "excursion", "other"];
export const TAKES = ["begin", "end", "last", "min", "max", "mean", "delta", "increase", "integral", "count"] as const;
export const ALIGNS = ["start", "stretch", "phase", "dtw"] as const;
export type Align = (typeof ALIGNS)[number];
/** Frames that are drawn over each other. */
export const COMPARED_MAX = 12;

export type Value = string | number | boolean | null;

export interface Frame {
  key: string;
  template: string;
  asset: string;
  kind: Kind;
  level: string;
  start_ns: number;
  end_ns: number | null;
  duration_s: number;
  cut: boolean;
  severity: number;
  attributes: Record<string, Value>;
  parent: string;
  reason: string;
  note: { acknowledged_by: string; acknowledged_ns: number; reason: string; comment: string; by: string } | null;
}

export interface Attribute {
  name: string;
  of: string;
  take: (typeof TAKES)[number];
}

export interface Template {
  name: string;
  assets: string[];
  begin: string;
  end?: string;
  kind?: Kind;
  parent?: string;
  attributes?: Attribute[];
  min_s?: number;
  max_s?: number;
  description?: string;
}

export interface TemplateView {
  template: Template;
  in_file: boolean;
  assets: string[];
  waiting: Record<string, string>;
}

export interface Progress {
  template: string;
  asset: string;
  start_ns: number;
  stop_ns: number;
  until_ns: number;
}

export interface Preview {
  count: number;
  open: number;
  items: Frame[];
}

export interface Comparison {
  steps: number[];
  points: {
    point: string;
    unit: string;
    lines: { frame: string; values: (number | null)[] }[];
    mean: (number | null)[];
    low: (number | null)[];
    high: (number | null)[];
  }[];
  distance: Record<string, number | null>;
  phases: number[];
}

export interface Filters {
  template: string;
  asset: string;
  attribute: string[];
  start: string;
  open: boolean;
}

function query({ template, asset, attribute, start, open }: Filters) {
  return { template, asset, attribute, start, open: open || undefined };
}

export const framesApi = {
  list: (filters: Filters, signal?: AbortSignal) =>
    ask<{ items: Frame[]; cursor: string }>("GET", "/frames", { query: { ...query(filters), limit: 1000 }, signal }),
  csv: (filters: Filters) => address("/frames/csv", query(filters)),
  one: (key: string, signal?: AbortSignal) =>
    ask<{ frame: Frame; children: Frame[] }>("GET", "/frames/one", { query: { key }, signal }),
  compare: (frame: readonly string[], point: readonly string[], align: Align, signal?: AbortSignal) =>
    ask<Comparison>("GET", "/frames/compare", { query: { frame, point, align, steps: 400 }, signal }),
  annotate: (frame: string, remark: { acknowledge?: boolean; reason?: string; comment?: string }) =>
    ask<Frame>("POST", "/frames/annotate", { body: { frame, ...remark } }),
  templates: (signal?: AbortSignal) =>
    ask<{ items: TemplateView[]; recomputing: Progress[] }>("GET", "/frames/templates", { signal }),
  define: (template: Template) => ask<TemplateView>("PUT", "/frames/templates", { body: template }),
  remove: (name: string) => ask<void>("DELETE", "/frames/templates", { query: { name } }),
  preview: (template: Template) => ask<Preview>("POST", "/frames/preview", { body: { template, start: "-7d" } }),
  recompute: (template: string) => ask<unknown>("POST", "/frames/recompute", { body: { template, start: "-30d" } }),
};

/** The address of a frame's page. */
export function frameAddress(key: string): string {
  return `/frames/one?${new URLSearchParams({ key })}`;
}

/** The address of frames side by side. */
export function compareAddress(keys: readonly string[], points: readonly string[] = [], align: Align = "start"): string {
  const query = new URLSearchParams({ align });
  for (const key of keys) query.append("f", key);
  for (const point of points) query.append("p", point);
  return `/frames/compare?${query}`;
}
