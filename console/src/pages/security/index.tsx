/** The pages of security: one's own account, and for administrators users and the audit trail. */
import { AuditOutlined, TeamOutlined } from "@ant-design/icons";
import { lazy } from "react";
import type { Page } from "../../page";

export const pages: Page[] = [
  { path: "account", title: (t) => t.nav.account, component: lazy(() => import("./Account")) },
  {
    path: "users",
    title: (t) => t.nav.users,
    component: lazy(() => import("./Users")),
    order: 80,
    icon: <TeamOutlined />,
    action: "administer",
  },
  {
    path: "audit",
    title: (t) => t.nav.audit,
    component: lazy(() => import("./Audit")),
    order: 90,
    icon: <AuditOutlined />,
    action: "administer",
  },
];
