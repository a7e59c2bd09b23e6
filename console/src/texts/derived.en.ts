/** What the page of derived points says, in English. */

export const derived = {
  derived: {
    title: "Derived points",
    define: "Define a derived point",
    noneTitle: "No derived points are defined.",
    noneRemedy: "Define one here, or put a table [[derived]] into plant.toml.",
    point: "Point",
    pointHint: "Its path in the namespace; points beside it are known by their own names.",
    expression: "Expression",
    expressionHint: "Such as avg(power, '5m'), rate(parts, '1h'), state == 2 && load > 80.",
    unit: "Unit (UCUM)",
    description: "Description",
    state: "State",
    rows: "Rows",
    preview: "Try on the last day",
    recompute: "Compute again",
    recomputing: "It is being computed again.",
    inFile: "in plant.toml",
    edit: "Edit",
    removeHint: "Its rows stay in the history.",
    removed: "removed",
    defined: "defined",
    phases: { waiting: "waiting", recomputing: "computing", live: "live" },
    spans: { "-1d": "the last day", "-7d": "the last 7 days", "-30d": "the last 30 days" },
    gives: (kind: string, unit: string) => `Gives ${kind}${unit && ` in ${unit}`}.`,
    missing: (paths: string) => `Waits for: ${paths}.`,
    tried: (rows: string, good: string, uncertain: string, bad: string) =>
      `${rows} rows in the last day: ${good} good, ${uncertain} uncertain, ${bad} bad.`,
  },
};
