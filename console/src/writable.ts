/** Whether a point may be written by whoever is logged in: asked once a point, and kept a while. */
import { useEffect, useState } from "react";
import { api, type Point } from "./api";
import { useSession } from "./session";

const KEPT_MS = 60_000;

const answers = new Map<string, { at: number; writable: Promise<boolean> }>();

function ask(who: string, path: string): Promise<boolean> {
  const key = `${who} ${path}`;
  const known = answers.get(key);
  if (known && Date.now() - known.at < KEPT_MS) return known.writable;
  // Not knowing hides the button; the server decides about every write anyway.
  const writable = api.writable(path).catch(() => false);
  answers.set(key, { at: Date.now(), writable });
  return writable;
}

export function useWritable(point: Point): boolean {
  const { me, can } = useSession();
  const [writable, setWritable] = useState(false);
  const may = can("write");
  useEffect(() => {
    if (!may) return;
    let gone = false;
    void ask(me.name, point.path).then((answer) => { if (!gone) setWritable(answer); });
    return () => { gone = true; };
  }, [may, me.name, point.path]);
  return may && (writable || !!point.writable);
}
