/** The pages of operations: alarms. */
import { BellOutlined } from "@ant-design/icons";
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
];
