/** Saved views hold trends, or queries in SQL; which, their data says. */

export interface QueryView {
  kind: "sql";
  text: string;
}

/** The text of a saved query; undefined when the view is a trend. */
export function queryOf(data: unknown): string | undefined {
  if (typeof data !== "object" || data === null || !("kind" in data) || data.kind !== "sql") return undefined;
  return "text" in data && typeof data.text === "string" ? data.text : "";
}
