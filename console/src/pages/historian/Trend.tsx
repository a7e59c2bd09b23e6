/** The trend page: points picked at the left, curves in the middle, their figures below. */
import { LineChartOutlined } from "@ant-design/icons";
import { App } from "antd";
import { useCallback, useMemo, useState } from "react";
import { api, type Point } from "../../api";
import { useFormat } from "../../format";
import { firstTime } from "../../history";
import { useLoad, useSize, useWatch } from "../../hooks";
import type { PageProps } from "../../page";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { Side } from "../../parts/Side";
import { Tree } from "../../parts/Tree";
import { useFigures } from "../../preferences";
import { go, usePlace } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { EraseButton } from "./EraseDialog";
import { useTrendData } from "./trend-data";
import { useTrendKeys } from "./trend-keys";
import { useNavigation } from "./trend-nav";
import { usePoints } from "./trend-points";
import { fromQuery, fromView, same, saysSomething, SPAN_MS_MIN, START, toQuery, TREND_POINTS_MAX, widened, windowOf, type TrendState } from "./trend-state";
import { useStatistics } from "./trend-stats";
import { TrendLegend } from "./TrendLegend";
import { TrendPanes } from "./TrendPanes";
import { TrendTools } from "./TrendTools";
import { queryOf } from "./view-kinds";

export default function Trend(props: PageProps) {
  const texts = useTexts();
  const { message } = App.useApp();
  const { can } = useSession();
  const { query } = usePlace();
  const viewId = props.rest;
  const views = useLoad("views", api.views);
  const view = views.data?.items.find((v) => v.id === viewId);
  const kept = useMemo(() => (view ? fromView(view.data) : START), [view]);
  const spoken = saysSomething(query);
  const state = useMemo(() => (spoken ? fromQuery(query) : kept), [query, spoken, kept]);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<number>();
  const [figures, setFigures] = useFigures();
  const [area, { width }] = useSize<HTMLDivElement>();

  const change = useCallback((next: Partial<TrendState>) => {
    go(`/trend${viewId ? `/${encodeURIComponent(viewId)}` : ""}?${toQuery({ ...state, ...next })}`, { replace: true });
  }, [state, viewId]);
  const navigation = useNavigation(state, change);
  useTrendKeys(state, navigation, change);

  const { points, missing } = usePoints(state.points);
  const paths = useMemo(() => state.points.filter((p) => points?.some((q) => q.path === p)), [state.points, points]);
  useWatch(paths);
  const data = useTrendData(paths, state, Math.max(0, width - 80));
  const statistics = useStatistics(paths, data, state.versus, figures);

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
  const showAll = async () => {
    const first = paths.length ? await firstTime(paths) : undefined;
    if (first === undefined) void message.info(texts.trend.noData);
    else navigation.goTo({ window: [first, Date.now()] });
  };
  const zoom = ([from, to]: [number, number]) => navigation.goTo({ window: [from, Math.max(to, from + SPAN_MS_MIN)] });
  const lost = viewId && views.data && !view;
  const drawn = points?.some((p) => p.kind !== "text" && p.kind !== "json");
  return (
    <div className="split">
      <Side>
        <Tree selected="" onSelect={() => undefined} picked={state.points} onPick={pick} />
      </Side>
      <section className="page trend" aria-label={texts.trend.title}>
        <TrendTools
          state={state}
          view={view}
          views={(views.data?.items ?? []).filter((v) => queryOf(v.data) === undefined)}
          changed={!!view && spoken && !same(state, kept)}
          loading={data.loading}
          interval={data.interval}
          navigation={navigation}
          figures={figures}
          onFigures={setFigures}
          onChange={change}
          onAll={() => void showAll()}
          onViews={views.reload}
        >
          {can("configure") && <EraseButton points={paths} window={() => navigation.window ?? windowOf(state)} onDone={data.reload} />}
        </TrendTools>
        <ErrorBox error={views.error} reload={views.reload} />
        {lost && <Empty title={texts.common.notFound} />}
        <ErrorBox error={missing} />
        <ErrorBox error={data.error} reload={data.reload} />
        <div className="trend-area" ref={area} data-round={data.round} data-loading={data.loading}>
          {state.points.length === 0 ? (
            lost || (viewId && views.loading) ? null
            : <Empty icon={<LineChartOutlined />} title={texts.trend.empty} remedy={texts.trend.emptyRemedy} />
          ) : !points || (data.round === 0 && data.loading) ? <Waiting rows={10} /> : (
            <TrendPanes
              points={points}
              hidden={hidden}
              data={data}
              state={state}
              window={navigation.window}
              onZoom={zoom}
              onMove={navigation.move}
              onWiden={() => navigation.goTo({ window: widened(navigation.window ?? windowOf(state), 3) })}
              onCursor={setCursor}
            />
          )}
          {drawn && data.round > 0 && [...data.curves.values()].every((c) => !c.times.length) && (
            <p className="trend-nothing quiet" role="status">{texts.trend.noData}</p>
          )}
        </div>
        {points && points.length > 0 && (
          <>
            <Hint />
            <TrendLegend
              points={points}
              hidden={hidden}
              data={data}
              statistics={statistics}
              state={state}
              window={navigation.window}
              cursor={cursor}
              figures={figures}
              onHide={hide}
              onRemove={(path) => change({ points: state.points.filter((p) => p !== path) })}
            />
          </>
        )}
      </section>
    </div>
  );
}

/** How one gets about, what the shades mean, and whose clock it is. */
function Hint() {
  const texts = useTexts();
  const format = useFormat();
  return (
    <p className="quiet trend-hint">
      <span title={texts.trend.keys}>{texts.trend.zoomHint}</span>
      <span className="nowrap">
        <span className="shade shade-uncertain" /> {texts.trend.uncertainShade}
        <span className="shade shade-bad" /> {texts.trend.badShade}
      </span>
      <span className="nowrap">{texts.trend.zone}: {format.zoneText()}</span>
    </p>
  );
}
