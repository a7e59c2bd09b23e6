/** A row for each point that has samples: how many, how large, how often, how good. */
import { CaretDownFilled, CaretUpFilled, DatabaseOutlined, LineChartOutlined, ReloadOutlined } from "@ant-design/icons";
import { Button, Checkbox, Input, Select } from "antd";
import { useState } from "react";
import { api } from "../../api";
import { leaf, parentOf, useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { VirtualList } from "../../parts/VirtualList";
import { branchAddress, go, trendAddress } from "../../router";
import { useTexts } from "../../texts";
import { useShownRows, useStored, type Order, type Row, type SortKey } from "./data-points";
import { TREND_POINTS_MAX } from "./trend-state";

const ROW_HEIGHT = 44;

export function DataPoints() {
  const texts = useTexts();
  const t = texts.data;
  const format = useFormat();
  const [branch, setBranch] = useState("");
  const [filter, setFilter] = useState("");
  const [order, setOrder] = useState<Order>({ by: "path", down: false });
  const [chosen, setChosen] = useState<string[]>([]);
  const stored = useStored(branch);
  const rows = useShownRows(stored.rows, filter, order);
  const choose = (point: string, on: boolean) =>
    setChosen((before) => (on ? [...before, point].slice(-TREND_POINTS_MAX) : before.filter((p) => p !== point)));
  const all = rows.reduce((sum, row) => ({ rows: sum.rows + row.rows, bytes: sum.bytes + row.bytes }), { rows: 0, bytes: 0 });
  return (
    <>
      <div className="toolbar">
        <Input allowClear className="filter" placeholder={t.search} aria-label={t.search} value={filter} onChange={(e) => setFilter(e.target.value)} />
        <BranchSelect value={branch} onChange={setBranch} />
        <span className="quiet data-sum" role="status">
          {stored.rows && (stored.growing ? t.loadingMore(format.count(stored.rows.length))
            : all.rows === 0 ? texts.tree.points(format.count(rows.length))
            : `${t.sum(format.count(rows.length), format.count(all.rows), format.bytes(all.bytes))} · ${t.perRow(`${format.figure(all.bytes / all.rows, 3)} B`)}`)}
        </span>
        <span className="grow" />
        {chosen.length > 0 && (
          <Button type="primary" icon={<LineChartOutlined />} onClick={() => go(trendAddress(chosen, { span: "86400" }))}>{t.openTrend(chosen.length)}</Button>
        )}
        <Button icon={<ReloadOutlined />} aria-label={texts.common.reload} onClick={stored.reload} />
      </div>
      <ErrorBox error={stored.error} reload={stored.reload} />
      {!stored.rows ? (stored.error ? null : <Waiting rows={10} />)
        : stored.rows.length === 0 && !stored.growing ? <Empty icon={<DatabaseOutlined />} title={t.empty} remedy={t.emptyRemedy} />
        : rows.length === 0 ? <Empty title={t.nothing} />
        : (
          <div className="data-table" role="table" aria-rowcount={rows.length} aria-label={t.points}>
            <Head order={order} onOrder={setOrder} />
            <VirtualList
              count={rows.length}
              rowHeight={ROW_HEIGHT}
              row={(i) => {
                const row = rows[i] as Row;
                return <PointRow key={row.path} row={row} chosen={chosen.includes(row.path)} onChoose={choose} />;
              }}
            />
          </div>
        )}
    </>
  );
}

/** The branches of the first levels, to narrow the table down. */
function BranchSelect(props: { value: string; onChange: (branch: string) => void }) {
  const texts = useTexts();
  const { data } = useLoad(`tree ${props.value}`, (signal) => api.tree(props.value, signal));
  const levels = props.value ? props.value.split("/") : [];
  const above = levels.map((_, i) => levels.slice(0, i + 1).join("/"));
  const below = (data?.children ?? []).filter((c) => c.children).map((c) => c.path);
  const options = [
    { value: "", label: texts.tree.root },
    ...[...above, ...below].map((path) => ({ value: path, label: path })),
  ];
  return <Select aria-label={texts.data.branch} showSearch popupMatchSelectWidth={false} className="branch-select" value={props.value} options={options} onChange={props.onChange} />;
}

interface HeadProps {
  order: Order;
  onOrder: (order: Order) => void;
}

function Head({ order, onOrder }: HeadProps) {
  const texts = useTexts();
  const t = texts.data;
  const sorted = (by: SortKey, label: string, help?: string, className = "right") => {
    const mine = order.by === by;
    return (
      <span role="columnheader" className={className} aria-sort={mine ? (order.down ? "descending" : "ascending") : "none"} title={help}>
        <button type="button" className="sort" aria-label={t.sortBy(label)} onClick={() => onOrder({ by, down: mine ? !order.down : by !== "path" })}>
          {label} {mine && (order.down ? <CaretDownFilled /> : <CaretUpFilled />)}
        </button>
      </span>
    );
  };
  return (
    <div className="data-row data-head" role="row">
      <span role="columnheader" aria-label={t.openTrend(0)} />
      {sorted("path", t.point, undefined, "")}
      {sorted("rows", t.rows)}
      {sorted("bytes", t.bytes)}
      {sorted("each", t.bytesEach, undefined, "right col-wide")}
      {sorted("rate", t.rate, t.rateHelp)}
      {sorted("first", t.first, undefined, "right col-wide")}
      {sorted("last", t.last)}
      {sorted("good", t.good, t.goodHelp)}
      {sorted("gapMs", t.gap, t.gapHelp)}
      <span role="columnheader" aria-label={t.trend} />
    </div>
  );
}

interface RowProps {
  row: Row;
  chosen: boolean;
  onChoose: (point: string, on: boolean) => void;
}

/** Below this share the quality is worth a colour. */
const GOOD_MIN = 0.99;

function PointRow({ row, chosen, onChoose }: RowProps) {
  const texts = useTexts();
  const t = texts.data;
  const format = useFormat();
  const open = () => {
    const rest: Record<string, string> = row.first && row.last ? { from: row.first, to: row.last } : { span: "86400" };
    go(trendAddress([row.path], rest));
  };
  const poor = row.good !== null && row.good < GOOD_MIN;
  return (
    <div className="data-row" role="row" data-point={row.path}>
      <span role="cell"><Checkbox checked={chosen} aria-label={t.choose(row.path)} onChange={(e) => onChoose(row.path, e.target.checked)} /></span>
      <span role="cell" className="col-name" title={`${row.path}${row.description && `
${row.description}`}`}>
        <Link to={branchAddress(row.path)} className="plain-link point-name">{leaf(row.path)}</Link>
        <span className="quiet tree-path">{parentOf(row.path)}</span>
      </span>
      <span role="cell" className="right number" data-cell="rows">{row.rows ? format.count(row.rows) : "–"}</span>
      <span role="cell" className="right number">{row.rows ? format.bytes(row.bytes) : "–"}</span>
      <span role="cell" className="right number col-wide">{row.each === null ? "–" : format.fixed(row.each, 2)}</span>
      <span role="cell" className="right number" data-cell="rate">{row.rate === null ? "–" : format.figure(row.rate, 3)}</span>
      <span role="cell" className="right number col-wide quiet">{format.time(row.first)}</span>
      <span role="cell" className="right number quiet">{format.time(row.last)}</span>
      <span role="cell" className={`right number ${poor ? "quality-uncertain" : ""}`} data-cell="good">{row.good === null ? "–" : format.percent(row.good)}</span>
      <span role="cell" className="right number" data-cell="gap">{row.gapMs === null ? "–" : format.span(roundly(row.gapMs))}</span>
      <span role="cell" className="right"><Button type="text" size="small" icon={<LineChartOutlined />} aria-label={`${t.trend}: ${row.path}`} onClick={open} /></span>
    </div>
  );
}

/** Whole seconds once there are some. */
function roundly(ms: number): number {
  return ms >= 1000 ? Math.round(ms / 1000) * 1000 : Math.round(ms);
}
