/** Control charts: all of them with their state, or one in full. */
import { LineChartOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useMemo, useRef, useState, useEffect } from "react";
import { useFormat } from "../../../format";
import { useKey, useLoad } from "../../../hooks";
import { Empty, ErrorBox, Waiting } from "../../../parts/Notice";
import { VirtualList, type ListHandle } from "../../../parts/VirtualList";
import { go, usePlace } from "../../../router";
import { useSession } from "../../../session";
import { useTexts } from "../../../texts";
import { ChartDefinition } from "./ChartDefinition";
import { ChartMark } from "./ChartMark";
import { ChartPage } from "./ChartPage";
import { chartAddress, chartsApi, toneOf, type ChartView } from "./charts-api";
import "./charts.css";

const REFRESH_MS = 3000;
const ROW_HEIGHT = 44;

export default function Charts() {
  const texts = useTexts().spc;
  const { can } = useSession();
  const { query } = usePlace();
  const [defining, setDefining] = useState(false);
  const found = useLoad("charts", chartsApi.list, REFRESH_MS);
  const name = query.get("chart");
  const view = found.data?.items.find((v) => v.chart.name === name);
  if (view) return <ChartPage key={view.chart.name} view={view} reload={found.reload} />;
  return (
    <section className="page" aria-label={texts.title}>
      <div className="page-head">
        <h1>{texts.title}</h1>
        <span className="grow" />
        {can("configure") && <Button icon={<PlusOutlined />} onClick={() => setDefining(true)}>{texts.define}</Button>}
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      {found.loading ? <Waiting /> : found.data && <List items={found.data.items} />}
      {defining && <ChartDefinition onClose={() => setDefining(false)} onSaved={(n) => go(chartAddress(n))} />}
    </section>
  );
}

function List({ items }: { items: ChartView[] }) {
  const texts = useTexts().spc;
  const format = useFormat();
  const [search, setSearch] = useState("");
  const [at, setAt] = useState(0);
  const handle = useRef<ListHandle>(null);
  const shown = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const of = (v: ChartView) => `${v.chart.name} ${v.chart.point} ${v.chart.group ?? ""}`.toLowerCase();
    return items.filter((v) => words.every((w) => of(v).includes(w)));
  }, [items, search]);
  const here = Math.min(at, Math.max(shown.length - 1, 0));
  const present = shown[here];
  useEffect(() => handle.current?.show(here), [here]);
  useKey("ArrowDown", (e) => { e.preventDefault(); setAt(Math.min(here + 1, shown.length - 1)); });
  useKey("ArrowUp", (e) => { e.preventDefault(); setAt(Math.max(here - 1, 0)); });
  useKey("Enter", () => present && go(chartAddress(present.chart.name)));
  if (!items.length) return <Empty icon={<LineChartOutlined />} title={texts.noneTitle} remedy={texts.noneRemedy} />;
  const out = items.filter((v) => toneOf(v) === "out").length;
  return (
    <>
      <div className="toolbar">
        <Input.Search allowClear className="filter" placeholder={texts.search} aria-label={texts.search} onChange={(e) => setSearch(e.target.value)} />
        <span role="status" className={out ? "state-bad" : "quiet"}>{texts.count(format.count(items.length))} · {texts.outCount(format.count(out))}</span>
        <span className="grow" />
        <span className="quiet small keys-hint">{texts.keys}</span>
      </div>
      {!shown.length ? <Empty title={texts.nothingFound} /> : (
        <VirtualList
          className="panel chart-list"
          handle={handle}
          count={shown.length}
          rowHeight={ROW_HEIGHT}
          row={(i) => {
            const view = shown[i];
            return view && <Row key={view.chart.name} view={view} chosen={i === here} />;
          }}
        />
      )}
    </>
  );
}

function Row({ view, chosen }: { view: ChartView; chosen: boolean }) {
  const texts = useTexts().spc;
  const format = useFormat();
  const { chart, standing } = view;
  return (
    <div
      className={`chart-row clickable ${chosen ? "chart-chosen" : ""}`}
      style={{ height: ROW_HEIGHT }}
      role="button"
      tabIndex={0}
      data-chart={chart.name}
      data-tone={toneOf(view)}
      aria-current={chosen || undefined}
      onClick={() => go(chartAddress(chart.name))}
    >
      <ChartMark view={view} />
      <span className="chart-name"><strong>{chart.name}</strong><span className="quiet small">{chart.point}</span></span>
      <span className="quiet small chart-kind">{texts.kinds[chart.kind]}</span>
      <span className="number right chart-value">{standing.value === null ? "–" : format.figure(standing.value, 5)}</span>
      <span className="quiet nowrap right chart-since">{standing.time_ns ? format.time(standing.time_ns / 1e6) : ""}</span>
    </div>
  );
}
