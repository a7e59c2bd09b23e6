/** Questions to the shells' interface (IDTA-01002 v3.1) and to our own routes beside it. */
import { ask, askFile, askTagged, address, type Query, type Tagged } from "../../http";
import { encodeId, type Element, type Shell, type Submodel } from "./aas";

const AAS = "/api/v3.1";

export interface Page<T> {
  result: T[];
  paging_metadata: { cursor?: string };
}

const elementAt = (submodel: string, path: string) =>
  `/submodels/${encodeId(submodel)}/submodel-elements${path ? `/${encodeURIComponent(path)}` : ""}`;

const matching = (etag: string) => (etag ? { "If-Match": etag } : undefined);

export const aas = {
  /** A page of shells, of all or of those that a condition fits. */
  shells(condition: object | undefined, cursor: string, signal?: AbortSignal): Promise<Page<Shell>> {
    const query = { limit: 100, cursor };
    if (!condition) return ask("GET", "/shells", { base: AAS, query, signal });
    return ask("POST", "/query/shells", { base: AAS, query, signal, body: { $condition: condition } });
  },
  shell: (id: string, known = "", signal?: AbortSignal) =>
    askTagged<Shell>(`/shells/${encodeId(id)}`, known, { base: AAS, signal }),
  addShell: (shell: Shell) => ask<Shell>("POST", "/shells", { base: AAS, body: shell }),
  dropShell: (id: string) => ask<void>("DELETE", `/shells/${encodeId(id)}`, { base: AAS }),
  addReference: (shell: string, submodel: string) =>
    ask<unknown>("POST", `/shells/${encodeId(shell)}/submodel-refs`, {
      base: AAS,
      body: { type: "ModelReference", keys: [{ type: "Submodel", value: submodel }] },
    }),
  dropReference: (shell: string, submodel: string) =>
    ask<void>("DELETE", `/shells/${encodeId(shell)}/submodel-refs/${encodeId(submodel)}`, { base: AAS }),
  thumbnail: (id: string) => address(`/shells/${encodeId(id)}/asset-information/thumbnail`, {}, AAS),

  /** A submodel without its elements. */
  head: (id: string, signal?: AbortSignal) =>
    ask<Submodel>("GET", `/submodels/${encodeId(id)}/$metadata`, { base: AAS, signal }),
  submodel: (id: string, known = "", signal?: AbortSignal) =>
    askTagged<Submodel>(`/submodels/${encodeId(id)}`, known, { base: AAS, signal }),
  addSubmodel: (submodel: Submodel) => ask<Submodel>("POST", "/submodels", { base: AAS, body: submodel }),
  dropSubmodel: (id: string) => ask<void>("DELETE", `/submodels/${encodeId(id)}`, { base: AAS }),

  putElement: (submodel: string, path: string, element: Element, etag: string) =>
    ask<unknown>("PUT", elementAt(submodel, path), { base: AAS, body: element, headers: matching(etag) }),
  addElement: (submodel: string, parent: string, element: Element, etag: string) =>
    ask<unknown>("POST", elementAt(submodel, parent), { base: AAS, body: element, headers: matching(etag) }),
  dropElement: (submodel: string, path: string, etag: string) =>
    ask<void>("DELETE", elementAt(submodel, path), { base: AAS, headers: matching(etag) }),
  attachment: (submodel: string, path: string) => address(`${elementAt(submodel, path)}/attachment`, {}, AAS),
  attachmentFile: (submodel: string, path: string) => askFile("GET", `${elementAt(submodel, path)}/attachment`, { base: AAS }),
  attach: (submodel: string, path: string, file: File) => {
    const data = new FormData();
    data.append("fileName", file.name);
    data.append("file", file, file.name);
    return ask<unknown>("PUT", `${elementAt(submodel, path)}/attachment`, { base: AAS, data });
  },
  invoke: (submodel: string, path: string, inputs: Record<string, unknown>) =>
    ask<{ outputArguments?: Record<string, unknown>; success?: boolean; messages?: { text: string }[] }>(
      "POST", `${elementAt(submodel, path)}/invoke/$value`,
      { base: AAS, body: { inputArguments: inputs, clientTimeoutDuration: "PT30S" } },
    ),

  concepts: (ids: readonly string[], signal?: AbortSignal) =>
    ask<Page<Concept>>("POST", "/query/concept-descriptions", {
      base: AAS, signal, query: { limit: ids.length }, body: { $condition: oneOf("$cd#id", ids) },
    }),
  /** The shells of assets, by their global identifiers. */
  shellsOf: (assets: readonly string[], signal?: AbortSignal) => {
    const body = { $condition: oneOf("$aas#assetInformation.globalAssetId", assets) };
    return ask<Page<Shell>>("POST", "/query/shells", { base: AAS, query: { limit: 4 * assets.length }, body, signal });
  },
};

function oneOf(field: string, ids: readonly string[]): object {
  const each = ids.map((id) => ({ $eq: [{ $field: field }, { $strVal: id }] }));
  return each.length === 1 ? (each[0] as object) : { $or: each };
}

export interface Concept {
  id: string;
  idShort?: string;
  embeddedDataSpecifications?: {
    dataSpecificationContent: {
      preferredName?: { language: string; text: string }[];
      definition?: { language: string; text: string }[];
      unit?: string;
    };
  }[];
}

export type { Query, Tagged };
