/** One control chart in full: two plots, what violates and why, capability, limits to learn. */
import { ArrowLeftOutlined, BulbOutlined, DeleteOutlined, EditOutlined } from "@ant-design/icons";
import { Alert, App, Button, Popconfirm, Segmented, Tooltip } from "antd";
import { useMemo, useState } from "react";
import { useFormat } from "../../../format";
import { useKey, useLoad, useReading, useWatch } from "../../../hooks";
import { Empty, ErrorBox, explain, Waiting } from "../../../parts/Notice";
import { Link } from "../../../parts/Link";
import { go, trendAddress, usePlace } from "../../../router";
import { useSession } from "../../../session";
import { useTexts } from "../../../texts";
import { Capability } from "./Capability";
import { CauseDialog } from "./CauseDialog";
import { ChartDefinition } from "./ChartDefinition";
import { ChartMark } from "./ChartMark";
import { ChartPlot } from "./ChartPlot";
import { LearnDialog } from "./LearnDialog";
import { Violations } from "./Violations";
import { linesOf } from "./chart-lines";
import { chartAddress, chartsApi, isMeasured, type ChartView } from "./charts-api";

/** Spans that may be shown, and how often each is loaded anew. */
const SPANS: Record<string, number> = { "-1h": 5000, "-8h": 15_000, "-1d": 30_000, "-7d": 120_000, "-30d": 300_000 };

