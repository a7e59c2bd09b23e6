/** What the SQL tab knows of texts: what was asked before, how SQL is coloured, where it is wrong. */

const KEPT_MAX = 50;
const DRAFT = "lineshaft.sql.draft";
const PAST = "lineshaft.sql.past";

function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name: string, text: string): void {
  try {
    localStorage.setItem(name, text);
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
}

/** What stood in the editor last. */
export const draft = { read: () => read(DRAFT) ?? "", write: (text: string) => write(DRAFT, text) };

/** The queries that were run in this browser, the newest first. */
export function pastQueries(): string[] {
  try {
    const told: unknown = JSON.parse(read(PAST) ?? "[]");
    return Array.isArray(told) ? told.filter((t): t is string => typeof t === "string") : [];
  } catch {
    return [];
  }
}

/** Puts a query on top; the list that is then kept. */
export function remember(text: string): string[] {
  const kept = [text, ...pastQueries().filter((t) => t !== text)].slice(0, KEPT_MAX);
  write(PAST, JSON.stringify(kept));
  return kept;
}

export function forget(): string[] {
  write(PAST, "[]");
  return [];
}

export type Token = { text: string; sort: "" | "keyword" | "string" | "name" | "number" | "comment"; at: number };

const KEYWORDS = new Set(
  (
    "all and any anti as asc asof between by case cast cross current date desc distinct else end except exclude exists " +
    "false filter first following for from full group having ilike in inner intersect interval is join last lateral " +
    "left like limit natural not null nulls offset on or order outer over partition pivot positional preceding qualify " +
    "range replace right rows sample select semi similar some then time timestamp timestamptz to true unbounded union " +
    "unpivot using values when where window with day days hour hours minute minutes second seconds month months year years week weeks"
  ).split(" "),
);

const PARTS = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*'?)|("(?:[^"]|"")*"?)|(\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)|([A-Za-z_]\w*)|(\s+|.)/gy;

/** The text in pieces to be coloured. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const part of text.matchAll(PARTS)) {
    const [whole, comment, string, name, number, word] = part;
    const sort = comment ? "comment" : string ? "string" : name ? "name" : number ? "number"
      : word && KEYWORDS.has(word.toLowerCase()) ? "keyword" : "";
    const last = found.at(-1);
    if (!sort && last && !last.sort && !word) last.text += whole;
    else found.push({ text: whole, sort, at: part.index });
  }
  return found;
}

export interface Place {
  /** Both from 1. */
  line: number;
  column: number;
  /** Index in the text. */
  at: number;
}

/** Where an error says that it is: in words, or by a caret below the line. */
export function placeOf(message: string, text: string): Place | undefined {
  const told = /line (\d+),? (?:column|col\.?|character) (\d+)/i.exec(message);
  if (told) return place(text, Number(told[1]), Number(told[2]));
  const drawn = /LINE (\d+): (.*)\n( *)\^/.exec(message);
  if (!drawn) return near(message, text);
  const [, number = "1", shown = "", indent = ""] = drawn;
  const prefix = `LINE ${number}: `.length;
  const line = text.split("\n")[Number(number) - 1] ?? "";
  // Long lines are shown in part, with dots where something is left out.
  const cut = shown.startsWith("...") ? line.indexOf(shown.replace(/^\.\.\.|\.\.\.$/g, "")) - 3 : 0;
  return place(text, Number(number), indent.length - prefix + cut + 1);
}

function near(message: string, text: string): Place | undefined {
  const word = /at or near "([^"]+)"/.exec(message)?.[1];
  const at = word ? text.toLowerCase().indexOf(word.toLowerCase()) : -1;
  if (at < 0) return undefined;
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, at };
}

function place(text: string, line: number, column: number): Place {
  const before = text.split("\n").slice(0, line - 1);
  const at = before.reduce((sum, l) => sum + l.length + 1, 0) + Math.max(0, column - 1);
  return { line, column: Math.max(1, column), at: Math.min(at, Math.max(0, text.length - 1)) };
}
