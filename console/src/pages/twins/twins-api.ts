/** Questions to our own routes beside the standard's: files, comparisons, connections. */
import { ask, askFile } from "../../http";
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
export interface Proposal {
  name: string;
  protocol: string;
  address: string;
  points: number;
  findings: Finding[];
  connected?: boolean;
}

/** One change of a document. */
export interface Version {
  version: number;
  time: string;
  actor?: string;
}

export const twins = {
  read: (file: File, dry: boolean, signal?: AbortSignal) =>
    ask<Imported>("POST", "/twins/import", { query: { name: file.name, dry }, data: file, signal }),
  undo: (id: string) => ask<void>("POST", `/twins/imports/${encodeURIComponent(id)}/undo`),
  /** The connections that an interface description asks for; made, unless it is a dry run. */
  plug: (submodel: string, dry: boolean) =>
    ask<{ items: Proposal[] }>("POST", `/twins/plug/${encodeId(submodel)}`, { query: { dry } }),
  /** When a submodel was changed, and by whom; newest first. */
  versions: (submodel: string, signal?: AbortSignal) =>
    ask<{ items: Version[] }>("GET", "/twins/history", { query: { class: "submodels", id: submodel }, signal }),
  /** A submodel as it was at a time. */
  versionAt: (submodel: string, at: string, signal?: AbortSignal) =>
    ask<Submodel>("GET", "/twins/history", { query: { class: "submodels", id: submodel, at }, signal }),
  /** Shells with their submodels, or submodels alone, as a file. */
  exported: (ids: readonly string[], format: TwinFormat) => askFile("GET", "/twins/export", { query: { ids, format } }),
};
