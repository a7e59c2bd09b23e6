/** The panel at the left; on a narrow screen it opens over the page. */
import { MenuFoldOutlined, MenuUnfoldOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState, type ReactNode } from "react";
import { useTexts } from "../texts";

const NARROW = "(max-width: 900px)";

export function Side(props: { children: ReactNode }) {
  const texts = useTexts();
  const [open, setOpen] = useState(() => !window.matchMedia(NARROW).matches);
  const label = open ? texts.tree.collapse : texts.tree.expand;
  return (
    <aside className={`side ${open ? "" : "side-closed"}`} aria-label={texts.tree.title}>
      <div className="side-head">
        {open && <h2>{texts.tree.title}</h2>}
        <Button
          type="text"
          size="small"
          icon={open ? <MenuFoldOutlined /> : <MenuUnfoldOutlined />}
          aria-expanded={open}
          aria-label={`${label}: ${texts.tree.title}`}
          onClick={() => setOpen(!open)}
        />
      </div>
      {open && props.children}
    </aside>
  );
}
