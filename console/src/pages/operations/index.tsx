/** The pages of operations: alarms, control charts. */
import { BellOutlined, LineChartOutlined } from "@ant-design/icons";
import { lazy } from "react";
import type { Page } from "../../page";

export const pages: Page[] = [
  {
    path: "alarms",
    title: (t) => t.nav.alarms,
    component: lazy(() => import("./Alarms")),
    order: 15,
    icon: <BellOutlined />,
    action: "look",
  },
  {
    path: "spc",
    title: (t) => t.spc.title,
    component: lazy(() => import("./spc/Charts")),
    order: 18,
    icon: <LineChartOutlined />,
    action: "look",
  },
];
