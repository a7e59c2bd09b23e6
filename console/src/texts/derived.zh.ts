/** What the page of derived points says, in Chinese. */
import type { derived as en } from "./derived.en";

export const derived: typeof en = {
  derived: {
    title: "派生点",
    define: "定义派生点",
    noneTitle: "尚未定义派生点。",
    noneRemedy: "在此定义，或在 plant.toml 中添加 [[derived]] 表。",
    point: "数据点",
    pointHint: "命名空间中的路径；同级数据点可直接用其名称。",
    expression: "表达式",
    expressionHint: "例如 avg(power, '5m')、rate(parts, '1h')、state == 2 && load > 80。",
    unit: "单位（UCUM）",
    description: "说明",
    state: "状态",
    rows: "行数",
    preview: "用最近一天试算",
    recompute: "重新计算",
    recomputing: "正在重新计算。",
    inFile: "在 plant.toml 中",
    edit: "编辑",
    removeHint: "其历史数据保留。",
    removed: "已移除",
    defined: "已定义",
    phases: { waiting: "等待", recomputing: "计算中", live: "实时" },
    spans: { "-1d": "最近一天", "-7d": "最近 7 天", "-30d": "最近 30 天" },
    gives: (kind: string, unit: string) => `结果为 ${kind}${unit && `，单位 ${unit}`}。`,
    missing: (paths: string) => `等待：${paths}。`,
    tried: (rows: string, good: string, uncertain: string, bad: string) =>
      `最近一天 ${rows} 行：良好 ${good}，不确定 ${uncertain}，坏 ${bad}。`,
  },
};
