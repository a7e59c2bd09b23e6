/**
 * The search for shells: several questions at once, whose answers are merged page by page.
 *
 * A question about one field is answered from its index; one about all of them would walk through
 * every shell. Each answer comes in the order of identifiers, so merging needs no more than a page
 * of each.
 */
import { BRANCH, type Shell } from "./aas";
import { aas, type Page } from "./aas-api";

export interface Filter {
  /** Words of which each must stand in one of the names or identifiers. */
  words: readonly string[];
  assetKind: string;
  /** Whether the plant made them, or people brought them in; empty for both. */
  origin: string;
}

export const ORIGINS = ["plant", "people"] as const;

const ID_SHORT = "$aas#idShort";
const FIELDS = ["$aas#id", "$aas#assetInformation.globalAssetId", "$aas#assetInformation.specificAssetIds[].value"];
/** The server takes 100 parts in a condition, and a comparison is three. */
const COMPARISONS_MAX = 24;
const WORDS_MAX = 6;

type Condition = Record<string, unknown>;

const test = (word: string, field: string, text: string): Condition => ({ [word]: [{ $field: field }, { $strVal: text }] });
const all = (parts: Condition[]): Condition | undefined => (parts.length > 1 ? { $and: parts } : parts[0]);
const any = (parts: Condition[]): Condition => (parts.length > 1 ? { $or: parts } : (parts[0] as Condition));

/** The language tells letters of different case apart; people do not, unless they write a capital. */
function variants(word: string): string[] {
  if (word !== word.toLowerCase()) return [word];
  return [...new Set([word, word.charAt(0).toUpperCase() + word.slice(1), word.toUpperCase()])];
}

/** The questions of which one must be answered with yes; nothing asked, everything fits. */
export function questions(filter: Filter): (Condition | undefined)[] {
  const others: Condition[] = [];
  if (filter.assetKind) others.push(test("$eq", "$aas#assetInformation.assetKind", filter.assetKind));
  if (filter.origin) {
    const made = test("$eq", "$aas#assetInformation.specificAssetIds[].name", BRANCH);
    others.push(filter.origin === "plant" ? made : { $not: made });
  }
  // The longest word is likely to leave the fewest shells.
  const [first, ...rest] = [...filter.words].sort((a, b) => b.length - a.length).slice(0, WORDS_MAX);
  if (first === undefined) return [all(others)];
  for (const word of rest) {
    const tests = variants(word).flatMap((text) => [ID_SHORT, ...FIELDS].map((field) => test("$contains", field, text)));
    others.push(any(tests.slice(0, Math.floor(COMPARISONS_MAX / rest.length))));
  }
  const streams = FIELDS.map((field) => any(variants(first).map((text) => test("$contains", field, text))));
  streams.push(...variants(first).map((text) => test("$contains", ID_SHORT, text)));
  return streams.map((one) => all([one, ...others]));
}

class Stream {
  rows: Shell[] = [];
  done = false;
  private cursor = "";

  constructor(private readonly condition: Condition | undefined) {}

  async fill(signal: AbortSignal): Promise<void> {
    // A page may be empty and yet not the last: the server looks at so many shells at once.
    while (!this.rows.length && !this.done) {
      const page: Page<Shell> = await aas.shells(this.condition, this.cursor, signal);
      this.rows = page.result;
      this.cursor = page.paging_metadata.cursor ?? "";
      this.done = !this.cursor;
    }
  }
}

/** One search, from its beginning on. */
export class ShellSearch {
  private readonly streams: Stream[];
  private last = "";
  more = true;

  constructor(filter: Filter) {
    this.streams = questions(filter).map((condition) => new Stream(condition));
  }

  /** The next shells, at least one as long as there are `more`. */
  async next(signal: AbortSignal): Promise<Shell[]> {
    for (;;) {
      await Promise.all(this.streams.map((stream) => stream.fill(signal)));
      // Beyond the end of a page that is not the last, its question may still have smaller ones.
      const ends = this.streams.filter((s) => !s.done).map((s) => s.rows.at(-1)?.id ?? "");
      const bound = ends.length ? ends.reduce((a, b) => (a < b ? a : b)) : undefined;
      const found = new Map<string, Shell>();
      for (const stream of this.streams) {
        const within = stream.rows.filter((row) => bound === undefined || row.id <= bound);
        stream.rows = stream.rows.slice(within.length);
        for (const row of within) if (row.id > this.last) found.set(row.id, row);
      }
      this.more = this.streams.some((stream) => !stream.done || stream.rows.length > 0);
      if (found.size || !this.more) {
        const rows = [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
        this.last = rows.at(-1)?.id ?? this.last;
        return rows;
      }
    }
  }
}
