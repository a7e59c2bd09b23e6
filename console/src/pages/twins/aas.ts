/** Shells and submodels as they come (IDTA-01001 v3.1), and how one finds one's way in them. */
import type { Language } from "../../texts";

export interface Key {
  type: string;
  value: string;
}

export interface Reference {
  type: string;
  keys: Key[];
}

export interface Lang {
  language: string;
  text: string;
}

export interface Qualifier {
  type: string;
  valueType: string;
  value?: string;
}

export interface Administration {
  version?: string;
  revision?: string;
  templateId?: string;
}

/** What may stand on everything that has a meaning. */
export interface Described {
  modelType: string;
  idShort?: string;
  displayName?: Lang[];
  description?: Lang[];
  semanticId?: Reference;
  supplementalSemanticIds?: Reference[];
  qualifiers?: Qualifier[];
  category?: string;
}

export interface Variable {
  value: Element;
}

/** An element of any type; what it may hold depends on its `modelType`. */
export interface Element extends Described {
  value?: unknown;
  valueType?: string;
  min?: string;
  max?: string;
  contentType?: string;
  first?: Reference;
  second?: Reference;
  annotations?: Element[];
  statements?: Element[];
  entityType?: string;
  globalAssetId?: string;
  typeValueListElement?: string;
  valueTypeListElement?: string;
  semanticIdListElement?: Reference;
  inputVariables?: Variable[];
  outputVariables?: Variable[];
  inoutputVariables?: Variable[];
}

export interface Submodel extends Described {
  id: string;
  kind?: "Instance" | "Template";
  administration?: Administration;
  submodelElements?: Element[];
}

export interface SpecificAssetId {
  name: string;
  value: string;
}

/** The specific asset id by which shells that the plant made name their branch of the namespace. */
export const BRANCH = "path";

export interface AssetInformation {
  assetKind: string;
  assetType?: string;
  globalAssetId?: string;
  specificAssetIds?: SpecificAssetId[];
  defaultThumbnail?: { path: string; contentType?: string };
}

export interface Shell extends Described {
  id: string;
  administration?: Administration;
  derivedFrom?: Reference;
  assetInformation: AssetInformation;
  submodels?: Reference[];
}

