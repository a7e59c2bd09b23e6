/** What a page tells the shell about itself; `pages/<slice>/index.ts` exports `pages`. */
import type { ComponentType, ReactNode } from "react";
import type { Action } from "./api";
import type { Texts } from "./texts";

export interface PageProps {
  /** What stands in the address behind the page's own path, without slashes at the ends. */
  rest: string;
}

export interface Page {
  /** First level of the address. */
  path: string;
  title: (texts: Texts) => string;
  component: ComponentType<PageProps>;
  /** Where it stands in the navigation; without it, it is reached from elsewhere. */
  order?: number;
  /** Pages of one group stand in one menu of the navigation. */
  group?: "production";
  icon?: ReactNode;
  /** The right that one needs to see it. */
  action?: Action;
}

const slices = import.meta.glob<{ pages: Page[] }>("./pages/*/index.tsx", { eager: true });

/** Every page of every slice, found by existence. */
export const PAGES: readonly Page[] = Object.values(slices)
  .flatMap((slice) => slice.pages)
  .sort((a, b) => (a.order ?? 99) - (b.order ?? 99));
