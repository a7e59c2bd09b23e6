/** A row for each point that has samples: how many, how large, how often, how good. */
import { CaretDownFilled, CaretUpFilled, DatabaseOutlined, LineChartOutlined, ReloadOutlined } from "@ant-design/icons";
import { Button, Checkbox, Input, Select } from "antd";
import { useMemo, useState } from "react";
import { api } from "../../api";
import type { Health } from "../../explore";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { VirtualList } from "../../parts/VirtualList";
import { branchAddress, go, trendAddress } from "../../router";
import { useTexts } from "../../texts";
import { useHealth, useShownRows, useStored, type Order, type Row, type SortKey } from "./data-points";
import { TREND_POINTS_MAX } from "./trend-state";

const PERIODS = [1, 7, 30];
const ROW_HEIGHT = 36;

export function DataPoints() {
  const texts = useTexts();
  const t = texts.data;
  const format = useFormat();
  const [branch, setBranch] = useState("");
  const [filter, setFilter] = useState("");
  const [order, setOrder] = useState<Order>({ by: "point", down: false });
  const [days, setDays] = useState(1);
  const [chosen, setChosen] = useState<string[]>([]);
  const [[first, last], setVisible] = useState<[number, number]>([0, 40]);
  const stored = useStored(branch);
  const rows = useShownRows(stored.rows, filter, order);
  const visible = useMemo(() => rows.slice(first, last).map((r) => r.point), [rows, first, last]);
  const health = useHealth(visible, days);
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
            : t.sum(format.count(rows.length), format.count(all.rows), format.bytes(all.bytes)) + (all.rows ? ` · ${t.perRow(`${format.figure(all.bytes / all.rows, 3)} B`)}` : ""))}
        </span>
        <span className="grow" />
        {chosen.length > 0 && (
          <Button type="primary" icon={<LineChartOutlined />} onClick={() => go(trendAddress(chosen, { span: "86400" }))}>{t.openTrend(chosen.length)}</Button>
        )}
        <label className="quiet nowrap">
          {t.period}{" "}
          <Select aria-label={t.period} value={days} onChange={setDays} options={PERIODS.map((n) => ({ value: n, label: t.days(n) }))} className="period" />
        </label>
        <Button icon={<ReloadOutlined />} aria-label={texts.common.reload} onClick={stored.reload} />
      </div>
      <ErrorBox error={stored.error} reload={stored.reload} />
      <ErrorBox error={health.error} />
      {!stored.rows ? (stored.error ? null : <Waiting rows={10} />)
        : stored.rows.length === 0 && !stored.growing ? <Empty icon={<DatabaseOutlined />} title={t.empty} remedy={t.emptyRemedy} />
        : rows.length === 0 ? <Empty title={t.nothing} />
        : (
          <div className="data-table" role="table" aria-rowcount={rows.length} aria-label={t.points}>
            <Head order={order} days={days} onOrder={setOrder} />
            <VirtualList
              count={rows.length}
              rowHeight={ROW_HEIGHT}
              onRange={(from, until) => setVisible([from, until])}
              row={(i) => {
                const row = rows[i] as Row;
                return <PointRow key={row.point} row={row} health={health.of.get(row.point)} chosen={chosen.includes(row.point)} onChoose={choose} />;
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
  days: number;
  onOrder: (order: Order) => void;
}

function Head({ order, days, onOrder }: HeadProps) {
  const texts = useTexts();
  const t = texts.data;
  const sorted = (by: SortKey, label: string, help?: string, className = "right") => {
    const mine = order.by === by;
    return (
      <span role="columnheader" className={className} aria-sort={mine ? (order.down ? "descending" : "ascending") : "none"} title={help}>
        <button type="button" className="sort" aria-label={t.sortBy(label)} onClick={() => onOrder({ by, down: mine ? !order.down : by !== "point" })}>
          {label} {mine && (order.down ? <CaretDownFilled /> : <CaretUpFilled />)}
        </button>
      </span>
    );
  };
  return (
    <div className="data-row data-head" role="row">
      <span role="columnheader" aria-label={t.openTrend(0)} />
      {sorted("point", t.point, undefined, "")}
      {sorted("rows", t.rows)}
      {sorted("bytes", t.bytes)}
      {sorted("each", t.bytesEach, undefined, "right col-wide")}
      {sorted("rate", t.rate, t.rateHelp)}
      {sorted("first", t.first, undefined, "right col-wide")}
      {sorted("last", t.last)}
      <span role="columnheader" className="right" title={t.goodHelp(t.days(days))}>{t.good}</span>
      <span role="columnheader" className="right" title={t.gapHelp(t.days(days))}>{t.gap}</span>
      <span role="columnheader" aria-label={t.trend} />
    </div>
  );
}

interface RowProps {
  row: Row;
  health: Health | undefined;
  chosen: boolean;
  onChoose: (point: string, on: boolean) => void;
}

/** Below this share the quality is worth a colour. */
const GOOD_MIN = 0.99;

function PointRow({ row, health, chosen, onChoose }: RowProps) {
  const texts = useTexts();
  const t = texts.data;
  const format = useFormat();
  const open = () => {
    const rest: Record<string, string> = row.first && row.last ? { from: row.first, to: row.last } : { span: "86400" };
    go(trendAddress([row.point], rest));
  };
  const poor = health?.good !== null && health !== undefined && health.good < GOOD_MIN;
  return (
    <div className="data-row" role="row" data-point={row.point}>
      <span role="cell"><Checkbox checked={chosen} aria-label={t.choose(row.point)} onChange={(e) => onChoose(row.point, e.target.checked)} /></span>
      <span role="cell" className="data-path" title={row.point}><Link to={branchAddress(row.point)} className="plain-link">{row.point}</Link></span>
      <span role="cell" className="right number" data-cell="rows">{format.count(row.rows)}</span>
      <span role="cell" className="right number">{format.bytes(row.bytes)}</span>
      <span role="cell" className="right number col-wide">{row.rows ? format.fixed(row.each, 2) : "–"}</span>
      <span role="cell" className="right number">{row.rate ? format.figure(row.rate, 3) : "–"}</span>
      <span role="cell" className="right number col-wide quiet">{format.time(row.first)}</span>
      <span role="cell" className="right number quiet">{format.time(row.last)}</span>
      <span role="cell" className={`right number ${poor ? "quality-uncertain" : ""}`} data-cell="good">{!health ? "…" : health.good === null ? "–" : format.percent(health.good)}</span>
      <span role="cell" className="right number" data-cell="gap">{!health ? "…" : health.gapMs === null ? "–" : format.span(roundly(health.gapMs))}</span>
      <span role="cell" className="right"><Button type="text" size="small" icon={<LineChartOutlined />} aria-label={`${t.trend}: ${row.point}`} onClick={open} /></span>
    </div>
  );
}

/** Whole seconds once there are some. */
function roundly(ms: number): number {
  return ms >= 1000 ? Math.round(ms / 1000) * 1000 : Math.round(ms);
}
