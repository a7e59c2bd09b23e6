/** What a person prefers, kept in this browser: language and appearance. */
import { useState, useSyncExternalStore } from "react";
import { isLanguage, type Language } from "./texts";
import type { Mode, ThemeChoice } from "./theme";

interface Preferences {
  language: Language;
  theme: ThemeChoice;
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
let preferences = read();

function stored(name: string): string | null {
  try {
    return localStorage.getItem(`lineshaft.${name}`);
  } catch {
    return null;
  }
}

function read(): Preferences {
  const language = stored("language");
  const theme = stored("theme");
  return {
    language: isLanguage(language) ? language : browserLanguage(),
    theme: theme === "light" || theme === "dark" ? theme : "system",
  };
}

function browserLanguage(): Language {
  for (const tag of navigator.languages) {
    const short = tag.slice(0, 2);
    if (isLanguage(short)) return short;
  }
  return "en";
}

/** Changes a preference and keeps it. */
export function prefer(change: Partial<Preferences>): void {
  preferences = { ...preferences, ...change };
  try {
    localStorage.setItem("lineshaft.language", preferences.language);
    localStorage.setItem("lineshaft.theme", preferences.theme);
  } catch {
    // A browser that keeps nothing still changes for as long as the page stands.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  dark.addEventListener("change", listener);
  return () => {
    listeners.delete(listener);
    dark.removeEventListener("change", listener);
  };
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => preferences);
}

/** Light or dark, as it is to be shown now. */
export function useMode(): Mode {
  return useSyncExternalStore(subscribe, () => {
    if (preferences.theme !== "system") return preferences.theme;
    return dark.matches ? "dark" : "light";
  });
}

const FIGURES = "lineshaft.figures";

/** Whether a trend shows the figures of its span: on, unless the person has put them away. */
export function useFigures(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(() => stored("figures") !== "off");
  const set = (next: boolean) => {
    setOn(next);
    try {
      localStorage.setItem(FIGURES, next ? "on" : "off");
    } catch {
      // As above: it holds for as long as the page stands.
    }
  };
  return [on, set];
}
