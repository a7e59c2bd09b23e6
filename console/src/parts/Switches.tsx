/** The two things everybody may choose: language and appearance. */
import { DesktopOutlined, GlobalOutlined, MoonOutlined, SunOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { prefer, usePreferences } from "../preferences";
import { LANGUAGES, useTexts, type Language } from "../texts";
import type { ThemeChoice } from "../theme";

export function LanguageSwitch(props: { compact?: boolean }) {
  const texts = useTexts();
  const { language } = usePreferences();
  const items = Object.entries(LANGUAGES).map(([key, { name, locale }]) => ({
    key,
    label: <span lang={locale}>{name}</span>,
  }));
  return (
    <Dropdown
      trigger={["click"]}
      menu={{ items, selectedKeys: [language], onClick: ({ key }) => prefer({ language: key as Language }) }}
    >
      <Button type="text" icon={<GlobalOutlined />} aria-label={texts.header.language} title={texts.header.language}>
        {props.compact ? null : LANGUAGES[language].name}
      </Button>
    </Dropdown>
  );
}

const ICONS: Record<ThemeChoice, React.ReactNode> = {
  light: <SunOutlined />,
  dark: <MoonOutlined />,
  system: <DesktopOutlined />,
};

export function ThemeSwitch() {
  const texts = useTexts();
  const { theme } = usePreferences();
  const items = (["light", "dark", "system"] as const).map((key) => ({
    key,
    icon: ICONS[key],
    label: texts.header[key],
  }));
  return (
    <Dropdown
      trigger={["click"]}
      menu={{ items, selectedKeys: [theme], onClick: ({ key }) => prefer({ theme: key as ThemeChoice }) }}
    >
      <Button type="text" icon={ICONS[theme]} aria-label={texts.header.theme} title={texts.header.theme} />
    </Dropdown>
  );
}
