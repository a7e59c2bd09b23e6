/** What a chart's columns mean to its plots. */
import type { Texts } from "../../../texts";
import type { Lines } from "./ChartPlot";
import type { ChartData, ChartView } from "./charts-api";

type SpcTexts = Texts["spc"];

export interface Both {
  value: Lines;
  /** Nothing for kinds without a spread. */
  spread: Lines | undefined;
}

export function linesOf(data: ChartData, view: ChartView, texts: SpcTexts): Both {
  const { kind } = view.chart;
  const timesMs = data.time_ns.map((t) => t / 1e6);
  const at = new Map(data.time_ns.map((t, i) => [t, i]));
  const ofValue = new Map<number, string[]>();
  const ofSpread = new Map<number, string[]>();
  for (const { time_ns, marks, value } of data.violations) {
    const place = at.get(time_ns);
    if (place === undefined) continue;
    const plain = marks.filter((m) => m !== "spread");
    // Of the two sums of a CUSUM chart the one that signalled is marked.
    const below = kind === "cusum" && (value ?? 0) < (data.upper[place] ?? 0);
    if (plain.length) (below ? ofSpread : ofValue).set(place, plain);
    if (marks.includes("spread")) ofSpread.set(place, ["spread"]);
  }
  const shared = { timesMs, phase: data.phase };
  const cusum = kind === "cusum";
  return {
    value: {
      ...shared, name: texts.value[valueName(kind, view.chart.size ?? 1)], unit: cusum || kind === "p" ? "" : view.unit, zones: !cusum && kind !== "ewma",
      value: data.value, lower: data.lower, centre: data.centre, upper: data.upper, marks: ofValue,
    },
    spread: data.spread.some((s) => s !== null) ? {
      ...shared, name: texts.spread[spreadName(kind)], unit: cusum ? "" : view.unit, zones: false,
      value: data.spread, lower: data.spread_lower, centre: data.spread_centre, upper: data.spread_upper, marks: ofSpread,
    } : undefined,
  };
}

function valueName(kind: ChartView["chart"]["kind"], size: number): keyof SpcTexts["value"] {
  const names = { "xbar-r": "mean", "xbar-s": "mean", "i-mr": "single", p: "share", np: "number", c: "number", u: "rate", ewma: "ewma", cusum: "up" } as const;
  return size > 1 && kind === "i-mr" ? "mean" : names[kind];
}

function spreadName(kind: ChartView["chart"]["kind"]): keyof SpcTexts["spread"] {
  return kind === "xbar-s" ? "deviation" : kind === "i-mr" ? "moving" : kind === "cusum" ? "down" : "range";
}
