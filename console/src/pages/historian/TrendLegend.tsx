/** What the curves are, with their values at the cursor or now, and figures of the span. */
import { CloseOutlined, EyeInvisibleOutlined, EyeOutlined } from "@ant-design/icons";
import { Button, Tooltip } from "antd";
import { aggregated } from "../../aggregates";
import type { Point } from "../../api";
import { leaf, parentOf, unitText, useFormat } from "../../format";
import type { Curve, Statistics } from "../../history";
import { Link } from "../../parts/Link";
import { explain } from "../../parts/Notice";
import { QualityText, ValueText } from "../../parts/Reading";
import { useMode } from "../../preferences";
import { qualityName, severity } from "../../quality";
import { branchAddress } from "../../router";
import { useTexts } from "../../texts";
import { PALETTES } from "../../theme";
import { indexAt } from "./chart-data";
import { ghostOf, type TrendData } from "./trend-data";
import { lengthOf, type TrendState, type Window } from "./trend-state";
import type { TrendStatistics } from "./trend-stats";

interface Props {
  points: readonly Point[];
  hidden: ReadonlySet<string>;
  data: TrendData;
  statistics: TrendStatistics;
  state: TrendState;
  window: Window | null;
  cursor: number | undefined;
  /** Whether the figures of the span are shown. */
  figures: boolean;
  onHide: (key: string) => void;
  onRemove: (path: string) => void;
}

const NOTHING: Statistics = { min: null, max: null, mean: null, timeMean: null, deviation: null, count: null, good: null };

export function TrendLegend(props: Props) {
  const texts = useTexts();
  const format = useFormat();
  const { cursor, figures } = props;
  const versus = lengthOf(props.state.versus);
  const t = texts.trend;
  const { sentence, remedy } = explain(props.statistics.error, texts);
  return (
    <div className="legend-box">
      <table className={`legend ${figures ? "figures" : ""}`}>
        <thead>
          <tr>
            <th scope="col">{texts.live.point}</th>
            <th scope="col" className="right">
              {cursor === undefined ? (props.window ? texts.live.value : t.now) : format.pointer(cursor, props.data.span.stop - props.data.span.start)}
            </th>
            <th scope="col">{texts.quality.title}</th>
            {figures && (
              <>
                <th scope="col" className="right">{t.min}</th>
                <th scope="col" className="right">{t.mean}</th>
                <th scope="col" className="right"><Tooltip title={t.timeMeanHelp}>{t.timeMean}</Tooltip></th>
                <th scope="col" className="right">{t.max}</th>
                <th scope="col" className="right">{t.deviation}</th>
                <th scope="col" className="right"><Tooltip title={t.countHelp}>{t.count}</Tooltip></th>
                <th scope="col" className="right"><Tooltip title={t.goodShareHelp}>{t.goodShare}</Tooltip></th>
              </>
            )}
            <th scope="col" className="col-detail">{t.detail}</th>
            <th scope="col" aria-label={texts.common.remove} />
          </tr>
        </thead>
        <tbody>
          {props.points.flatMap((point, i) => [
            <LegendRow key={point.path} {...props} point={point} index={i} />,
            versus && point.kind !== "text" && point.kind !== "json" && (
              <LegendRow key={ghostOf(point.path)} {...props} point={point} index={i} earlier={t.earlier(t.lengths[versus[1]](versus[0]))} />
            ),
          ])}
        </tbody>
      </table>
      {figures && !!props.statistics.error && (
        <p className="quiet small legend-note">{texts.trend.statistics}: {sentence} {remedy}</p>
      )}
    </div>
  );
}

interface RowProps extends Props {
  point: Point;
  index: number;
  /** How far back the period of this row lies; without it, it is the visible one. */
  earlier?: string;
}

