/**
 * How it looks: grey is normal, colour is for what is not (ISA-101's restraint).
 *
 * The figures meet WCAG AA: text at least 4.5 : 1 on its ground in both themes.
 */
import { theme as antd, type ThemeConfig } from "antd";

export type ThemeChoice = "light" | "dark" | "system";
export type Mode = "light" | "dark";

export interface Palette {
  ground: string;
  panel: string;
  raised: string;
  line: string;
  text: string;
  quiet: string;
  accent: string;
  bad: string;
  uncertain: string;
  good: string;
  series: readonly string[];
}

export const PALETTES: Record<Mode, Palette> = {
  light: {
    ground: "#eff1f3",
    panel: "#ffffff",
    raised: "#f6f7f8",
    line: "#d5d9dd",
    text: "#1d2329",
    quiet: "#57616b",
    accent: "#2b5c8a",
    bad: "#b3261e",
    uncertain: "#8a5300",
    good: "#3d6b4f",
    series: ["#1f6fb2", "#b65410", "#2c7a4b", "#8b3f97", "#7a6200", "#00767c", "#ad2f50", "#5156a8"],
  },
  dark: {
    ground: "#121519",
    panel: "#1a1e23",
    raised: "#22272d",
    line: "#363d45",
    text: "#e4e7ea",
    quiet: "#a2abb4",
    accent: "#7db4e6",
    bad: "#ff8a80",
    uncertain: "#f2b94b",
    good: "#86c29a",
    series: ["#6db3f2", "#f2a35c", "#7fce96", "#d79be0", "#dcc657", "#58c9cf", "#f38ca6", "#a9aef5"],
  },
};

const FONT =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, ' +
  '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

/** Grounds of messages: antd would mix them from the dark text colours, and muddily. */
const GROUNDS = {
  light: {
    colorWarningBg: "#fdf4e3", colorWarningBorder: "#dfb66f",
    colorErrorBg: "#fdedeb", colorErrorBorder: "#e2a39d",
    colorSuccessBg: "#eef5f0", colorSuccessBorder: "#a9c7b3",
    colorInfoBg: "#eaf1f8", colorInfoBorder: "#a9c3dc",
  },
  dark: {
    colorWarningBg: "#2f2614", colorWarningBorder: "#735a24",
    colorErrorBg: "#351d1c", colorErrorBorder: "#7c3c38",
    colorSuccessBg: "#1c2a21", colorSuccessBorder: "#3f6a4d",
    colorInfoBg: "#1b2936", colorInfoBorder: "#3a5874",
  },
};

/** Whether the person's system asks for stillness; read once, when the console is opened. */
const STILL = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** antd's settings for a mode. */
export function antdTheme(mode: Mode): ThemeConfig {
  const p = PALETTES[mode];
  return {
    algorithm: mode === "dark" ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: {
      colorPrimary: p.accent,
      colorLink: p.accent,
      colorInfo: p.accent,
      colorSuccess: p.good,
      colorError: p.bad,
      colorWarning: p.uncertain,
      ...GROUNDS[mode],
      colorText: p.text,
      colorTextSecondary: p.quiet,
      colorTextTertiary: p.quiet,
      colorTextDescription: p.quiet,
      colorTextPlaceholder: p.quiet,
      colorBgLayout: p.ground,
      colorBgContainer: p.panel,
      colorBgElevated: mode === "dark" ? p.raised : p.panel,
      colorBorder: p.line,
      colorBorderSecondary: p.line,
      colorTextLightSolid: mode === "dark" ? "#0d1013" : "#ffffff",
      borderRadius: 4,
      fontFamily: FONT,
      fontSize: 14,
      motion: !STILL,
      motionDurationMid: "0.1s",
      motionDurationSlow: "0.15s",
    },
    components: {
      Table: { cellPaddingBlockSM: 6, headerBg: p.raised, headerColor: p.quiet },
      Segmented: { itemSelectedColor: p.text },
      Tooltip: { colorTextLightSolid: "#ffffff", colorBgSpotlight: "#30373e" },
    },
  };
}
