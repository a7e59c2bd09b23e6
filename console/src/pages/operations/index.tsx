/** The pages of operations: the board, work units, stops, shift reports, frames, control charts, alarms. */
import {
  BellOutlined,
  BlockOutlined,
  ControlOutlined,
  FileTextOutlined,
  FunctionOutlined,
  LineChartOutlined,
  PauseCircleOutlined,
} from "@ant-design/icons";
import { lazy } from "react";
import type { Page } from "../../page";

export const pages: Page[] = [
  {
    path: "board",
    title: (t) => t.board.title,
    component: lazy(() => import("./Board")),
    order: 12,
    group: "production",
    icon: <ControlOutlined />,
    action: "look",
  },
  { path: "unit", title: (t) => t.board.title, component: lazy(() => import("./UnitPage")), action: "look" },
  {
    path: "report",
    title: (t) => t.report.title,
    component: lazy(() => import("./ShiftReport")),
    order: 14,
    group: "production",
    icon: <FileTextOutlined />,
    action: "look",
  },
  {
    path: "frames",
    title: (t) => t.nav.frames,
    component: lazy(() => import("./Frames")),
    order: 14,
    group: "production",
    icon: <BlockOutlined />,
    action: "look",
  },
  {
    path: "spc",
    title: (t) => t.spc.title,
    component: lazy(() => import("./spc/Charts")),
    order: 16,
    group: "production",
    icon: <LineChartOutlined />,
    action: "look",
  },
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
    order: 13,
    group: "production",
    icon: <PauseCircleOutlined />,
    action: "look",
  },
  {
    path: "derived",
    title: (t) => t.derived.title,
    component: lazy(() => import("./Derived")),
    order: 17,
    group: "production",
    icon: <FunctionOutlined />,
    action: "look",
  },
];
