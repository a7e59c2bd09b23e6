/** The pages of the twins: shells, their submodels, and what one does with them. */
import { ApartmentOutlined } from "@ant-design/icons";
import { lazy } from "react";
import type { Page } from "../../page";

export const pages: Page[] = [
  {
    path: "twins",
    title: (t) => t.twins.title,
    component: lazy(() => import("./Twins")),
    order: 30,
    icon: <ApartmentOutlined />,
    action: "look",
  },
];
