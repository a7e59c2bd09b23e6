/** Loading shells and submodels: page after page, and again only what has changed. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Problem, type Tagged } from "../../http";
import { useLoad } from "../../hooks";
import { aas, type Concept } from "./aas-api";
import { ShellSearch, type Filter } from "./shell-search";
import { meaning, walk, type Shell, type Submodel } from "./aas";

export interface Shells {
  rows: Shell[] | undefined;
  more: boolean;
  loading: boolean;
  error: unknown;
  next: () => void;
  reload: () => void;
}

/** The shells that a filter lets through, fetched a page at a time as one scrolls. */
export function useShells(filter: Filter): Shells {
  const key = JSON.stringify(filter);
  const [state, setState] = useState<{ key: string; rows?: Shell[]; more: boolean; error?: unknown }>({ key: "", more: false });
  const [round, setRound] = useState(0);
  const [loading, setLoading] = useState(true);
  const running = useRef<{ search: ShellSearch; abort: AbortController; busy: boolean }>(undefined);
  const advance = useCallback(async (fresh: boolean) => {
    const run = running.current;
    if (!run || run.busy) return;
    run.busy = true;
    setLoading(true);
    const { signal } = run.abort;
    try {
      const rows = await run.search.next(signal);
      if (signal.aborted) return;
      setState((s) => ({ key, rows: fresh ? rows : [...(s.rows ?? []), ...rows], more: run.search.more }));
    } catch (error) {
      if (signal.aborted) return;
      setState((s) => ({ key, more: false, rows: s.key === key ? s.rows : undefined, error }));
    }
    run.busy = false;
    setLoading(false);
  }, [key]);
  useEffect(() => {
    const abort = new AbortController();
    running.current = { search: new ShellSearch(JSON.parse(key) as Filter), abort, busy: false };
    void advance(true);
    return () => abort.abort();
  }, [advance, key, round]);
  const mine = state.key === key;
  return {
    rows: mine ? state.rows : undefined,
    more: mine && state.more,
    loading: loading || !mine,
    error: mine ? state.error : undefined,
    next: () => { if (mine && state.more) void advance(false); },
    reload: () => setRound((r) => r + 1),
  };
}

export interface Kept<T> {
  data: T | undefined;
  etag: string;
  error: unknown;
  reload: () => void;
}

/** A document with its version, asked for again every `everyMs`; only a changed one is sent. */
function useTagged<T>(key: string | undefined, load: (known: string, signal: AbortSignal) => Promise<Tagged<T> | undefined>, everyMs: number): Kept<T> {
  const known = useRef<{ key: string; tagged: Tagged<T> }>(undefined);
  const loaded = useLoad(key, async (signal) => {
    const kept = known.current;
    const before = kept?.key === key ? kept?.tagged : undefined;
    const fresh = await load(before?.etag ?? "", signal);
    const tagged = fresh ?? before;
    if (tagged && key !== undefined) known.current = { key, tagged };
    return tagged;
  }, everyMs);
  return { data: loaded.data?.data, etag: loaded.data?.etag ?? "", error: loaded.error, reload: loaded.reload };
}

const POLL_MS = 4000;

export function useShell(id: string): Kept<Shell> {
  return useTagged(id ? `shell ${id}` : undefined, (known, signal) => aas.shell(id, known, signal), POLL_MS * 2);
}

export function useSubmodel(id: string | undefined): Kept<Submodel> {
  return useTagged(id ? `submodel ${id}` : undefined, (known, signal) => aas.submodel(id ?? "", known, signal), POLL_MS);
}

/** A submodel of a shell; one that cannot be had has no `head`. */
export interface Listed {
  id: string;
  head: Submodel | undefined;
}

const LISTED_MAX = 200;

/** The submodels that a shell names, without their elements. */
export function useListed(shell: Shell | undefined) {
  const ids = (shell?.submodels ?? []).flatMap((r) => r.keys.at(-1)?.value ?? []).slice(0, LISTED_MAX);
  return useLoad(shell && `listed ${ids.join("\n")}`, (signal) => Promise.all(ids.map((id) => head(id, signal))));
}

async function head(id: string, signal: AbortSignal): Promise<Listed> {
  try {
    return { id, head: await aas.head(id, signal) };
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return { id, head: undefined };
    throw error;
  }
}

const PART_MAX = 30;
const ASKED_MAX = 400;

/** What is known of the meanings of a submodel's elements: names, definitions, units. */
export function useConcepts(submodel: Submodel | undefined): ReadonlyMap<string, Concept> {
  const wanted = useMemo(() => {
    const ids = new Set<string>();
    if (submodel) for (const [, element] of walk(submodel)) if (meaning(element)) ids.add(meaning(element));
    return [...ids].slice(0, ASKED_MAX).sort();
  }, [submodel]);
  const { data } = useLoad(wanted.length ? `concepts ${wanted.join("\n")}` : undefined, async (signal) => {
    const found = new Map<string, Concept>();
    for (const part of parts(wanted)) for (const concept of (await aas.concepts(part, signal)).result) found.set(concept.id, concept);
    return found;
  });
  return data ?? NO_CONCEPTS;
}

const NO_CONCEPTS: ReadonlyMap<string, Concept> = new Map();

/** The shells of assets, by the assets' global identifiers. */
export function useShellsOf(assets: readonly string[]): ReadonlyMap<string, Shell[]> {
  const wanted = [...new Set(assets)].slice(0, ASKED_MAX).sort();
  const { data } = useLoad(wanted.length ? `assets ${wanted.join("\n")}` : undefined, async (signal) => {
    const found = new Map<string, Shell[]>();
    for (const part of parts(wanted)) {
      for (const shell of (await aas.shellsOf(part, signal)).result) {
        const asset = shell.assetInformation.globalAssetId ?? "";
        found.set(asset, [...(found.get(asset) ?? []), shell]);
      }
    }
    return found;
  });
  return data ?? NO_SHELLS;
}

const NO_SHELLS: ReadonlyMap<string, Shell[]> = new Map();

/** A question names so many at most. */
function* parts(all: readonly string[]): Generator<string[]> {
  for (let i = 0; i < all.length; i += PART_MAX) yield all.slice(i, i + PART_MAX);
}

/** The content of a concept description that people read. */
export function contentOf(concept: Concept | undefined) {
  return concept?.embeddedDataSpecifications?.[0]?.dataSpecificationContent;
}
