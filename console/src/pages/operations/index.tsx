/** The pages of operations: alarms, event frames. */
import { BellOutlined, BlockOutlined } from "@ant-design/icons";
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
    path: "frames",
    title: (t) => t.nav.frames,
    component: lazy(() => import("./Frames")),
    order: 18,
    icon: <BlockOutlined />,
    action: "look",
  },
];
