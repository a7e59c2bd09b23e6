/** All shells: searched and fetched by the server, a page at a time; files are dropped here. */
import { ApartmentOutlined, DiffOutlined, InboxOutlined, PlusOutlined, SafetyCertificateOutlined, UploadOutlined } from "@ant-design/icons";
import { Button, Input, Select, type InputRef } from "antd";
import { useEffect, useRef, useState, type DragEvent } from "react";
import { useKey } from "../../hooks";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { VirtualList } from "../../parts/VirtualList";
import { go, usePlace } from "../../router";
import { useSession } from "../../session";
import { useLanguage, useTexts } from "../../texts";
import { said, twinAddress, type Shell } from "./aas";
import { ImportDialog } from "./ImportDialog";
import { NewShell } from "./NewShell";
import { ORIGINS } from "./shell-search";
import { useShells } from "./twin-data";

const ROW_HEIGHT = 48;
/** So many rows before the end the next page is asked for. */
const AHEAD = 40;
const WAIT_MS = 200;
const KINDS = ["Instance", "Type", "Role", "NotApplicable"] as const;

export function Shells() {
  const texts = useTexts();
  const t = texts.twins;
  const { can } = useSession();
  const { query } = usePlace();
  const [text, setText] = useState(query.get("q") ?? "");
  const kind = query.get("kind") ?? "";
  const wanted = query.get("q") ?? "";
  const origin = query.get("origin") ?? "";
  const shells = useShells({ words: wanted.split(/\s+/).filter(Boolean), assetKind: kind, origin });
  const [file, setFile] = useState<File>();
  const [adding, setAdding] = useState(false);
  const input = useRef<InputRef>(null);
  const picker = useRef<HTMLInputElement>(null);
  const drop = useDrop(can("configure"), setFile);
  const show = (change: { q?: string; kind?: string; origin?: string }) => {
    const next = new URLSearchParams(Object.entries({ q: wanted, kind, origin, ...change }).filter(([, v]) => v));
    go(`/twins${next.size ? `?${next}` : ""}`, { replace: true });
  };
  useEffect(() => {
    if (text.trim() === wanted) return;
    const timer = window.setTimeout(() => show({ q: text.trim() }), WAIT_MS);
    return () => window.clearTimeout(timer);
  }, [text, wanted, kind, origin]);
  useKey("/", (event) => {
    event.preventDefault();
    input.current?.focus({ cursor: "all" });
  });
  const { rows } = shells;
  const filtered = wanted !== "" || kind !== "" || origin !== "";
  return (
    <section className="page twins" aria-label={t.title} {...drop.on}>
      <div className="trend-head">
        <h1>{t.title}</h1>
        <span className="quiet" role="status">{rows && t.count(rows.length, shells.more)}</span>
        <span className="grow" />
        {can("administer") && <Button icon={<SafetyCertificateOutlined />} onClick={() => go("/twins/rules")}>{t.rules.title}</Button>}
        <Button icon={<DiffOutlined />} onClick={() => go("/twins/compare")}>{t.compare.title}</Button>
        {can("configure") && (
          <>
            <Button icon={<PlusOutlined />} onClick={() => setAdding(true)}>{t.newShell}</Button>
            <Button type="primary" icon={<UploadOutlined />} onClick={() => picker.current?.click()}>{t.import.open}</Button>
            <input
              ref={picker}
              type="file"
              hidden
              accept=".aasx,.json,.xml"
              aria-label={t.import.choose}
              onChange={(e) => { setFile(e.target.files?.[0]); e.target.value = ""; }}
            />
          </>
        )}
      </div>
      <div className="toolbar">
        <Input
          ref={input}
          allowClear
          className="twin-search"
          placeholder={t.search}
          aria-label={t.search}
          suffix={<kbd>/</kbd>}
          value={text}
          onChange={(e) => setText(e.target.value)}
        />
        <Select
          aria-label={t.assetKind}
          className="twin-kind"
          value={kind}
          onChange={(k) => show({ kind: k })}
          options={[{ value: "", label: t.anyKind }, ...KINDS.map((k) => ({ value: k, label: t.assetKinds[k] }))]}
        />
        <Select
          aria-label={t.origin}
          className="twin-kind"
          value={origin}
          onChange={(o) => show({ origin: o })}
          options={[{ value: "", label: t.anyOrigin }, ...ORIGINS.map((o) => ({ value: o, label: t.origins[o] }))]}
        />
      </div>
      <ErrorBox error={shells.error} reload={shells.reload} />
      {!rows ? (shells.error ? null : <Waiting rows={10} />)
        : rows.length === 0 ? (
          filtered ? <Empty title={t.nothing} /> : (
            <Empty icon={<ApartmentOutlined />} title={t.empty} remedy={can("configure") ? t.emptyRemedy : t.emptyLook}>
              {can("configure") && <Button type="primary" onClick={() => picker.current?.click()}>{t.import.open}</Button>}
            </Empty>
          )
        ) : <List rows={rows} more={shells.more} onNear={shells.next} />}
      {drop.over && <div className="drop-veil" aria-hidden="true"><InboxOutlined /> {t.import.drop}</div>}
      {file && <ImportDialog file={file} onClose={() => setFile(undefined)} onDone={shells.reload} />}
      {adding && <NewShell onClose={() => setAdding(false)} />}
    </section>
  );
}