export function ChartPage({ view, reload }: { view: ChartView; reload: () => void }) {
  const { chart, standing } = view;
  const all = useTexts();
  const texts = all.spc;
  const format = useFormat();
  const { can } = useSession();
  const { message } = App.useApp();
  const { query } = usePlace();
  const asked = query.get("span") ?? "";
  const span = asked in SPANS ? asked : "-8h";
  const [at, setAt] = useState<number>();
  const [dialog, setDialog] = useState<"learn" | "change" | "cause">();
  useWatch([view.out]);
  const told = useReading(view.out);
  const key = `${chart.name} ${span} ${JSON.stringify(view.phases)} ${told?.timeMs ?? ""}`;
  const found = useLoad(key, (signal) => chartsApi.data(chart.name, span, signal), SPANS[span]);
  const [kept, setKept] = useState(found.data);
  if (found.data && found.data !== kept) setKept(found.data);
  const data = found.data ?? (found.error ? undefined : kept);
  const lines = useMemo(() => data && linesOf(data, view, texts), [data, view.unit, chart.kind, texts]);
  const violations = data?.violations ?? [];
  const chosen = at === undefined ? undefined : violations[at];
  const place = chosen && data ? data.time_ns.indexOf(chosen.time_ns) : undefined;
  const choose = (spot: number) => {
    const time = data?.time_ns[spot];
    const index = violations.findIndex((v) => v.time_ns === time);
    setAt(index < 0 ? undefined : index);
  };
  const idle = dialog === undefined;
  const step = (by: number) => violations.length && setAt(Math.min(Math.max((at ?? (by > 0 ? -1 : violations.length)) + by, 0), violations.length - 1));
  useKey("ArrowRight", () => idle && step(1));
  useKey("ArrowLeft", () => idle && step(-1));
  // The letter itself must not land in the field that is focused next.
  const open = (e: KeyboardEvent, which: "cause" | "learn") => { e.preventDefault(); setDialog(which); };
  useKey("c", (e) => idle && chosen && can("write") && open(e, "cause"));
  useKey("l", (e) => idle && open(e, "learn"));
  useKey("Escape", () => idle && go("/spc"));
  const remove = async () => {
    try {
      await chartsApi.remove(chart.name);
      go("/spc");
      reload();
    } catch (error) {
      const { sentence, remedy } = explain(error, all);
      void message.error(`${sentence} ${remedy}`);
    }
  };
  const close = () => setDialog(undefined);
  const changed = () => { close(); reload(); found.reload(); };
  return (
    <section className="page chart-page" aria-label={chart.name}>
      <div className="page-head">
        <Button type="text" icon={<ArrowLeftOutlined />} aria-label={texts.back} onClick={() => go("/spc")} />
        <h1>{chart.name}</h1>
        <ChartMark view={view} />
        <span className="grow" />
        <Button icon={<BulbOutlined />} onClick={() => setDialog("learn")}>{texts.learn}</Button>
        {can("configure") && (
          <Tooltip title={view.in_file ? texts.inFile : ""}>
            <Button icon={<EditOutlined />} disabled={view.in_file} onClick={() => setDialog("change")}>{texts.change}</Button>
          </Tooltip>
        )}
        {can("configure") && !view.in_file && (
          <Popconfirm title={texts.removeSure} onConfirm={() => void remove()}>
            <Button icon={<DeleteOutlined />} aria-label={texts.remove} />
          </Popconfirm>
        )}
      </div>
      <div className="toolbar">
        <Segmented
          value={span}
          onChange={(next) => go(chartAddress(chart.name, next), { replace: true })}
          options={Object.keys(SPANS).map((value) => ({ value, label: texts.span[value] }))}
        />
        <span className="quiet small">{texts.kinds[chart.kind]} · <Link to={trendAddress([chart.point])} title={texts.trend}>{chart.point}</Link></span>
        {data && <span className="quiet small">{data.value.length < data.total ? texts.shown(format.count(data.value.length), format.count(data.total)) : texts.points(format.count(data.total))}</span>}
        <span className="grow" />
        <span className="quiet small keys-hint">{texts.pageKeys}</span>
      </div>
      {view.trouble && <Alert type="warning" showIcon title={view.trouble} />}
      {data?.provisional && <Alert type="info" showIcon title={texts.provisional} />}
      {data && !data.exact && <Alert type="info" showIcon title={texts.inexact} />}
      {standing.late > 0 && <p className="quiet small">{texts.late(format.count(standing.late))}</p>}
      <ErrorBox error={found.error} reload={found.reload} />
      <div className="scroll">
        {!data && !found.error ? <Waiting /> : data && lines && !data.total ? <Empty title={texts.emptyTitle} remedy={texts.emptyRemedy} /> : data && lines && (
          <>
            <div className="panel chart-plots">
              <ChartPlot lines={lines.value} height={260} chosen={place} onChoose={choose} />
              {lines.spread && <ChartPlot lines={lines.spread} height={150} chosen={place} onChoose={choose} />}
              <PhaseNote data={data} />
            </div>
            <div className="chart-below">
              <div className="panel">
                <h2>{texts.violations} {data.violating > 0 && <span className="quiet">({format.count(data.violating)})</span>}</h2>
                <Violations data={data} at={at} onChoose={setAt} onCause={can("write") ? (i) => { setAt(i); setDialog("cause"); } : undefined} />
              </div>
              {isMeasured(chart.kind) && <Capability chart={chart} span={span} unit={view.unit} />}
            </div>
          </>
        )}
      </div>
      {dialog === "learn" && <LearnDialog view={view} onClose={close} onChanged={changed} />}
      {dialog === "change" && <ChartDefinition chart={chart} onClose={close} onSaved={changed} />}
      {dialog === "cause" && chosen && <CauseDialog name={chart.name} point={chosen} onClose={close} onSaved={changed} />}
    </section>
  );
}

function PhaseNote({ data }: { data: import("./charts-api").ChartData }) {
  const texts = useTexts().spc;
  const format = useFormat();
  const phase = data.phases[data.phase.at(-1) ?? 0];
  const low = data.lower.at(-1);
  const high = data.upper.at(-1);
  if (!phase) return null;
  return (
    <p className="quiet small chart-note">
      {texts.phase} {(data.phase.at(-1) ?? 0) + 1}{phase.start_ns > 0 && ` ${texts.phaseFrom(format.time(phase.start_ns / 1e6))}`}
      {" · "}{texts.centre} {format.figure(phase.known.centre, 6)}
      {phase.known.sigma > 0 && <> · {texts.sigma} {format.figure(phase.known.sigma, 4)}</>}
      {typeof low === "number" && typeof high === "number" && <> · {texts.limits} {format.figure(low, 6)} – {format.figure(high, 6)}</>}
    </p>
  );
}
