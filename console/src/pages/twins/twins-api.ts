/** Questions to our own routes beside the standard's: files, comparisons, connections. */
import { ask, askFile, askTagged } from "../../http";
import { encodeId, type Submodel } from "./aas";

export interface Finding {
  path: string;
  message: string;
  level: string;
}

/** What becomes, or became, of one document of a file. */
export interface Touched {
  class: string;
  id: string;
  what: "create" | "replace" | "leave";
}

/** What an import does, or would do when it is a dry run. */
export interface Imported {
  /** By which it is undone; empty when nothing was done. */
  id: string;
  steps: Touched[];
  findings: Finding[];
}

export type TwinFormat = "json" | "xml" | "aasx";

/** A connection that an interface description asks for. */
export interface Connection {
  name: string;
  element: string;
  kind: string;
  address: string;
  points: number;
  /** What has to be given for it, since a description holds no credentials. */
  needs: string[];
  connected: boolean;
  /** Why it could not be made; empty when it is, or when nobody has agreed yet. */
  problem: string;
}

/** An interface description, and what has become of it. */
export interface Plug {
  /** Identifier of the description. */
  submodel: string;
  id_short: string;
  state: "proposed" | "plugged" | "waiting" | "unplugged";
  /** Branch of the namespace that its points stand below, or would. */
  at: string;
  connections: Connection[];
  points: Record<string, string>;
  bindings: { submodel: string; path: string; point: string }[];
  problems: Record<string, string>;
  findings: Finding[];
}

/** What an engineer adds: a branch, and what each connection needs. */
export interface Agreement {
  at: string;
  given: Record<string, Record<string, unknown>>;
}

/** A version of a document that somebody replaced. */
export interface Version {
  at: string;
  tag: string;
  /** When it was replaced, as ISO 8601 has it. */
  until: string;
  by: string;
  deed: "updated" | "deleted";
  bytes: number;
}

/** What is said of a document; the class is one of VDI 2770. */
export interface AboutDocument {
  title: string;
  class_id: string;
  language: string;
  version: string;
  identifier?: string;
  organization?: string;
}

export const twins = {
  read: (file: File, dry: boolean, signal?: AbortSignal) =>
    ask<Imported>("POST", "/twins/import", { query: { name: file.name, dry }, data: file, signal }),
  undo: (id: string) => ask<void>("POST", `/twins/imports/${encodeURIComponent(id)}/undo`),
  rules: async (signal?: AbortSignal) => (await askTagged<object>("/twins/rules", "", { signal })) ?? { data: {}, etag: "" },
  putRules: (rules: unknown, etag: string) =>
    ask<void>("PUT", "/twins/rules", { body: rules, headers: etag ? { "If-Match": etag } : undefined }),
  bindings: (submodel: string, signal?: AbortSignal) =>
    ask<{ items: { path: string; point: string }[] }>("GET", "/twins/bindings", { query: { submodel }, signal }),
  bind: (submodel: string, path: string, point: string) =>
    ask<void>("PUT", "/twins/bindings", { body: { submodel, path, point } }),
  unbind: (submodel: string, path: string) => ask<void>("DELETE", "/twins/bindings", { query: { submodel, path } }),
  /** A submodel as the plant made it, before people changed it. */
  generated: (submodel: string, signal?: AbortSignal) =>
    ask<{ base: Submodel }>("GET", "/twins/generated", { query: { id: submodel }, signal }),
  /** What people replaced, the newest first. */
  versions: (submodel: string, signal?: AbortSignal) =>
    ask<{ items: Version[] }>("GET", "/twins/versions", { query: { id: submodel }, signal }),
  versionAt: (submodel: string, at: string, signal?: AbortSignal) =>
    ask<Submodel>("GET", "/twins/versions/document", { query: { id: submodel, at }, signal }),
  restore: (submodel: string, at: string) =>
    ask<void>("POST", "/twins/versions/restore", { body: { id: submodel, at, class: "submodels" } }),
  reset: (submodel: string) => ask<void>("POST", "/twins/reset", { body: { id: submodel, class: "submodels" } }),
  addDocument: (shell: string, file: File, about: AboutDocument) =>
    ask<{ submodel: string; path: string }>("POST", "/twins/documents", { query: { shell, name: file.name, ...about }, data: file }),
  plugs: (signal?: AbortSignal) => ask<{ items: Plug[] }>("GET", "/twins/plug", { signal }),
  plug: (submodel: string, signal?: AbortSignal) => ask<Plug>("GET", `/twins/plug/${encodeId(submodel)}`, { signal }),
  /** Agrees to the connections of a description; they are made at once. */
  connect: (submodel: string, agreement: Agreement) =>
    ask<Plug>("POST", `/twins/plug/${encodeId(submodel)}`, { body: agreement }),
  disconnect: (submodel: string) => ask<void>("DELETE", `/twins/plug/${encodeId(submodel)}`),
  /** Shells with their submodels, or submodels alone, as a file. */
  exported: (ids: readonly string[], format: TwinFormat) => askFile("GET", "/twins/export", { query: { ids, format } }),
};
