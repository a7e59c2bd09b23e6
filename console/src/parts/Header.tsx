/** The line at the top: where to go, how the connection and the system are, who is here. */
import {
  ApiOutlined,
  CheckCircleOutlined,
  DisconnectOutlined,
  DownOutlined,
  LogoutOutlined,
  SyncOutlined,
  UserOutlined,
  WarningOutlined,
} from "@ant-design/icons";
import { Button, Dropdown, Popover, Progress, Tooltip } from "antd";
import { api, type System } from "../api";
import { useFormat } from "../format";
import { useLink, useLoad } from "../hooks";
import { PAGES, type Page } from "../page";
import { go } from "../router";
import { useSession } from "../session";
import { useTexts } from "../texts";
import { Link } from "./Link";
import { Mark } from "./Mark";
import { ErrorBox } from "./Notice";
import { LanguageSwitch, ThemeSwitch } from "./Switches";

export function Header(props: { current: string }) {
  const texts = useTexts();
  const session = useSession();
  const system = useLoad("system", api.system, 5000);
  const pages = PAGES.filter((p) => p.order !== undefined && (!p.action || session.can(p.action)));
  return (
    <header className="header">
      <Link to="/" className="header-brand">
        <Mark />
        <span className="header-plant">{system.data?.plant || "Lineshaft"}</span>
      </Link>
      <nav aria-label={texts.nav.main}>
        {pages.filter((page, i) => !page.group || pages.findIndex((p) => p.group === page.group) === i).map((page) =>
          page.group ? (
            <Group key={page.group} pages={pages.filter((p) => p.group === page.group)} current={props.current} />
          ) : (
            <Link
              key={page.path}
              to={`/${page.path}`}
              className="nav-link"
              aria-current={page.path === props.current ? "page" : undefined}
              title={page.title(texts)}
            >
              {page.icon}
              <span>{page.title(texts)}</span>
            </Link>
          ),
        )}
      </nav>
      <div className="header-right">
        <ImportProgress />
        <Connection />
        <Health system={system.data} error={system.error} />
        <LanguageSwitch compact />
        <ThemeSwitch />
        <UserMenu />
      </div>
    </header>
  );
}

/** Several pages under one word. */
function Group({ pages, current }: { pages: Page[]; current: string }) {
  const texts = useTexts();
  const first = pages[0];
  if (!first?.group) return null;
  const items = pages.map((page) => ({ key: page.path, icon: page.icon, label: page.title(texts) }));
  return (
    <Dropdown trigger={["click"]} menu={{ items, selectedKeys: [current], onClick: ({ key }) => go(`/${key}`) }}>
      <button
        type="button"
        className="nav-link nav-group"
        data-current={pages.some((page) => page.path === current) || undefined}
        title={texts.nav[first.group]}
      >
        {first.icon}
        <span>{texts.nav[first.group]}</span>
        <DownOutlined className="small" />
      </button>
    </Dropdown>
  );
}

function Connection() {
  const texts = useTexts();
  const format = useFormat();
  const link = useLink();
  const isLive = link.status === "live";
  const text = {
    live: texts.header.live,
    connecting: texts.header.connecting,
    reconnecting: texts.header.reconnecting(format.clockTime(link.since)),
  }[link.status];
  return (
    <Tooltip title={isLive ? texts.header.liveHint : texts.header.lostHint}>
      <span className={`badge ${isLive ? "" : "badge-uncertain"}`} role="status" data-link={link.status}>
        {isLive ? <span className="dot-live" /> : link.status === "connecting" ? <SyncOutlined spin /> : <DisconnectOutlined />}
        <span className="badge-text">{text}</span>
      </span>
    </Tooltip>
  );
}

function Health(props: { system: System | undefined; error: unknown }) {
  const texts = useTexts();
  const problems = props.system?.problems ?? [];
  const bad = problems.length > 0;
  if (!props.system && !props.error) return null;
  const label = props.error ? texts.common.unreachable : bad ? texts.header.problems(problems.length) : texts.header.healthy;
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      content={props.error && !props.system ? <ErrorBox error={props.error} /> : <SystemCard system={props.system} />}
    >
      <Button
        type="text"
        className={bad || props.error ? "health-bad" : "health"}
        icon={bad || props.error ? <WarningOutlined /> : <CheckCircleOutlined />}
        aria-label={label}
        title={label}
      >
        {bad ? problems.length : null}
      </Button>
    </Popover>
  );
}

function SystemCard(props: { system: System | undefined }) {
  const texts = useTexts();
  const format = useFormat();
  const system = props.system;
  if (!system) return null;
  const counts = Object.entries(system.store.counts ?? {});
  return (
    <div className="system-card">
      {system.problems.length === 0 ? (
        <p><CheckCircleOutlined /> {texts.header.healthy}</p>
      ) : (
        <ul className="problems">
          {system.problems.map((problem) => <li key={problem}><WarningOutlined /> {problem}</li>)}
        </ul>
      )}
      <dl className="facts">
        <dt>{texts.header.version}</dt><dd>{system.version}</dd>
        <dt>{texts.header.started}</dt><dd>{format.time(system.started)}</dd>
        <dt>{texts.header.points}</dt><dd>{format.count(system.points)}</dd>
        {counts.map(([name, value]) => (
          <Fact key={name} name={`${texts.header.store}: ${name}`} value={value} />
        ))}
      </dl>
    </div>
  );
}

function Fact(props: { name: string; value: unknown }) {
  const format = useFormat();
  const { value } = props;
  const text =
    typeof value === "number" ? format.count(value)
    : typeof value === "object" && value !== null
      ? Object.entries(value).map(([k, v]) => `${k} ${typeof v === "number" ? format.count(v) : String(v)}`).join(", ") || "0"
      : String(value);
  return <><dt>{props.name}</dt><dd>{text}</dd></>;
}

function ImportProgress() {
  const texts = useTexts();
  const format = useFormat();
  const { data } = useLoad("imports", api.imports, 4000);
  const running = data?.items.find((i) => !i.finished);
  if (!running) return null;
  const fraction = running.rows_total ? running.rows_done / running.rows_total : 0;
  const rows = texts.header.imported(format.count(running.rows_done), format.count(running.rows_total ?? 0));
  return (
    <Tooltip title={rows}>
      <span className="import" role="status">
        <span className="import-text">{texts.header.importing(running.name)}</span>
        <span className="number nowrap">{format.percent(fraction)}</span>
        <Progress percent={fraction * 100} size={[72, 4]} showInfo={false} aria-label={rows} />
      </span>
    </Tooltip>
  );
}

function UserMenu() {
  const texts = useTexts();
  const { me, logout } = useSession();
  const items = [
    { key: "account", icon: <UserOutlined />, label: texts.nav.account },
    { key: "docs", icon: <ApiOutlined />, label: texts.nav.docs },
    { type: "divider" as const },
    { key: "out", icon: <LogoutOutlined />, label: texts.login.out },
  ];
  const choose = (key: string) => {
    if (key === "account") go("/account");
    else if (key === "docs") window.open("/api/docs", "_blank", "noopener");
    else logout();
  };
  return (
    <Dropdown trigger={["click"]} menu={{ items, onClick: ({ key }) => choose(key) }}>
      <Button type="text" icon={<UserOutlined />} aria-label={texts.header.user} className="user-button">
        {me.name}
      </Button>
    </Dropdown>
  );
}