function List(props: { rows: Shell[]; more: boolean; onNear: () => void }) {
  const { rows, more } = props;
  const t = useTexts().twins;
  return (
    <div className="data-table" role="table" aria-label={t.title} aria-rowcount={more ? -1 : rows.length}>
      <div className="twin-row data-head" role="row">
        <span role="columnheader">{t.shell}</span>
        <span role="columnheader">{t.asset}</span>
        <span role="columnheader" className="col-wide">{t.assetKind}</span>
        <span role="columnheader" className="right">{t.submodels}</span>
      </div>
      <VirtualList
        count={rows.length}
        rowHeight={ROW_HEIGHT}
        onShown={(last) => { if (more && last > rows.length - AHEAD) props.onNear(); }}
        row={(i) => <ShellRow key={rows[i]?.id} shell={rows[i] as Shell} />}
      />
    </div>
  );
}

function ShellRow({ shell }: { shell: Shell }) {
  const t = useTexts().twins;
  const language = useLanguage();
  const { assetInformation: asset } = shell;
  const kinds: Record<string, string> = t.assetKinds;
  const to = twinAddress(shell.id);
  return (
    <div className="twin-row clickable" role="row" data-shell={shell.id} onClick={() => go(to)}>
      <span role="cell" className="col-name">
        <Link to={to} className="plain-link point-name" onClick={(e) => e.stopPropagation()}>
          {said(shell.displayName, language) || shell.idShort || shell.id}
        </Link>
        <span className="quiet small ellipsis" title={shell.id}>{shell.id}</span>
      </span>
      <span role="cell" className="path-text ellipsis" title={asset.globalAssetId}>{asset.globalAssetId ?? "–"}</span>
      <span role="cell" className="quiet col-wide">{kinds[asset.assetKind] ?? asset.assetKind}</span>
      <span role="cell" className="right number">{shell.submodels?.length ?? 0}</span>
    </div>
  );
}

/** A file dragged over the page. */
function useDrop(allowed: boolean, take: (file: File) => void) {
  const [over, setOver] = useState(false);
  const carries = (event: DragEvent) => allowed && event.dataTransfer.types.includes("Files");
  const on = {
    onDragOver: (event: DragEvent) => {
      if (!carries(event)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
    },
    onDrop: (event: DragEvent) => {
      if (!carries(event)) return;
      event.preventDefault();
      setOver(false);
      const file = event.dataTransfer.files[0];
      if (file) take(file);
    },
  };
  return { over, on };
}
