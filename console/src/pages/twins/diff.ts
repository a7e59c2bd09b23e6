/** What two pieces of JSON differ in, by paths that people know from the tree. */

export interface Difference {
  path: string;
  kind: "added" | "removed" | "changed";
  left: string;
  right: string;
}

type Json = unknown;

const MAX = 5000;

/** The differences from left to right. Elements are met by idShort, others by place. */
export function differences(left: Json, right: Json): Difference[] {
  const found: Difference[] = [];
  compare(left, right, "", found);
  return found;
}

function compare(left: Json, right: Json, path: string, found: Difference[]): void {
  if (found.length >= MAX || left === right) return;
  if (left === undefined) found.push({ path, kind: "added", left: "", right: brief(right) });
  else if (right === undefined) found.push({ path, kind: "removed", left: brief(left), right: "" });
  else if (Array.isArray(left) && Array.isArray(right)) lists(left, right, path, found);
  else if (isObject(left) && isObject(right)) {
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      compare(left[key], right[key], joined(path, key), found);
    }
  } else found.push({ path, kind: "changed", left: brief(left), right: brief(right) });
}

function lists(left: Json[], right: Json[], path: string, found: Difference[]): void {
  const names = [...left, ...right].map(nameOf);
  if (!names.every((name) => name !== undefined) || names.length === 0) {
    for (let i = 0; i < Math.max(left.length, right.length); i++) compare(left[i], right[i], `${path}[${i}]`, found);
    return;
  }
  const of = (items: Json[]) => new Map(items.map((item) => [nameOf(item) as string, item]));
  const [before, after] = [of(left), of(right)];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    compare(before.get(name), after.get(name), joined(above(path), name), found);
  }
}

/** What an item of a list is known by, whatever its place. */
function nameOf(item: Json): string | undefined {
  if (!isObject(item)) return undefined;
  const name = item["idShort"] ?? item["language"];
  return typeof name === "string" ? name : undefined;
}

/** The lists of elements are not part of the paths that people know. */
function above(path: string): string {
  return path.replace(/(^|\.)(submodelElements|value|statements|annotations)$/, "");
}

function joined(path: string, key: string): string {
  return path ? `${path}.${key}` : key;
}

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function brief(value: Json): string {
  if (typeof value === "string") return value;
  if (isObject(value) && typeof value["modelType"] === "string") {
    return `${value["modelType"]} ${typeof value["value"] === "string" ? value["value"] : ""}`.trim();
  }
  return JSON.stringify(value) ?? "";
}