function LegendRow({ point, index, data, cursor, hidden, earlier, state, ...props }: RowProps) {
  const texts = useTexts();
  const mode = useMode();
  const palette = PALETTES[mode].series;
  const key = earlier ? ghostOf(point.path) : point.path;
  const curve = data.curves.get(key);
  const off = hidden.has(key);
  const name = earlier ? `${leaf(point.path)}, ${earlier}` : leaf(point.path);
  const colour = palette[index % palette.length];
  const detail = detailOf(curve, state, texts);
  return (
    <tr
      className={`${off ? "off" : ""} ${earlier ? "ghost" : ""}`}
      data-curve={key}
      data-form={!curve ? "" : curve.interval ? "aggregate" : curve.reduced ? "reduced" : "raw"}
      data-count={curve?.times.length ?? 0}
    >
      <th scope="row">
        <span className={`swatch ${earlier ? "dashed" : ""}`} style={{ color: colour }} />
        {earlier ? <span className="quiet">{leaf(point.path)}, {earlier}</span> : (
          <>
            <Link to={branchAddress(point.path)} title={point.path}>{leaf(point.path)}</Link>
            <span className="quiet legend-asset">{parentOf(point.path)}</span>
          </>
        )}
      </th>
      <NowCells point={point} curve={curve} state={state} window={props.window} cursor={cursor} ghost={!!earlier} />
      {props.figures && <Figures point={point} of={props.statistics.of.get(key) ?? NOTHING} />}
      <td className="quiet col-detail" title={curve?.reduced ? texts.trend.reducedHelp : undefined}>{detail}</td>
      <td className="right nowrap">
        <Button type="text" size="small" icon={off ? <EyeInvisibleOutlined /> : <EyeOutlined />} aria-label={`${off ? texts.trend.show : texts.trend.hide}: ${name}`} onClick={() => props.onHide(key)} />
        {!earlier && <Button type="text" size="small" icon={<CloseOutlined />} aria-label={`${texts.common.remove}: ${name}`} onClick={() => props.onRemove(point.path)} />}
      </td>
    </tr>
  );
}

interface NowProps {
  point: Point;
  curve: Curve | undefined;
  state: TrendState;
  window: Window | null;
  cursor: number | undefined;
  ghost: boolean;
}

/** Live while following and pointing nowhere; else as it was at that time. */
function NowCells({ point, curve, state, window, cursor, ghost }: NowProps) {
  const texts = useTexts();
  const format = useFormat();
  const name = state.aggregate?.function;
  const shown = name ? aggregated(point, name) : point;
  const at = cursor ?? window?.[1] ?? (ghost || name ? Infinity : undefined);
  if (at === undefined) {
    return <><td className="right number"><ValueText point={point} unit /></td><td><QualityText point={point} /></td></>;
  }
  const i = curve ? indexAt(curve.times, at) : -1;
  const code = i >= 0 ? curve?.quality[i] ?? 0 : 0;
  const grade = severity(code);
  const value = i >= 0 ? format.value(curve?.texts[i] ?? curve?.values[i] ?? null, shown) : "–";
  return (
    <>
      <td className="right number">
        <span className={`value value-${grade}`}>{value}</span>
        <span className="unit">{value === "–" ? "" : unitText(shown.unit)}</span>
      </td>
      <td>{i < 0 ? "" : <span className={grade === "good" ? "quiet" : `quality-${grade}`}>{grade === "good" ? texts.quality.good : qualityName(code)}</span>}</td>
    </>
  );
}

function Figures({ point, of }: { point: Point; of: Statistics }) {
  const format = useFormat();
  const number = { ...point, kind: "number" as const, names: {} };
  const mean = (value: number | null) =>
    value === null || point.kind === "enum" ? "–" : point.kind === "boolean" ? format.percent(value) : format.value(value, number);
  return (
    <>
      <td className="right number" data-figure="min">{format.value(of.min, point)}</td>
      <td className="right number" data-figure="mean">{mean(of.mean)}</td>
      <td className="right number" data-figure="time-mean">{mean(of.timeMean)}</td>
      <td className="right number" data-figure="max">{format.value(of.max, point)}</td>
      <td className="right number" data-figure="deviation">{of.deviation === null || point.kind === "enum" || point.kind === "boolean" ? "–" : format.deviation(of.deviation)}</td>
      <td className="right number" data-figure="count">{of.count === null ? "–" : format.count(of.count)}</td>
      <td className="right number" data-figure="good">{of.good === null ? "–" : format.percent(of.good)}</td>
    </>
  );
}

function detailOf(curve: Curve | undefined, state: TrendState, texts: ReturnType<typeof useTexts>): string {
  if (!curve) return "";
  if (curve.interval && state.aggregate) return texts.trend.perInterval(texts.functions[state.aggregate.function], curve.interval);
  return curve.reduced ? texts.trend.reduced : texts.trend.raw;
}
