/** What the console sees to be wrong before it asks the server; the server decides all the same. */
import type { Texts } from "../../texts";

type Words = Texts["twins"]["checks"];

/** Types of values that people choose from, most used first. */
export const VALUE_TYPES = [
  "xs:string", "xs:double", "xs:int", "xs:boolean", "xs:integer", "xs:long", "xs:float", "xs:decimal", "xs:dateTime", "xs:date",
  "xs:time", "xs:duration", "xs:anyURI", "xs:short", "xs:byte", "xs:unsignedInt", "xs:unsignedLong", "xs:unsignedShort",
  "xs:unsignedByte", "xs:positiveInteger", "xs:nonNegativeInteger", "xs:nonPositiveInteger", "xs:negativeInteger",
  "xs:hexBinary", "xs:base64Binary", "xs:gDay", "xs:gMonth", "xs:gMonthDay", "xs:gYear", "xs:gYearMonth",
] as const;

const NAME = /^[a-zA-Z]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?$/;
const LANGUAGE = /^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$/;

const SPAN: Record<string, readonly [bigint, bigint]> = {
  "xs:byte": [-(2n ** 7n), 2n ** 7n - 1n], "xs:short": [-(2n ** 15n), 2n ** 15n - 1n],
  "xs:int": [-(2n ** 31n), 2n ** 31n - 1n], "xs:long": [-(2n ** 63n), 2n ** 63n - 1n],
  "xs:unsignedByte": [0n, 2n ** 8n - 1n], "xs:unsignedShort": [0n, 2n ** 16n - 1n],
  "xs:unsignedInt": [0n, 2n ** 32n - 1n], "xs:unsignedLong": [0n, 2n ** 64n - 1n],
};

const FORMS: Record<string, RegExp> = {
  "xs:double": /^([+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|INF|-INF|NaN)$/,
  "xs:float": /^([+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|INF|-INF|NaN)$/,
  "xs:decimal": /^[+-]?(\d+(\.\d*)?|\.\d+)$/,
  "xs:integer": /^[+-]?\d+$/,
  "xs:positiveInteger": /^\+?0*[1-9]\d*$/,
  "xs:nonNegativeInteger": /^(\+?\d+|-0+)$/,
  "xs:negativeInteger": /^-0*[1-9]\d*$/,
  "xs:nonPositiveInteger": /^(-\d+|[+-]?0+)$/,
  "xs:boolean": /^(true|false|0|1)$/,
  "xs:date": /^-?\d{4,}-\d{2}-\d{2}(Z|[+-]\d{2}:\d{2})?$/,
  "xs:dateTime": /^-?\d{4,}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/,
  "xs:time": /^\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/,
  "xs:duration": /^-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/,
  "xs:hexBinary": /^([0-9a-fA-F]{2})*$/,
};

/** What is wrong with the text of a value of a type; empty if nothing is. An empty text is no value. */
export function wrongValue(text: string, type: string | undefined, words: Words): string {
  if (text === "" || !type || type === "xs:string") return "";
  const bare = type.replace("xs:", "");
  const span = SPAN[type];
  if (span) {
    if (!/^[+-]?\d+$/.test(text)) return words.value(bare, words.examples.integer);
    const number = BigInt(text.replace("+", ""));
    return number < span[0] || number > span[1] ? words.outside(String(span[0]), String(span[1])) : "";
  }
  const form = FORMS[type];
  if (!form || form.test(text)) return "";
  const examples: Record<string, string> = words.examples;
  return words.value(bare, examples[bare] ?? (/nteger/.test(bare) ? words.examples.integer : ""));
}

/** What is wrong with an idShort (AASd-002). */
export function wrongName(name: string, words: Words): string {
  if (!name) return words.nameMissing;
  if (name.length > 128) return words.nameLong;
  return NAME.test(name) ? "" : words.name;
}

/** What is wrong with a language tag (BCP 47, as far as it can be seen). */
export function wrongLanguage(tag: string, words: Words): string {
  return LANGUAGE.test(tag) ? "" : words.language;
}

/** A text as the JSON of `$value` has it: numbers and booleans are no texts there. */
export function jsonOf(text: string, type: string | undefined): unknown {
  if (type === "xs:boolean") return text === "true" || text === "1";
  const numeric = type && (SPAN[type] || /double|float|decimal|nteger/.test(type));
  return numeric && Number.isSafeInteger(Math.trunc(Number(text))) && text !== "" ? Number(text) : text;
}
