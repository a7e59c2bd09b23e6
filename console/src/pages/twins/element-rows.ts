/** The elements of a submodel as the rows of a tree of which parts are closed. */
import { useMemo, useState } from "react";
import type { Language } from "../../texts";
import { childPath, childrenOf, parentPath, plain, said, type Element, type Submodel } from "./aas";

export interface ElementRow {
  path: string;
  element: Element;
  name: string;
  depth: number;
  children: number;
  open: boolean;
}

/** More children than this stay closed until one opens them. */
const OPEN_MAX = 60;

export interface Rows {
  rows: ElementRow[];
  toggle: (path: string) => void;
  openAll: () => void;
  closeAll: () => void;
}

/** What is open is what `folded` turns round: small ones are open by themselves. */
export function useRows(submodel: Submodel, filter: string, language: Language, at: string): Rows {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [every, setEvery] = useState<boolean | undefined>();
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = useMemo(() => {
    const found: ElementRow[] = [];
    const visit = (parent: Element | Submodel, above: string, depth: number): boolean => {
      let any = false;
      for (const [index, element] of childrenOf(parent).entries()) {
        const path = childPath(parent, above, element, index);
        const kids = childrenOf(element).length;
        const open = kids > 0 && (words.length > 0 || at.startsWith(`${path}.`) || at.startsWith(`${path}[`)
          || (every ?? (kids <= OPEN_MAX && depth < 2)) !== folded.has(path));
        const name = said(element.displayName, language) || element.idShort || `[${index}]`;
        const place = found.length;
        found.push({ path, element, name, depth, children: kids, open });
        const below = open && visit(element, path, depth + 1);
        const text = `${path} ${name} ${plain(element, language)}`.toLowerCase();
        if (below || words.every((word) => text.includes(word))) any = true;
        else found.splice(place);
      }
      return any;
    };
    visit(submodel, "", 0);
    return found;
  }, [submodel, folded, every, filter, language, at]);
  const set = (value: boolean) => {
    setEvery(value);
    setFolded(new Set());
  };
  return {
    rows,
    toggle: (path) => setFolded((before) => {
      const next = new Set(before);
      if (!next.delete(path)) next.add(path);
      return next;
    }),
    openAll: () => set(true),
    closeAll: () => set(false),
  };
}

/** Where the arrow keys lead from a row. */
export function moved(rows: readonly ElementRow[], at: number, key: string): number | undefined {
  const row = rows[at];
  switch (key) {
    case "ArrowDown": return Math.min(at + 1, rows.length - 1);
    case "ArrowUp": return Math.max(at - 1, 0);
    case "Home": return 0;
    case "End": return rows.length - 1;
    case "PageDown": return Math.min(at + 15, rows.length - 1);
    case "PageUp": return Math.max(at - 15, 0);
    case "ArrowRight": return row?.open ? Math.min(at + 1, rows.length - 1) : undefined;
    case "ArrowLeft": return row && !row.open ? Math.max(0, rows.findIndex((r) => r.path === parentPath(row.path))) : undefined;
    default: return undefined;
  }
}
