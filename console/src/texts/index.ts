/** The language in use, and the dictionaries; a text missing in one is a type error. */
import { createContext, useContext } from "react";
import { de } from "./de";
import { en, type Texts } from "./en";
import { zh } from "./zh";

export type Language = "en" | "zh" | "de";
export type { Texts };

export const LANGUAGES: Record<Language, { name: string; locale: string; texts: Texts }> = {
  en: { name: "English", locale: "en-GB", texts: en },
  zh: { name: "中文", locale: "zh-CN", texts: zh },
  de: { name: "Deutsch", locale: "de-DE", texts: de },
};

export function isLanguage(text: string | null): text is Language {
  return text === "en" || text === "zh" || text === "de";
}

export const LanguageContext = createContext<Language>("en");

export function useLanguage(): Language {
  return useContext(LanguageContext);
}

/** The texts in the language in use. */
export function useTexts(): Texts {
  return LANGUAGES[useLanguage()].texts;
}
