/** The words of the HTTP contract, and one function for every question the console asks. */
import { ask } from "./http";

export type Action = "own" | "look" | "write" | "configure" | "administer";
export type Role = "viewer" | "operator" | "engineer" | "admin";
export const ROLES: readonly Role[] = ["viewer", "operator", "engineer", "admin"];

export interface Me {
  name: string;
  role: Role | "";
  actions: Action[];
  must_change_password: boolean;
}

export type Kind = "number" | "integer" | "boolean" | "enum" | "text" | "json";

export interface Point {
  path: string;
  kind?: Kind;
  unit?: string;
  low?: number | null;
  high?: number | null;
  description?: string;
  names?: Record<string, string>;
  source?: string;
  address?: string;
  writable?: boolean;
}

export type Scalar = number | string | boolean | null;

export interface Value {
  point: string;
  time: string;
  time_ns?: number;
  value: Scalar;
  quality: number;
  quality_name: string;
}

export interface Branch {
  name: string;
  path: string;
  points: number;
  point?: Point | null;
  children: boolean;
}

export type DeviceState = "connecting" | "connected" | "lost" | "refused" | "failed" | "stopped";

export interface Device {
  name: string;
  kind: string;
  protocol: string;
  at: string;
  state: DeviceState;
  since: string;
  detail: string;
  error: string;
  reconnects: number;
  samples: number;
  rate: number;
  lost: Record<string, number>;
  troubles: { address: string; problem: string }[];
  points: number;
  last_sample: string | null;
}

export interface Prepared {
  id: string;
  point: string;
  value: Scalar;
  unit: string;
  now: Value | null;
  low: number | null;
  high: number | null;
  interlock: string;
  expires: string;
}

export interface Written {
  point: string;
  asked: Scalar;
  read_back: Value | null;
  ok: boolean;
}

export interface View<Data = unknown> {
  id: string;
  name: string;
  owner: string;
  shared: boolean;
  version: number;
  data: Data;
}

export interface Token {
  id: string;
  name: string;
  actions: string[];
  branches: string[];
  created: string;
  expires: string | null;
  last_used: string | null;
}

export interface User {
  name: string;
  role: Role;
  branches: string[];
  disabled: boolean;
  created: string;
  last_login: string | null;
  password?: string;
}

export interface AuditItem {
  seq: number;
  hash: string;
  id: string;
  time: string;
  kind: string;
  path: string;
  actor: string;
  data: Record<string, unknown>;
}

export interface Import {
  id: string;
  name: string;
  rows_total: number | null;
  rows_done: number;
  started: string;
  finished: string | null;
}

export interface System {
  version: string;
  started: string;
  plant: string;
  store: { counts?: Record<string, unknown>; health?: unknown };
  flows: Record<string, unknown>[];
  points: number;
  problems: string[];
}

interface Items<T> {
  items: T[];
  cursor?: string | null;
}

const enc = encodeURIComponent;

export const api = {
  session: () => ask<Me>("GET", "/session", { anonymous: true }),
  /** As `session`, but a 401 ends the session on screen as well. */
  sessionOrOut: () => ask<Me>("GET", "/session"),
  login: (name: string, password: string) =>
    ask<Me>("POST", "/session", { body: { name, password }, anonymous: true }),
  logout: () => ask<void>("DELETE", "/session"),
  password: (old: string, fresh: string) =>
    ask<void>("PUT", "/password", { body: { old, new: fresh }, anonymous: true }),

  tree: (branch: string, signal?: AbortSignal) =>
    ask<{ children: Branch[] }>("GET", "/tree", { query: { branch }, signal }),
  search: (search: string, signal?: AbortSignal) =>
    ask<Items<Point>>("GET", "/points", { query: { search, limit: 100 }, signal }),
  point: (path: string, signal?: AbortSignal) =>
    ask<Point>("GET", "/point", { query: { path }, signal }),

  views: (signal?: AbortSignal) => ask<Items<View<never>>>("GET", "/views", { signal }),
  addView: <D>(name: string, shared: boolean, data: D) =>
    ask<View<D>>("POST", "/views", { body: { name, shared, data } }),
  putView: <D>(view: View<D>) =>
    ask<View<D>>("PUT", `/views/${enc(view.id)}`, {
      body: { name: view.name, shared: view.shared, data: view.data },
      headers: { "If-Match": String(view.version) },
    }),
  dropView: (id: string) => ask<void>("DELETE", `/views/${enc(id)}`),

  devices: (signal?: AbortSignal) => ask<Items<Device>>("GET", "/devices", { signal }),
  retry: (name: string) => ask<void>("POST", `/devices/${enc(name)}/retry`),
  writable: (point: string) => ask<boolean>("GET", "/writable", { query: { point } }),
  prepare: (point: string, value: Scalar) =>
    ask<Prepared>("POST", "/writes", { body: { point, value } }),
  confirm: (id: string, reason: string) =>
    ask<Written>("POST", `/writes/${enc(id)}/confirm`, { body: reason ? { reason } : {} }),
  cancelWrite: (id: string) => ask<void>("DELETE", `/writes/${enc(id)}`),

  imports: (signal?: AbortSignal) => ask<Items<Import>>("GET", "/imports", { signal }),
  system: (signal?: AbortSignal) => ask<System>("GET", "/system", { signal }),

  tokens: (signal?: AbortSignal) => ask<Items<Token>>("GET", "/tokens", { signal }),
  addToken: (body: { name: string; actions?: string[]; expires_days?: number }) =>
    ask<{ id: string; name: string; token: string }>("POST", "/tokens", { body }),
  dropToken: (id: string) => ask<void>("DELETE", `/tokens/${enc(id)}`),

  users: (signal?: AbortSignal) => ask<Items<User>>("GET", "/users", { signal }),
  addUser: (body: { name: string; role: Role; branches?: string[] }) =>
    ask<{ name: string; password: string }>("POST", "/users", { body }),
  patchUser: (name: string, body: Partial<Pick<User, "role" | "disabled" | "branches">> & { reset_password?: true }) =>
    ask<User>("PATCH", `/users/${enc(name)}`, { body }),
  dropUser: (name: string) => ask<void>("DELETE", `/users/${enc(name)}`),
  audit: (query: AuditQuery, signal?: AbortSignal) =>
    ask<Items<AuditItem>>("GET", "/audit", { query: { ...query }, signal }),
  verifyAudit: () => ask<{ events: number; ok: boolean }>("GET", "/audit/verify"),
};

export interface AuditQuery {
  after?: number;
  before?: number;
  kind?: string;
  path?: string;
  actor?: string;
  newest_first?: boolean;
  limit?: number;
}

/** Every point at or below a branch, page after page, up to a limit that a screen can use. */
export async function pointsBelow(branch: string, max: number, signal?: AbortSignal): Promise<Point[]> {
  const found: Point[] = [];
  let cursor: string | undefined;
  do {
    const query = { branch, cursor, limit: 1000 };
    const page = await ask<Items<Point>>("GET", "/points", { query, signal });
    found.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor && found.length < max);
  return found;
}
