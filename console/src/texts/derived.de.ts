/** What the page of derived points says, in German. */
import type { derived as en } from "./derived.en";

export const derived: typeof en = {
  derived: {
    title: "Abgeleitete Punkte",
    define: "Abgeleiteten Punkt festlegen",
    noneTitle: "Es sind keine abgeleiteten Punkte festgelegt.",
    noneRemedy: "Legen Sie hier einen fest, oder eine Tabelle [[derived]] in plant.toml.",
    point: "Punkt",
    pointHint: "Sein Pfad im Namensraum; Punkte daneben heißen bei ihrem eigenen Namen.",
    expression: "Ausdruck",
    expressionHint: "Etwa avg(power, '5m'), rate(parts, '1h'), state == 2 && load > 80.",
    unit: "Einheit (UCUM)",
    description: "Beschreibung",
    state: "Zustand",
    rows: "Zeilen",
    preview: "Am letzten Tag erproben",
    recompute: "Neu berechnen",
    recomputing: "Es wird neu berechnet.",
    inFile: "in plant.toml",
    edit: "Ändern",
    removeHint: "Seine Werte bleiben in der Historie.",
    removed: "entfernt",
    defined: "festgelegt",
    phases: { waiting: "wartet", recomputing: "rechnet", live: "läuft" },
    spans: { "-1d": "der letzte Tag", "-7d": "die letzten 7 Tage", "-30d": "die letzten 30 Tage" },
    gives: (kind: string, unit: string) => `Ergibt ${kind}${unit && ` in ${unit}`}.`,
    missing: (paths: string) => `Wartet auf: ${paths}.`,
    tried: (rows: string, good: string, uncertain: string, bad: string) =>
      `${rows} Zeilen am letzten Tag: ${good} gut, ${uncertain} unsicher, ${bad} schlecht.`,
  },
};
