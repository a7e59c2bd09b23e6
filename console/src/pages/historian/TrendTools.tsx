/** The lines above the curves: which time, follow or stand still, what is drawn, views, export. */
import {
  CaretRightOutlined,
  LeftOutlined,
  LinkOutlined,
  PauseOutlined,
  RedoOutlined,
  RightOutlined,
  TableOutlined,
  UndoOutlined,
  ZoomOutOutlined,
} from "@ant-design/icons";
import { App, Button, DatePicker, Segmented, Space, Spin, Tooltip } from "antd";
import dayjs from "dayjs";
import type { ReactNode } from "react";
import type { View } from "../../api";
import { useTexts } from "../../texts";
import { CompareMenu } from "./CompareMenu";
import { DrawMenu } from "./DrawMenu";
import { ExportMenu } from "./ExportMenu";
import type { Navigation } from "./trend-nav";
import { shifted, SPANS, widened, windowOf, type TrendState, type Window } from "./trend-state";
import { ViewMenu } from "./ViewMenu";

interface Props {
  state: TrendState;
  view: View | undefined;
  views: readonly View[];
  changed: boolean;
  loading: boolean;
  /** The interval in use for aggregates. */
  interval: string;
  navigation: Navigation;
  figures: boolean;
  onFigures: (on: boolean) => void;
  onChange: (next: Partial<TrendState>) => void;
  onAll: () => void;
  onViews: () => void;
  /** What more stands in the head. */
  children?: ReactNode;
}

type Preset = keyof typeof SPANS | "all";
const ALL = "all";

export function TrendTools(props: Props) {
  const { state, onChange, figures } = props;
  const texts = useTexts();
  const { message } = App.useApp();
  const share = async () => {
    await navigator.clipboard.writeText(location.href);
    void message.success(texts.common.copied);
  };
  const [from, to] = windowOf(state);
  return (
    <>
      <div className="trend-head">
        <h1>{props.view?.name ?? texts.trend.title}</h1>
        <ViewMenu state={state} view={props.view} views={props.views} changed={props.changed} onViews={props.onViews} />
        <span className="grow" />
        <DrawMenu aggregate={state.aggregate} interval={props.interval} onChange={(aggregate) => onChange({ aggregate })} />
        <CompareMenu versus={state.versus} spanMs={to - from} onChange={(versus) => onChange({ versus })} />
        <Tooltip title={texts.trend.statistics}>
          <Button icon={<TableOutlined />} aria-label={texts.trend.statistics} aria-pressed={figures} className={figures ? "pressed" : ""} onClick={() => props.onFigures(!figures)} />
        </Tooltip>
        <Tool label={texts.trend.share} icon={<LinkOutlined />} act={() => void share()} />
        <ExportMenu state={state} interval={props.interval} />
        {props.children}
      </div>
      <TimeTools {...props} />
    </>
  );
}

/** The line about time: presets, steps, a range by the calendar. */
function TimeTools({ state, navigation, loading, onChange, onAll }: Props) {
  const texts = useTexts();
  const t = texts.trend;
  const following = state.window === null;
  const now = (): Window => navigation.window ?? windowOf(state);
  const preset = Object.entries(SPANS).find(([, ms]) => following && ms === state.spanMs)?.[0];
  const options = [
    ...(Object.keys(SPANS) as (keyof typeof SPANS)[]).map((key) => ({ value: key as Preset, label: t.presets[key] })),
    { value: ALL as Preset, label: t.presets.all, tooltip: t.allHelp },
  ];
  const toggle = () => {
    if (following) onChange({ window: now() });
    else navigation.goTo({ window: null, spanMs: followable(now()) });
  };
  const choose = (key: Preset) => (key === ALL ? onAll() : navigation.goTo({ spanMs: SPANS[key], window: null }));
  return (
    <div className="toolbar trend-tools">
      <Button type={following ? "default" : "primary"} icon={following ? <PauseOutlined /> : <CaretRightOutlined />} onClick={toggle}>
        {following ? t.pause : t.follow}
      </Button>
      <Segmented aria-label={t.span} options={options} value={(preset ?? "") as Preset} onChange={choose} />
      <Space.Compact>
        <Tool label={t.back} icon={<LeftOutlined />} act={() => navigation.goTo({ window: shifted(now(), -0.5) })} />
        <Tool label={t.forward} icon={<RightOutlined />} act={() => navigation.goTo({ window: shifted(now(), 0.5) })} disabled={following} />
        <Tool label={t.out} icon={<ZoomOutOutlined />} act={() => navigation.goTo({ window: widened(now(), 2) })} />
      </Space.Compact>
      <Space.Compact>
        <Tool label={t.undo} icon={<UndoOutlined />} act={navigation.back} disabled={!navigation.canBack} />
        <Tool label={t.redo} icon={<RedoOutlined />} act={navigation.forward} disabled={!navigation.canForward} />
      </Space.Compact>
      <DatePicker.RangePicker
        showTime
        allowClear={false}
        className="range"
        placeholder={[t.from, t.to]}
        value={navigation.window ? [dayjs(navigation.window[0]), dayjs(navigation.window[1])] : null}
        disabledDate={(day) => day.isAfter(dayjs().endOf("day"))}
        onChange={(range) => {
          const [from, to] = [range?.[0]?.valueOf(), range?.[1]?.valueOf()];
          if (from !== undefined && to !== undefined && from < to) navigation.goTo({ window: [from, to] });
        }}
      />
      <Spin size="small" spinning={loading} delay={300} className="trend-busy" />
    </div>
  );
}

/** A span to follow: whole seconds, as they stand in the address. */
export function followable([from, to]: Window): number {
  return Math.max(1000, Math.round((to - from) / 1000) * 1000);
}

function Tool(props: { label: string; icon: ReactNode; act: () => void; disabled?: boolean }) {
  return (
    <Tooltip title={props.label}>
      <Button icon={props.icon} aria-label={props.label} disabled={props.disabled} onClick={props.act} />
    </Tooltip>
  );
}
