/** What a machine is built of (Hierarchical Structures), with links to the shells of its parts. */
import { ApartmentOutlined, ExportOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useMemo, useState } from "react";
import { Link } from "../../parts/Link";
import { Empty } from "../../parts/Notice";
import { useLanguage, useTexts } from "../../texts";
import { childrenOf, plain, said, twinAddress, walk, type Element, type Shell, type Submodel } from "./aas";
import { useShellsOf } from "./twin-data";

/** Deeper or wider ones are opened by hand. */
const OPEN_LEVELS = 2;
const PARTS_MAX = 200;

export function Structure({ submodel, shell }: { submodel: Submodel; shell: string }) {
  const t = useTexts().twins;
  const entries = childrenOf(submodel).filter((e) => e.modelType === "Entity");
  const shells = useShellsOf(useMemo(() => [...walk(submodel)].flatMap(([, e]) => e.globalAssetId ?? []), [submodel]));
  if (!entries.length) return <Empty icon={<ApartmentOutlined />} title={t.noParts} />;
  return <ul className="parts">{entries.map((e, i) => <Part key={e.idShort ?? i} entity={e} level={0} shell={shell} shells={shells} />)}</ul>;
}

interface PartProps {
  entity: Element;
  level: number;
  /** The shell that this stands in, which needs no link. */
  shell: string;
  shells: ReadonlyMap<string, Shell[]>;
}

function Part({ entity, level, shell, shells }: PartProps) {
  const t = useTexts().twins;
  const language = useLanguage();
  const parts = childrenOf(entity).filter((e) => e.modelType === "Entity");
  const [open, setOpen] = useState(level < OPEN_LEVELS);
  const [all, setAll] = useState(false);
  const shown = all ? parts : parts.slice(0, PARTS_MAX);
  const name = said(entity.displayName, language) || entity.idShort;
  const found = (shells.get(entity.globalAssetId ?? "") ?? []).filter((s) => s.id !== shell);
  const only = found.length === 1 ? found[0] : undefined;
  const count = childrenOf(entity).find((e) => e.idShort === "BulkCount");
  return (
    <li>
      <div className="part">
        {parts.length > 0 ? (
          <button type="button" className="part-fold" aria-expanded={open} aria-label={entity.idShort} onClick={() => setOpen(!open)}>{open ? "−" : "+"}</button>
        ) : <span className="part-fold" />}
        {only ? <Link className="part-name" to={twinAddress(only.id)} title={`${t.openShell}: ${only.id}`}>{name}</Link> : <span className="part-name">{name}</span>}
        {count && <span className="quiet">× {plain(count, language)}</span>}
        {entity.globalAssetId && !only && <ShellLinks asset={entity.globalAssetId} shells={found} />}
      </div>
      {open && parts.length > 0 && (
        <ul className="parts">
          {shown.map((e, i) => <Part key={e.idShort ?? i} entity={e} level={level + 1} shell={shell} shells={shells} />)}
          {shown.length < parts.length && <li><Button type="link" size="small" onClick={() => setAll(true)}>{t.allParts(parts.length)}</Button></li>}
        </ul>
      )}
    </li>
  );
}

/** A link to the shell of an asset, once it is known that there is one. */
export function ShellLink({ asset }: { asset: string }) {
  return <ShellLinks asset={asset} shells={useShellsOf([asset]).get(asset) ?? []} />;
}

function ShellLinks({ asset, shells }: { asset: string; shells: readonly Shell[] }) {
  const t = useTexts().twins;
  if (!shells.length) return <span className="quiet small path-text ellipsis" title={asset}>{asset}</span>;
  return shells.map((shell) => (
    <Link key={shell.id} to={twinAddress(shell.id)} title={`${t.openShell}: ${shell.id}`}><ExportOutlined /> {shell.idShort ?? shell.id}</Link>
  ));
}
