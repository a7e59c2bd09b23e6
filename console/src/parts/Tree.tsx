/** The namespace as a tree with search: branches load when opened, only visible rows exist. */
import { CaretDownFilled, CaretRightFilled, SearchOutlined } from "@ant-design/icons";
import { Checkbox, Input, type InputRef } from "antd";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { Branch, Point } from "../api";
import { useFormat } from "../format";
import { useKey } from "../hooks";
import { useTexts } from "../texts";
import { Empty, ErrorBox, Waiting } from "./Notice";
import { useBranches, useSearch, type Row } from "./tree-data";
import { VirtualList, type ListHandle } from "./VirtualList";

interface Props {
  /** The branch or point that is shown now. */
  selected: string;
  onSelect: (row: Row) => void;
  /** With it, points carry a check mark and are picked instead of selected. */
  picked?: readonly string[];
  onPick?: (point: Point, on: boolean) => void;
}

export function Tree(props: Props) {
  const texts = useTexts();
  const [text, setText] = useState("");
  const tree = useBranches(props.selected);
  const search = useSearch(text);
  const searching = text.trim() !== "";
  const rows = searching ? search.rows : tree.rows;
  const [active, setActive] = useState("");
  const list = useRef<ListHandle>(null);
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<InputRef>(null);
  const at = rows.findIndex((row) => row.path === active);

  useKey("/", (event) => {
    event.preventDefault();
    input.current?.focus({ cursor: "all" });
  });
  useEffect(() => {
    if (searching) setActive(rows[0]?.path ?? "");
  }, [searching, search.rows]);

  const move = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    setActive(row.path);
    list.current?.show(rows.indexOf(row));
  };
  const choose = (row: Row) => {
    setActive(row.path);
    if (props.onPick && row.point) props.onPick(row.point, !props.picked?.includes(row.path));
    else {
      if (row.children && props.onPick) tree.toggle(row.path);
      props.onSelect(row);
    }
  };
  const keys = (event: KeyboardEvent) => {
    const row = rows[at];
    const acts: Record<string, () => void> = {
      ArrowDown: () => move(at + 1),
      ArrowUp: () => (at <= 0 ? input.current?.focus() : move(at - 1)),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      ArrowRight: () => row && (row.children && !row.open ? tree.open(row.path) : move(at + 1)),
      ArrowLeft: () => row && (row.open ? tree.close(row.path) : move(rows.findIndex((r) => r.path === row.parent))),
      Enter: () => row && choose(row),
      " ": () => row && choose(row),
      Escape: () => setText(""),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const searchKeys = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      box.current?.focus();
      move(Math.max(at, 0));
    } else if (event.key === "Enter" && searching && rows[Math.max(at, 0)]) {
      choose(rows[Math.max(at, 0)] as Row);
    } else if (event.key === "Escape") {
      if (text) setText("");
      else input.current?.blur();
    }
  };
  const draw = (index: number) => {
    const row = rows[index] as Row;
    return (
      <TreeRow
        key={row.path}
        row={row}
        tall={searching}
        active={row.path === active}
        selected={row.path === props.selected}
        picked={props.onPick && row.point ? (props.picked?.includes(row.path) ?? false) : undefined}
        onToggle={() => tree.toggle(row.path)}
        onChoose={() => choose(row)}
      />
    );
  };
  return (
    <div className="tree">
      <Input
        ref={input}
        className="tree-search"
        prefix={<SearchOutlined />}
        suffix={<kbd title={texts.tree.hint}>/</kbd>}
        placeholder={texts.tree.search}
        aria-label={texts.tree.search}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={searchKeys}
      />
      <ErrorBox error={searching ? search.error : tree.error} />
      {searching && search.more && <p className="quiet tree-note">{texts.tree.first(rows.length)}</p>}
      {(searching ? search.loading : tree.loading) ? <Waiting />
        : rows.length === 0 ? (
          searching ? <Empty title={texts.tree.nothing(text.trim())} />
          : tree.error ? null : <Empty title={texts.tree.empty} remedy={texts.tree.emptyRemedy} />
        ) : (
          <div
            ref={box}
            className="tree-rows"
            role="tree"
            aria-label={texts.tree.title}
            aria-multiselectable={props.onPick ? true : undefined}
            aria-activedescendant={at >= 0 ? rowId(active) : undefined}
            tabIndex={0}
            onKeyDown={keys}
            onFocus={() => { if (at < 0) setActive(rows.some((r) => r.path === props.selected) ? props.selected : rows[0]?.path ?? ""); }}
          >
            <VirtualList count={rows.length} rowHeight={searching ? 44 : 28} row={draw} handle={list} />
          </div>
        )}
    </div>
  );
}

function rowId(path: string): string {
  return `tree-${encodeURIComponent(path)}`;
}

interface RowProps {
  row: Row;
  tall: boolean;
  active: boolean;
  selected: boolean;
  picked: boolean | undefined;
  onToggle: () => void;
  onChoose: () => void;
}

function TreeRow({ row, tall, active, selected, picked, onToggle, onChoose }: RowProps) {
  const texts = useTexts();
  const format = useFormat();
  const style = useMemo(() => ({ paddingInlineStart: 6 + row.depth * 16 }), [row.depth]);
  const classes = ["tree-row", tall && "tall", active && "active", selected && "selected", row.point && "is-point"];
  return (
    <div
      id={rowId(row.path)}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-selected={picked ?? selected}
      aria-expanded={row.children ? row.open : undefined}
      className={classes.filter(Boolean).join(" ")}
      style={style}
      onClick={onChoose}
      title={row.point?.description || row.path}
      data-path={row.path}
    >
      {row.children ? (
        <span
          className="tree-caret"
          title={row.open ? texts.tree.collapse : texts.tree.expand}
          onClick={(event) => { event.stopPropagation(); onToggle(); }}
        >
          {row.open ? <CaretDownFilled /> : <CaretRightFilled />}
        </span>
      ) : <span className="tree-caret" />}
      {picked !== undefined && <Checkbox checked={picked} tabIndex={-1} aria-hidden="true" className="tree-check" />}
      <span className="tree-name">
        {row.name}
        {tall && <span className="quiet tree-path">{row.parent}</span>}
      </span>
      {!row.point && <span className="quiet tree-count" title={texts.tree.points(format.count(row.points))}>{format.count(row.points)}</span>}
    </div>
  );
}

export type { Branch };
