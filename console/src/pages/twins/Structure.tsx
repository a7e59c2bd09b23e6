/** What a machine is built of (Hierarchical Structures), with links to the shells of its parts. */
import { ApartmentOutlined, ExportOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { Empty } from "../../parts/Notice";
import { useLanguage, useTexts } from "../../texts";
import { childrenOf, plain, said, twinAddress, type Element, type Submodel } from "./aas";
import { aas } from "./aas-api";

/** Deeper or wider ones are opened by hand. */
const OPEN_LEVELS = 2;
const PARTS_MAX = 200;

export function Structure({ submodel, shell }: { submodel: Submodel; shell: string }) {
  const t = useTexts().twins;
  const entries = childrenOf(submodel).filter((e) => e.modelType === "Entity");
  if (!entries.length) return <Empty icon={<ApartmentOutlined />} title={t.noParts} />;
  return <ul className="parts">{entries.map((e, i) => <Part key={e.idShort ?? i} entity={e} level={0} shell={shell} />)}</ul>;
}

function Part({ entity, level, shell }: { entity: Element; level: number; shell: string }) {
  const t = useTexts().twins;
  const language = useLanguage();
  const parts = childrenOf(entity).filter((e) => e.modelType === "Entity");
  const [open, setOpen] = useState(level < OPEN_LEVELS);
  const [all, setAll] = useState(false);
  const shown = all ? parts : parts.slice(0, PARTS_MAX);
  const count = childrenOf(entity).find((e) => e.idShort === "BulkCount");
  return (
    <li>
      <div className="part">
        {parts.length > 0 ? (
          <button type="button" className="part-fold" aria-expanded={open} aria-label={entity.idShort} onClick={() => setOpen(!open)}>{open ? "−" : "+"}</button>
        ) : <span className="part-fold" />}
        <span className="part-name">{said(entity.displayName, language) || entity.idShort}</span>
        {count && <span className="quiet">× {plain(count, language)}</span>}
        {entity.globalAssetId && <ShellLink asset={entity.globalAssetId} except={shell} />}
      </div>
      {open && parts.length > 0 && (
        <ul className="parts">
          {shown.map((e, i) => <Part key={e.idShort ?? i} entity={e} level={level + 1} shell={shell} />)}
          {shown.length < parts.length && <li><Button type="link" size="small" onClick={() => setAll(true)}>{t.allParts(parts.length)}</Button></li>}
        </ul>
      )}
    </li>
  );
}

/** A link to the shell of an asset, once it is known that there is one. */
export function ShellLink({ asset, except }: { asset: string; except?: string }) {
  const t = useTexts().twins;
  const { data } = useLoad(`asset ${asset}`, (signal) => aas.shellsOf(asset, signal));
  const found = data?.result.filter((s) => s.id !== except) ?? [];
  if (!found.length) return <span className="quiet small path-text ellipsis" title={asset}>{asset}</span>;
  return (
    <>
      {found.map((shell) => (
        <Link key={shell.id} to={twinAddress(shell.id)} title={`${t.openShell}: ${shell.id}`}><ExportOutlined /> {shell.idShort ?? shell.id}</Link>
      ))}
    </>
  );
}
