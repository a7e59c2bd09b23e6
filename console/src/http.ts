/** How the console asks the server: JSON both ways, and a problem that says what to do. */

const API = "/api/v1";

/** An error as the server tells it: one sentence, and what to do about it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly remedy = "",
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
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    if (typeof value === "object") for (const one of value) search.append(name, one);
    else search.append(name, String(value));
  }
  const text = search.toString();
  return API + path + (text ? `?${text}` : "");
}

interface Options {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** A 401 is an answer here (the login form), not the end of the session. */
  anonymous?: boolean;
}

/** Asks, and gives the decoded answer; raises `Problem`. */
export async function ask<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await answer(method, path, "application/json", options);
  const text = response.status === 204 ? "" : await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Asks for a file; raises `Problem`. */
export async function askFile(method: string, path: string, options: Options = {}): Promise<Blob> {
  return (await answer(method, path, "*/*", options)).blob();
}

async function answer(method: string, path: string, accept: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept, ...options.headers };
  if (method !== "GET") headers["X-Requested-With"] = "lineshaft";
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(address(path, options.query), {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
      credentials: "same-origin",
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, "", "");
  }
  if (response.ok) return response;
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

async function problemOf(response: Response): Promise<Problem> {
  try {
    const told = (await response.json()) as { detail?: string; title?: string; remedy?: string };
    const detail = told.detail || told.title || response.statusText;
    return new Problem(response.status, detail, told.remedy ?? "");
  } catch {
    return new Problem(response.status, `${response.status} ${response.statusText}`.trim());
  }
}
