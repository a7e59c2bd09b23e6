/** The line above the curves: which time, follow or stand still, saved views, export. */
import {
  CaretRightOutlined,
  DownloadOutlined,
  LeftOutlined,
  LinkOutlined,
  PauseOutlined,
  RightOutlined,
  UndoOutlined,
  ZoomOutOutlined,
} from "@ant-design/icons";
import { App, Button, DatePicker, Dropdown, Segmented, Space, Spin, Tooltip } from "antd";
import dayjs from "dayjs";
import { api, type View } from "../../api";
import { useTexts } from "../../texts";
import { shifted, SPANS, widened, type TrendState } from "./trend-state";
import { ViewMenu } from "./ViewMenu";

interface Props {
  state: TrendState;
  view: View | undefined;
  views: readonly View[];
  changed: boolean;
  canUndo: boolean;
  loading: boolean;
  onChange: (next: Partial<TrendState>, keep?: boolean) => void;
  onUndo: () => void;
  onViews: () => void;
}

type Preset = keyof typeof SPANS;

export function TrendTools(props: Props) {
  const { state, onChange } = props;
  const texts = useTexts();
  const { message } = App.useApp();
  const following = state.window === null;
  const now = (): [number, number] => state.window ?? [Date.now() - state.spanMs, Date.now()];
  const preset = Object.entries(SPANS).find(([, ms]) => following && ms === state.spanMs)?.[0];
  const options = (Object.keys(SPANS) as Preset[]).map((key) => ({ value: key, label: texts.trend.presets[key] }));
  const toggle = () => onChange(following ? { window: now() } : { window: null, spanMs: state.window ? Math.round((state.window[1] - state.window[0]) / 1000) * 1000 || 1000 : state.spanMs });
  const share = async () => {
    await navigator.clipboard.writeText(location.href);
    void message.success(texts.common.copied);
  };
  return (
    <>
    <div className="trend-head">
      <h1>{props.view?.name ?? texts.trend.title}</h1>
      <ViewMenu state={state} view={props.view} views={props.views} changed={props.changed} onViews={props.onViews} />
      <span className="grow" />
      <Tool label={texts.trend.share} icon={<LinkOutlined />} act={() => void share()} />
      <ExportMenu state={state} range={now} />
    </div>
    <div className="toolbar trend-tools">
      <Button
        type={following ? "default" : "primary"}
        icon={following ? <PauseOutlined /> : <CaretRightOutlined />}
        onClick={toggle}
      >
        {following ? texts.trend.pause : texts.trend.follow}
      </Button>
      <Segmented
        aria-label={texts.trend.span}
        options={options}
        value={(preset ?? "") as Preset}
        onChange={(key) => onChange({ spanMs: SPANS[key], window: null }, true)}
      />
      <Space.Compact>
        <Tool label={texts.trend.back} icon={<LeftOutlined />} act={() => onChange({ window: shifted(now(), -0.5) }, true)} />
        <Tool label={texts.trend.out} icon={<ZoomOutOutlined />} act={() => onChange({ window: widened(now(), 2) }, true)} />
        <Tool label={texts.trend.forward} icon={<RightOutlined />} act={() => onChange({ window: shifted(now(), 0.5) }, true)} disabled={following} />
        <Tool label={texts.trend.undo} icon={<UndoOutlined />} act={props.onUndo} disabled={!props.canUndo} />
      </Space.Compact>
      <DatePicker.RangePicker
        showTime
        allowClear={false}
        className="range"
        placeholder={[texts.trend.from, texts.trend.to]}
        value={state.window ? [dayjs(state.window[0]), dayjs(state.window[1])] : null}
        disabledDate={(day) => day.isAfter(dayjs().endOf("day"))}
        onChange={(range) => {
          const [from, to] = [range?.[0]?.valueOf(), range?.[1]?.valueOf()];
          if (from !== undefined && to !== undefined && from < to) onChange({ window: [from, to] }, true);
        }}
      />
      <Spin size="small" spinning={props.loading} className="trend-busy" />
    </div>
    </>
  );
}

function Tool(props: { label: string; icon: React.ReactNode; act: () => void; disabled?: boolean }) {
  return (
    <Tooltip title={props.label}>
      <Button icon={props.icon} aria-label={props.label} disabled={props.disabled} onClick={props.act} />
    </Tooltip>
  );
}

function ExportMenu(props: { state: TrendState; range: () => [number, number] }) {
  const texts = useTexts();
  const { points } = props.state;
  const link = (format: "csv" | "parquet", label: string) => {
    const [from, to] = props.range();
    const query = { points, start: new Date(from).toISOString(), stop: new Date(to).toISOString() };
    return { key: format, label: <a href={api.exported(query, format)} download>{label}</a> };
  };
  return (
    <Dropdown
      trigger={["click"]}
      disabled={!points.length}
      popupRender={(menu) => menu}
      menu={{ items: [link("csv", texts.trend.csv), link("parquet", texts.trend.parquet)] }}
    >
      <Button icon={<DownloadOutlined />}>{texts.trend.export}</Button>
    </Dropdown>
  );
}
