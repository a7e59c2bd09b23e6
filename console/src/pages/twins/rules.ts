/** Access rules (IDTA-01004) as lines that people read: who may do what to what, and when. */

type Json = Record<string, unknown>;

export interface RuleLine {
  who: string;
  rights: string;
  what: string;
  when: string;
  disabled: boolean;
}

/** What is put in when one begins: everybody who is logged in may read everything. */
export const EXAMPLE: Json = {
  AllAccessPermissionRules: {
    rules: [
      {
        ACL: { ATTRIBUTES: [{ CLAIM: "role" }], RIGHTS: ["READ", "VIEW"], ACCESS: "ALLOW" },
        OBJECTS: [{ ROUTE: "*" }],
        FORMULA: { $ne: [{ $attribute: { CLAIM: "role" } }, { $strVal: "" }] },
      },
    ],
  },
};

/** The rules of a text, line by line; nothing when the text holds none yet. */
export function linesOf(text: string): RuleLine[] | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  const all = object(object(given)["AllAccessPermissionRules"] ?? given);
  const named = (list: unknown, name: unknown) => object(array(list).find((one) => object(one)["name"] === name));
  return array(all["rules"]).map((one) => {
    const rule = object(one);
    const acl = object(rule["ACL"] ?? named(all["DEFACLS"], rule["USEACL"])["acl"]);
    const formula = rule["FORMULA"] ?? named(all["DEFFORMULAS"], rule["USEFORMULA"])["formula"];
    return {
      who: [...array(acl["ATTRIBUTES"]).map(pair), ...names(acl["USEATTRIBUTES"])].join(", "),
      rights: array(acl["RIGHTS"]).join(", "),
      what: [...array(rule["OBJECTS"]).map(pair), ...names(rule["USEOBJECTS"])].join(", "),
      when: formulaText(formula),
      disabled: acl["ACCESS"] === "DISABLED",
    };
  });
}

const SIGNS: Record<string, string> = { $eq: "=", $ne: "≠", $gt: ">", $ge: "≥", $lt: "<", $le: "≤", $and: "∧", $or: "∨" };

/** A formula in one line, as far as it can be said in one. */
export function formulaText(formula: unknown): string {
  if (typeof formula !== "object" || formula === null) return String(formula ?? "");
  const [entry] = Object.entries(formula);
  if (!entry) return "";
  const [word, inside] = entry;
  if (word === "$attribute" || word === "$not") return word === "$not" ? `¬ ${formulaText(inside)}` : pair(inside);
  if (word === "$strVal") return JSON.stringify(inside);
  if (Array.isArray(inside)) {
    const sign = SIGNS[word] ?? word.slice(1);
    const inner = inside.map(formulaText).join(` ${sign} `);
    return word === "$and" || word === "$or" ? `(${inner})` : inner;
  }
  return typeof inside === "object" ? JSON.stringify(inside) : String(inside);
}

function pair(one: unknown): string {
  return Object.entries(object(one)).map(([key, value]) => `${key} ${String(value)}`).join(" ");
}

function names(given: unknown): string[] {
  return typeof given === "string" ? [given] : array(given).map(String);
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function array(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