/** base64url without padding, as identifiers stand in addresses. */
export function encodeId(id: string): string {
  const bytes = new TextEncoder().encode(id);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The identifier of an address; empty when it is none. */
export function decodeId(text: string): string {
  try {
    const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return new TextDecoder().decode(Uint8Array.from(raw, (c) => c.charCodeAt(0)));
  } catch {
    return "";
  }
}

/** The address of a shell's page, of one of its submodels, or of an element in that. */
export function twinAddress(shell: string, submodel = "", path = ""): string {
  const query = path ? `?e=${encodeURIComponent(path)}` : "";
  if (!shell) return `/twins/submodels/${encodeId(submodel)}${query}`;
  return `/twins/shells/${encodeId(shell)}${submodel ? `/${encodeId(submodel)}` : ""}${query}`;
}

/** A text in the reader's language, else in English, else in whatever there is. */
export function said(texts: Lang[] | undefined, language: Language): string {
  if (!texts?.length) return "";
  const of = (wanted: string) => texts.find((t) => t.language.toLowerCase().split("-")[0] === wanted);
  return (of(language) ?? of("en") ?? texts[0])?.text ?? "";
}

/** What a submodel element holds of its own kind. */
export function childrenOf(parent: Element | Submodel): Element[] {
  switch (parent.modelType) {
    case "Submodel": return (parent as Submodel).submodelElements ?? [];
    case "SubmodelElementCollection":
    case "SubmodelElementList": return ((parent as Element).value as Element[] | undefined) ?? [];
    case "Entity": return (parent as Element).statements ?? [];
    case "AnnotatedRelationshipElement": return (parent as Element).annotations ?? [];
    default: return [];
  }
}

/** Whether other elements can be put into it. */
export function isParent(element: Element): boolean {
  return ["SubmodelElementCollection", "SubmodelElementList", "Entity", "AnnotatedRelationshipElement"].includes(element.modelType);
}

/** The path of a child: lists count, the others name. */
export function childPath(parent: Element | Submodel, path: string, child: Element, index: number): string {
  if (parent.modelType === "SubmodelElementList") return `${path}[${index}]`;
  return path ? `${path}.${child.idShort ?? ""}` : child.idShort ?? "";
}

/** The path of the parent; empty for the submodel itself. */
export function parentPath(path: string): string {
  return path.replace(/(\.?[^.[\]]+|\[\d+\])$/, "");
}

/** Every element below, with its path, parents first. */
export function* walk(parent: Element | Submodel, path = ""): Generator<[string, Element]> {
  for (const [index, child] of childrenOf(parent).entries()) {
    const at = childPath(parent, path, child, index);
    yield [at, child];
    yield* walk(child, at);
  }
}

export function findElement(submodel: Submodel, path: string): Element | undefined {
  for (const [at, element] of walk(submodel)) if (at === path) return element;
  return undefined;
}

/** The child of a name, whatever case or count (`Document00`, `Marking__01__`) its maker added. */
export function child(parent: Element | Submodel | undefined, name: string): Element | undefined {
  if (!parent) return undefined;
  const bare = (text: string) => text.replace(/_*\d*_*$/, "").toLowerCase();
  const children = childrenOf(parent);
  return children.find((c) => c.idShort === name) ?? children.find((c) => bare(c.idShort ?? "") === bare(name));
}

/** What an element says in one line, without its children; empty when it says nothing. */
export function plain(element: Element | undefined, language: Language): string {
  if (!element) return "";
  const { value } = element;
  switch (element.modelType) {
    case "Property":
    case "File": return typeof value === "string" ? value : "";
    case "MultiLanguageProperty": return said(value as Lang[] | undefined, language);
    case "Range": return element.min || element.max ? `${element.min ?? "−∞"} … ${element.max ?? "∞"}` : "";
    case "ReferenceElement": return referenceText(value as Reference | undefined);
    case "RelationshipElement":
    case "AnnotatedRelationshipElement": return `${referenceText(element.first)} → ${referenceText(element.second)}`;
    case "Entity": return element.globalAssetId ?? "";
    case "Blob": return element.contentType ?? "";
    default: return "";
  }
}

export function referenceText(reference: Reference | undefined): string {
  if (!reference?.keys.length) return "";
  const [first, ...rest] = reference.keys;
  const path = rest.map((key) => (/^\d+$/.test(key.value) ? `[${key.value}]` : `.${key.value}`)).join("");
  return `${first?.value ?? ""}${path && rest[0] && !/^\d+$/.test(rest[0].value) ? ` ${path.slice(1)}` : path}`;
}

/** The identifier that a semantic id stands for; empty when there is none. */
export function meaning(described: { semanticId?: Reference } | undefined): string {
  return described?.semanticId?.keys.at(-1)?.value ?? "";
}

export type SubmodelKind = "nameplate" | "series" | "documents" | "carbon" | "structure" | "interfaces" | "technical" | "mapping" | "other";

/** How semantic ids of the templates that have a page of their own go on after the host. */
const KINDS: readonly [RegExp, SubmodelKind][] = [
  [/\/nameplate\/\d|\/zvei\/nameplate/i, "nameplate"],
  [/\/TimeSeries\/\d/i, "series"],
  [/01-AHF578|handoverdocumentation/i, "documents"],
  [/CarbonFootprint/i, "carbon"],
  [/HierarchicalStructures/i, "structure"],
  [/AssetInterfacesMapping/i, "mapping"],
  [/AssetInterfacesDescription/i, "interfaces"],
  [/01-AHX837|TechnicalData/i, "technical"],
];

/** What a submodel is about, as far as the console knows more of it than its elements. */
export function kindOf(submodel: { semanticId?: Reference; supplementalSemanticIds?: Reference[] }): SubmodelKind {
  const ids = [submodel.semanticId, ...(submodel.supplementalSemanticIds ?? [])].flatMap((r) => r?.keys.map((k) => k.value) ?? []);
  return KINDS.find(([pattern]) => ids.some((id) => pattern.test(id)))?.[1] ?? "other";
}
