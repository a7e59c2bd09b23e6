/** The page of gathering: the devices. */
import { ClusterOutlined } from "@ant-design/icons";
import { lazy } from "react";
import type { Page } from "../../page";

export const pages: Page[] = [
  {
    path: "devices",
    title: (t) => t.nav.devices,
    component: lazy(() => import("./Devices")),
    order: 30,
    icon: <ClusterOutlined />,
    action: "look",
  },
];
