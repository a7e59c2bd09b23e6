/** The elements of a submodel: a tree with values that live, and the details of the one chosen. */
import { MinusSquareOutlined, PlusOutlined, PlusSquareOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useContext, useEffect, useRef, useState, type KeyboardEvent } from "react";
import { Empty } from "../../parts/Notice";
import { VirtualList, type ListHandle } from "../../parts/VirtualList";
import { go } from "../../router";
import { useSession } from "../../session";
import { useLanguage, useTexts } from "../../texts";
import type { Submodel } from "./aas";
import type { Concept } from "./aas-api";
import { BoundContext } from "./bindings";
import { ElementDetails } from "./ElementDetails";
import { ElementEditor } from "./ElementEditor";
import { ElementLine } from "./ElementLine";
import { moved, useRows } from "./element-rows";

interface Props {
  submodel: Submodel;
  etag: string;
  concepts: ReadonlyMap<string, Concept>;
  /** Path of the element that the address names. */
  at: string;
  onChange: () => void;
}

const ROW_HEIGHT = 32;

/** What is being edited: an element, or a new one below a path. */
type Edit = { path: string; fresh: boolean };

export function Elements({ submodel, etag, concepts, at, onChange }: Props) {
  const texts = useTexts();
  const t = texts.twins;
  const language = useLanguage();
  const { can } = useSession();
  const [filter, setFilter] = useState("");
  const [edit, setEdit] = useState<Edit>();
  const { rows, toggle, openAll, closeAll } = useRows(submodel, filter, language, at);
  const lives = useContext(BoundContext).size > 0;
  const list = useRef<ListHandle>(null);
  const index = rows.findIndex((row) => row.path === at);
  const chosen = rows[index];
  const choose = (path: string) => {
    const query = path ? `?e=${encodeURIComponent(path)}` : "";
    go(location.pathname + query, { replace: true });
  };
  const first = useRef(true);
  useEffect(() => {
    if (first.current && index >= 0) list.current?.show(index);
    first.current = false;
  }, [index]);
  const keys = (event: KeyboardEvent) => {
    const to = moved(rows, index, event.key);
    if (to !== undefined) {
      event.preventDefault();
      choose(rows[to]?.path ?? "");
      list.current?.show(to);
    } else if (chosen && (event.key === "ArrowRight" || event.key === "ArrowLeft" || event.key === " ")) {
      event.preventDefault();
      if (chosen.children && !at.startsWith(`${chosen.path}.`)) toggle(chosen.path);
    } else if (chosen && event.key === "Enter" && can("configure")) {
      event.preventDefault();
      setEdit({ path: chosen.path, fresh: false });
    } else if (event.key === "Escape") choose("");
  };
  return (
    <>
      <div className="toolbar">
        <Input allowClear className="filter" placeholder={t.filter} aria-label={t.filter} value={filter} onChange={(e) => setFilter(e.target.value)} />
        <Button icon={<PlusSquareOutlined />} aria-label={t.openAll} title={t.openAll} onClick={openAll} />
        <Button icon={<MinusSquareOutlined />} aria-label={t.closeAll} title={t.closeAll} onClick={closeAll} />
        <span className="grow" />
        {can("configure") && <Button icon={<PlusOutlined />} onClick={() => setEdit({ path: "", fresh: true })}>{t.addElement}</Button>}
      </div>
      {rows.length === 0 ? <Empty title={filter ? t.nothing : t.noElements} /> : (
        <div className="elements">
          <div className={`data-table ${lives ? "" : "still"}`}>
            <div className="element-row data-head" aria-hidden="true">
              <span>{t.element}</span><span>{t.value}</span><span className="col-wide">{t.recent}</span><span className="col-type">{t.type}</span>
            </div>
            <div
              className="element-rows"
              role="tree"
              aria-label={t.elements}
              tabIndex={0}
              onKeyDown={keys}
              aria-activedescendant={chosen && `element-${chosen.path}`}
              onFocus={() => { if (index < 0) choose(rows[0]?.path ?? ""); }}
            >
              <VirtualList
                count={rows.length}
                rowHeight={ROW_HEIGHT}
                handle={list}
                row={(i) => {
                  const row = rows[i];
                  return row && (
                    <ElementLine
                      key={row.path}
                      row={row}
                      submodel={submodel.id}
                      concepts={concepts}
                      selected={row.path === at}
                      onChoose={() => choose(row.path)}
                      onToggle={() => toggle(row.path)}
                    />
                  );
                }}
              />
            </div>
          </div>
          {chosen && (
            <ElementDetails
              key={chosen.path}
              row={chosen}
              submodel={submodel.id}
              etag={etag}
              concepts={concepts}
              onClose={() => choose("")}
              onEdit={() => setEdit({ path: chosen.path, fresh: false })}
              onAdd={() => setEdit({ path: chosen.path, fresh: true })}
              onChange={onChange}
            />
          )}
        </div>
      )}
      {edit && (
        <ElementEditor
          submodel={submodel}
          etag={etag}
          path={edit.path}
          fresh={edit.fresh}
          onClose={() => setEdit(undefined)}
          onSaved={(path) => {
            setEdit(undefined);
            onChange();
            choose(path);
          }}
        />
      )}
    </>
  );
}
