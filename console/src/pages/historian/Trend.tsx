/** The trend page: points picked at the left, curves in the middle, their values below. */
import { LineChartOutlined } from "@ant-design/icons";
import { App } from "antd";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, type Point } from "../../api";
import { useFormat } from "../../format";
import { useKey, useLoad, useSize, useWatch } from "../../hooks";
import { Problem } from "../../http";
import type { PageProps } from "../../page";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { Side } from "../../parts/Side";
import { Tree } from "../../parts/Tree";
import { go, usePlace } from "../../router";
import { useTexts } from "../../texts";
import { TrendLegend } from "./TrendLegend";
import { TrendPanes } from "./TrendPanes";
import { TrendTools } from "./TrendTools";
import { useTrendData } from "./trend-data";
import { fromQuery, fromView, same, saysSomething, START, toQuery, TREND_POINTS_MAX, widened, type TrendState } from "./trend-state";

const RETRY_MS = 2000;

export default function Trend(props: PageProps) {
  const texts = useTexts();
  const { message } = App.useApp();
  const { query } = usePlace();
  const format = useFormat();
  const viewId = props.rest;
  const views = useLoad("views", api.views);
  const view = views.data?.items.find((v) => v.id === viewId);
  const kept = useMemo(() => (view ? fromView(view.data) : START), [view]);
  const spoken = saysSomething(query);
  const state = useMemo(() => (spoken ? fromQuery(query) : kept), [query, spoken, kept]);
  const [past, setPast] = useState<TrendState[]>([]);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<number>();
  const [area, { width }] = useSize<HTMLDivElement>();

  const change = useCallback((next: Partial<TrendState>, keep = false) => {
    const full = { ...state, ...next };
    if (keep) setPast((list) => [...list.slice(-30), state]);
    go(`/trend${viewId ? `/${encodeURIComponent(viewId)}` : ""}?${toQuery(full)}`, { replace: true });
  }, [state, viewId]);
  const undo = useCallback(() => {
    const last = past.at(-1);
    if (!last) return;
    setPast(past.slice(0, -1));
    change({ spanMs: last.spanMs, window: last.window });
  }, [past, change]);
  useKey("Escape", undo);

  const { points, missing } = usePoints(state.points);
  const paths = useMemo(() => state.points.filter((p) => points?.some((q) => q.path === p)), [state.points, points]);
  useWatch(paths);
  const data = useTrendData(paths, state.spanMs, state.window, Math.max(0, width - 80));
  const now = () => state.window ?? [Date.now() - state.spanMs, Date.now()] as [number, number];

  const pick = (point: Point, on: boolean) => {
    const rest = state.points.filter((p) => p !== point.path);
    if (on && rest.length >= TREND_POINTS_MAX) void message.warning(texts.trend.maxPoints(TREND_POINTS_MAX));
    else change({ points: on ? [...rest, point.path] : rest });
  };
  const hide = (path: string) => setHidden((before) => {
    const after = new Set(before);
    if (!after.delete(path)) after.add(path);
    return after;
  });
  const lost = viewId && views.data && !view;
  return (
    <div className="split">
      <Side>
        <Tree selected="" onSelect={() => undefined} picked={state.points} onPick={pick} />
      </Side>
      <section className="page trend" aria-label={texts.trend.title}>
        <TrendTools
          state={state}
          view={view}
          views={views.data?.items ?? []}
          changed={!!view && spoken && !same(state, kept)}
          canUndo={past.length > 0}
          loading={data.loading}
          onChange={change}
          onUndo={undo}
          onViews={views.reload}
        />
        <ErrorBox error={views.error} reload={views.reload} />
        {lost && <Empty title={texts.common.notFound} />}
        <ErrorBox error={missing} />
        <ErrorBox error={data.error} reload={data.reload} />
        <div className="trend-area" ref={area}>
          {state.points.length === 0 ? (
            lost || (viewId && views.loading) ? null
            : <Empty icon={<LineChartOutlined />} title={texts.trend.empty} remedy={texts.trend.emptyRemedy} />
          ) : !points || (data.round === 0 && data.loading) ? <Waiting rows={10} /> : (
            <TrendPanes
              points={points}
              hidden={hidden}
              data={data}
              spanMs={state.spanMs}
              window={state.window}
              onZoom={(from, to) => change({ window: [from, Math.max(to, from + 50)] }, true)}
              onWiden={() => change({ window: widened(now(), 3) }, true)}
              onCursor={setCursor}
            />
          )}
        </div>
        {points && points.length > 0 && (
          <>
            <p className="quiet trend-hint"><span>{texts.trend.zoomHint}</span><span>{texts.trend.zone}: {format.zoneText()}</span></p>
            <TrendLegend
              points={points}
              hidden={hidden}
              data={data}
              spanMs={state.spanMs}
              window={state.window}
              cursor={cursor}
              onHide={hide}
              onRemove={(path) => change({ points: state.points.filter((p) => p !== path) })}
            />
          </>
        )}
      </section>
    </div>
  );
}

/** What is known of the points by their paths; a path that leads nowhere is told, not fatal. */
function usePoints(paths: readonly string[]): { points: Point[] | undefined; missing: unknown } {
  const known = useRef(new Map<string, Point>());
  const [result, setResult] = useState<{ points?: Point[]; missing?: unknown }>({});
  const key = paths.join("\n");
  useEffect(() => {
    const abort = new AbortController();
    let timer: number | undefined;
    const load = async () => {
      let missing: unknown;
      await Promise.all(paths.filter((p) => !known.current.has(p)).map(async (path) => {
        try {
          known.current.set(path, await api.point(path, abort.signal));
        } catch (error) {
          missing = error;
        }
      }));
      if (abort.signal.aborted) return;
      setResult({ points: paths.flatMap((p) => known.current.get(p) ?? []), missing });
      // A server that is away or busy comes back; a point that does not exist stays missing.
      if (missing instanceof Problem && (missing.status === 0 || missing.status >= 500)) {
        timer = window.setTimeout(() => void load(), RETRY_MS);
      }
    };
    void load();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [key]);
  return { points: paths.length ? result.points : [], missing: result.missing };
}
