/** Between an element and the fields of its form. */
import type { Element, Lang, Reference } from "./aas";

export interface Values {
  modelType: string;
  idShort?: string;
  description: Lang[];
  semanticId: string;
  valueType: string;
  text: string;
  min: string;
  max: string;
  langs: Lang[];
  contentType: string;
  reference: string;
  first: string;
  second: string;
  entityType: string;
  globalAssetId: string;
  listType: string;
  file?: File;
}

export function formOf(element: Element): Values {
  const { value } = element;
  return {
    modelType: element.modelType,
    idShort: element.idShort,
    description: element.description ?? [],
    semanticId: element.semanticId?.keys.at(-1)?.value ?? "",
    valueType: element.valueType ?? element.valueTypeListElement ?? "xs:string",
    text: typeof value === "string" ? value : "",
    min: element.min ?? "",
    max: element.max ?? "",
    langs: element.modelType === "MultiLanguageProperty" ? ((value as Lang[] | undefined) ?? []) : [],
    contentType: element.contentType ?? "",
    reference: element.modelType === "ReferenceElement" ? keysText(value as Reference | undefined) : "",
    first: keysText(element.first),
    second: keysText(element.second),
    entityType: element.entityType ?? "CoManagedEntity",
    globalAssetId: element.globalAssetId ?? "",
    listType: element.typeValueListElement ?? "Property",
  };
}

/** The element with what the form says; whatever the form does not show stays as it was. */
export function elementOf(before: Element, values: Values): Element {
  const element: Element = { ...before, modelType: values.modelType };
  if (before.modelType !== values.modelType) for (const key of ["value", "valueType", "min", "max"] as const) delete element[key];
  put(element, "idShort", values.idShort || undefined);
  put(element, "description", values.description?.length ? values.description : undefined);
  if (values.semanticId !== (before.semanticId?.keys.at(-1)?.value ?? "")) put(element, "semanticId", globalReference(values.semanticId));
  switch (values.modelType) {
    case "Property":
      element.valueType = values.valueType;
      put(element, "value", values.text === "" && values.valueType !== "xs:string" ? undefined : values.text);
      break;
    case "Range":
      element.valueType = values.valueType;
      put(element, "min", values.min || undefined);
      put(element, "max", values.max || undefined);
      break;
    case "MultiLanguageProperty":
      put(element, "value", values.langs?.length ? values.langs : undefined);
      break;
    case "File":
    case "Blob":
      put(element, "value", values.text || undefined);
      put(element, "contentType", values.contentType || undefined);
      break;
    case "ReferenceElement":
      put(element, "value", referenceOf(values.reference, before.value as Reference | undefined));
      break;
    case "RelationshipElement":
    case "AnnotatedRelationshipElement":
      put(element, "first", referenceOf(values.first, before.first));
      put(element, "second", referenceOf(values.second, before.second));
      break;
    case "Entity":
      element.entityType = values.entityType;
      put(element, "globalAssetId", values.globalAssetId || undefined);
      break;
    case "SubmodelElementList":
      element.typeValueListElement = values.listType;
      put(element, "valueTypeListElement", ["Property", "Range"].includes(values.listType) ? values.valueType : undefined);
      break;
    default:
  }
  return element;
}

function put<K extends keyof Element>(element: Element, key: K, value: Element[K] | undefined): void {
  if (value === undefined) delete element[key];
  else element[key] = value;
}

function globalReference(id: string): Reference | undefined {
  return id.trim() ? { type: "ExternalReference", keys: [{ type: "GlobalReference", value: id.trim() }] } : undefined;
}

/** A reference as lines of `Type value`, which people can read and change. */
function keysText(reference: Reference | undefined): string {
  return (reference?.keys ?? []).map((key) => `${key.type} ${key.value}`).join("\n");
}

function referenceOf(text: string, before: Reference | undefined): Reference | undefined {
  if (text === keysText(before)) return before;
  const keys = text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const [, type = "GlobalReference", value = line] = /^([A-Z][A-Za-z]+)\s+(.+)$/.exec(line) ?? [];
    return { type, value };
  });
  if (!keys.length) return undefined;
  return { type: keys[0]?.type === "GlobalReference" ? "ExternalReference" : "ModelReference", keys };
}

/** Names of attributes in what the server says, and the fields that show them. */
const FIELDS: readonly [RegExp, keyof Values][] = [
  [/idShort/, "idShort"],
  [/valueType/, "valueType"],
  [/contentType/, "contentType"],
  [/semanticId/, "semanticId"],
  [/globalAssetId|AASd-014/i, "globalAssetId"],
  [/\bmin\b/, "min"],
  [/\bmax\b/, "max"],
  [/\bfirst\b/, "first"],
  [/\bsecond\b/, "second"],
  [/value/, "text"],
];

/** The field that a sentence of the server is about, if any. */
export function fieldOf(sentence: string): keyof Values | undefined {
  return FIELDS.find(([pattern]) => pattern.test(sentence))?.[1];
}
