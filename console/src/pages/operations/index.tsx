/** The pages of operations: alarms, stops. */
import { BellOutlined, PauseCircleOutlined } from "@ant-design/icons";
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
    path: "stops",
    title: (t) => t.nav.stops,
    component: lazy(() => import("./Stops")),
    order: 16,
    icon: <PauseCircleOutlined />,
    action: "look",
  },
];
