/** The pages of the historian: what is now, and what was. */
import { AppstoreOutlined, DatabaseOutlined, LineChartOutlined } from "@ant-design/icons";
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
  {
    path: "data",
    title: (t) => t.nav.data,
    component: lazy(() => import("./Data")),
    order: 25,
    icon: <DatabaseOutlined />,
    action: "look",
  },
];
