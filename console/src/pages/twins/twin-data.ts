/** Loading shells and submodels: page after page, and again only what has changed. */
import { useCallback, useEffect, useRef, useState } from "react";
import { Problem, type Tagged } from "../../http";
import { useLoad } from "../../hooks";
import { aas, type Concept, type Filter, type Page } from "./aas-api";
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
  const key = `${filter.assetKind}\n${filter.words.join("\n")}`;
  const [state, setState] = useState<{ key: string; rows?: Shell[]; cursor: string; error?: unknown }>({ key: "", cursor: "" });
  const [round, setRound] = useState(0);
  const [loading, setLoading] = useState(true);
  const busy = useRef<AbortController>(undefined);
  const load = useCallback(async (rows: Shell[], cursor: string) => {
    const abort = new AbortController();
    busy.current?.abort();
    busy.current = abort;
    setLoading(true);
    try {
      const page: Page<Shell> = await aas.shells(filter, cursor, abort.signal);
      if (abort.signal.aborted) return;
      setState({ key, rows: [...rows, ...page.result], cursor: page.paging_metadata.cursor ?? "" });
    } catch (error) {
      if (abort.signal.aborted) return;
      setState((s) => ({ key, cursor: "", rows: s.key === key ? s.rows : undefined, error }));
    }
    busy.current = undefined;
    setLoading(false);
  }, [key]);
  useEffect(() => {
    void load([], "");
    return () => {
      busy.current?.abort();
      busy.current = undefined;
    };
  }, [load, round]);
  const mine = state.key === key;
  return {
    rows: mine ? state.rows : undefined,
    more: mine && state.cursor !== "",
    loading: loading || !mine,
    error: mine ? state.error : undefined,
    next: () => { if (mine && state.cursor && !busy.current) void load(state.rows ?? [], state.cursor); },
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

const CONCEPTS_MAX = 40;

/** What is known of the meanings of a submodel's elements: names, definitions, units. */
export function useConcepts(submodel: Submodel | undefined): ReadonlyMap<string, Concept> {
  const ids = new Set<string>();
  if (submodel) for (const [, element] of walk(submodel)) if (meaning(element)) ids.add(meaning(element));
  const wanted = [...ids].slice(0, CONCEPTS_MAX * 10).sort();
  const { data } = useLoad(wanted.length ? `concepts ${wanted.join("\n")}` : undefined, async (signal) => {
    const found = new Map<string, Concept>();
    for (let i = 0; i < wanted.length; i += CONCEPTS_MAX) {
      const page = await aas.concepts(wanted.slice(i, i + CONCEPTS_MAX), signal);
      for (const concept of page.result) found.set(concept.id, concept);
    }
    return found;
  });
  return data ?? NOTHING;
}

const NOTHING: ReadonlyMap<string, Concept> = new Map();

/** The content of a concept description that people read. */
export function contentOf(concept: Concept | undefined) {
  return concept?.embeddedDataSpecifications?.[0]?.dataSpecificationContent;
}
