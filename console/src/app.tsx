/** The whole console: language and theme, the gate of the login, then header and page. */
import { App as AntApp, ConfigProvider, type ThemeConfig } from "antd";
import type { Locale } from "antd/es/locale";
import deDE from "antd/locale/de_DE";
import enGB from "antd/locale/en_GB";
import zhCN from "antd/locale/zh_CN";
import dayjs from "dayjs";
import "dayjs/locale/de";
import "dayjs/locale/en-gb";
import "dayjs/locale/zh-cn";
import { Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { api, type Me } from "./api";
import { onSignedOut, Problem } from "./http";
import { live } from "./live";
import { PAGES } from "./page";
import { Login, NewPassword } from "./pages/security/Login";
import { Header } from "./parts/Header";
import { Link } from "./parts/Link";
import { Empty, ErrorBox, Fence, Waiting } from "./parts/Notice";
import { useMode, usePreferences } from "./preferences";
import { usePlace } from "./router";
import { SessionContext, type Session } from "./session";
import { LanguageContext, useTexts, type Language } from "./texts";
import { antdTheme, PALETTES, type Mode } from "./theme";

const ANTD_LOCALES: Record<Language, Locale> = { en: enGB, zh: zhCN, de: deDE };
const DAYJS_LOCALES: Record<Language, string> = { en: "en-gb", zh: "zh-cn", de: "de" };

const THEMES: Record<Mode, ThemeConfig> = { light: antdTheme("light"), dark: antdTheme("dark") };

function paint(mode: Mode): void {
  const root = document.documentElement;
  root.dataset.theme = mode;
  for (const [name, value] of Object.entries(PALETTES[mode])) {
    if (typeof value === "string") root.style.setProperty(`--${name}`, value);
  }
}

export function App() {
  const { language } = usePreferences();
  const mode = useMode();
  useMemo(() => paint(mode), [mode]);
  useEffect(() => {
    document.documentElement.lang = language;
    dayjs.locale(DAYJS_LOCALES[language]);
  }, [language]);
  return (
    <LanguageContext value={language}>
      <ConfigProvider locale={ANTD_LOCALES[language]} theme={THEMES[mode]}>
        <AntApp>
          <Gate />
        </AntApp>
      </ConfigProvider>
    </LanguageContext>
  );
}

/** Lets in who is logged in with a password of their own; shows the login to everybody else. */
function Gate() {
  const [me, setMe] = useState<Me | null>();
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    api.session().then(
      (found) => (setMe(found), setError(undefined)),
      (failure: unknown) => {
        if (failure instanceof Problem && failure.status === 401) setMe(null);
        else setError(failure);
      },
    );
  }, [round]);
  useEffect(() => {
    if (!error) return;
    const timer = window.setTimeout(() => setRound((r) => r + 1), 2000);
    return () => window.clearTimeout(timer);
  }, [error, round]);
  useEffect(() => onSignedOut(() => setMe(null)), []);
  const inside = !!me && !me.must_change_password;
  useEffect(() => {
    if (!inside) return;
    live.start();
    return () => live.stop();
  }, [inside]);

  const logout = useCallback(() => {
    void api.logout().catch(() => undefined).finally(() => setMe(null));
  }, []);
  const session = useMemo<Session | null>(
    () => me ? { me, logout, renew: setMe, can: (action) => me.actions.includes(action) } : null,
    [me, logout],
  );

  if (me === undefined) {
    return <div className="gate">{error ? <ErrorBox error={error} reload={() => setRound(round + 1)} /> : null}</div>;
  }
  if (!session) return <Login onDone={setMe} />;
  return (
    <SessionContext value={session}>
      {inside ? <Shell /> : <NewPassword onDone={() => setRound(round + 1)} />}
    </SessionContext>
  );
}

function Shell() {
  const texts = useTexts();
  const { path } = usePlace();
  const [, level = "", ...rest] = path.split("/");
  const first = level || "live";
  const page = PAGES.find((p) => p.path === first);
  const title = page?.title(texts);
  useEffect(() => {
    document.title = title ? `${title} · Lineshaft` : "Lineshaft";
  }, [title]);
  return (
    <div className="shell">
      <a className="skip" href="#main">{texts.common.skip}</a>
      <Header current={first} />
      <main id="main" tabIndex={-1}>
        <Fence key={first} texts={texts}>
          <Suspense fallback={<div className="page"><Waiting /></div>}>
            {page ? <page.component rest={rest.filter(Boolean).join("/")} /> : <Nowhere />}
          </Suspense>
        </Fence>
      </main>
    </div>
  );
}

function Nowhere() {
  const texts = useTexts();
  return (
    <Empty title={texts.common.notFound}>
      <Link to="/">{texts.common.home}</Link>
    </Empty>
  );
}
