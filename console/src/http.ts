/** How the console asks the server: JSON both ways, and a problem that says what to do. */

const API = "/api/v1";

/** An error as the server tells it: one sentence, and what to do about it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly remedy = "",
    /** Every sentence of the answer, where it has more than one. */
    readonly messages: readonly string[] = [],
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** Tells whoever listens (the session) that the server no longer knows us. */
let signedOut: () => void = () => undefined;

export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

type Simple = string | number | boolean | undefined | null;
export type Query = Record<string, Simple | readonly string[]>;

/** The address of an API path with its query; lists repeat, empty parameters are left out. */
export function address(path: string, query: Query = {}, base = API): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    if (typeof value === "object") for (const one of value) search.append(name, one);
    else search.append(name, String(value));
  }
  const text = search.toString();
  return base + path + (text ? `?${text}` : "");
}

interface Options {
  query?: Query;
  body?: unknown;
  /** A body that is sent as it is, instead of JSON. */
  data?: FormData | Blob;
  /** Another interface than our own. */
  base?: string;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** A 401 is an answer here (the login form), not the end of the session. */
  anonymous?: boolean;
}

/** Asks, and gives the decoded answer; raises `Problem`. */
export async function ask<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await answer(method, path, "application/json", options);
  const text = response.status === 204 ? "" : await whole(response.text(), options);
  return (text ? JSON.parse(text) : undefined) as T;
}

/** What was answered, and the mark of its version; nothing when the client has that version. */
export interface Tagged<T> {
  data: T;
  etag: string;
}

/** Asks for something with a version; `known` is the mark of the one at hand. */
export async function askTagged<T>(path: string, known: string, options: Options = {}): Promise<Tagged<T> | undefined> {
  const headers = known ? { "If-None-Match": known } : undefined;
  const response = await answer("GET", path, "application/json", { ...options, headers });
  if (response.status === 304) return undefined;
  return { data: (await whole(response.json(), options)) as T, etag: response.headers.get("ETag") ?? "" };
}

/** Asks for a file; raises `Problem`. */
export async function askFile(method: string, path: string, options: Options = {}): Promise<Blob> {
  return whole((await answer(method, path, "*/*", options)).blob(), options);
}

/** The body to its end; a server that breaks off in the middle is not to be reached. */
async function whole<T>(body: Promise<T>, options: Options): Promise<T> {
  try {
    return await body;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, "", "");
  }
}

async function answer(method: string, path: string, accept: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept, ...options.headers };
  if (method !== "GET") headers["X-Requested-With"] = "lineshaft";
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(address(path, options.query, options.base), {
      method,
      headers,
      body: options.data ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
      signal: options.signal,
      credentials: "same-origin",
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, "", "");
  }
  if (response.ok || response.status === 304) return response;
  const problem = await problemOf(response);
  if (response.status === 401 && !options.anonymous) signedOut();
  throw problem;
}

/** Hands a file over to the browser's downloads. */
export function saveAs(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser reads it after the click; a minute is ample.
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** An error in our own words, or in those of the shells' interface. */
interface Told {
  detail?: string;
  title?: string;
  remedy?: string;
  messages?: { text: string }[];
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const told = (await response.json()) as Told;
    const messages = (told.messages ?? []).map((m) => m.text);
    const detail = told.detail || messages[0] || told.title || response.statusText;
    return new Problem(response.status, detail, told.remedy ?? "", messages);
  } catch {
    return new Problem(response.status, `${response.status} ${response.statusText}`.trim());
  }
}
