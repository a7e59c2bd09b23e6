/** The pages of the historian: what is now, and what was. */
import { AppstoreOutlined, LineChartOutlined } from "@ant-design/icons";
import { lazy } from "react";
import type { Page } from "../../page";
import { Overview } from "./Overview";

export const pages: Page[] = [
  { path: "live", title: (t) => t.nav.live, component: Overview, order: 10, icon: <AppstoreOutlined />, action: "look" },
  {
    path: "trend",
    title: (t) => t.nav.trend,
    component: lazy(() => import("./Trend")),
    order: 20,
    icon: <LineChartOutlined />,
    action: "look",
  },
];
