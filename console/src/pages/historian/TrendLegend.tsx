/** What the curves are, with their values at the cursor or now. */
import { CloseOutlined, EyeInvisibleOutlined, EyeOutlined } from "@ant-design/icons";
import { Button } from "antd";
import type { Point } from "../../api";
import { leaf, parentOf, unitText, useFormat } from "../../format";
import { useNow } from "../../hooks";
import { Link } from "../../parts/Link";
import { QualityText, ValueText } from "../../parts/Reading";
import { useMode } from "../../preferences";
import { qualityName, severity } from "../../quality";
import { branchAddress } from "../../router";
import { useTexts } from "../../texts";
import { PALETTES } from "../../theme";
import { indexAt, summary, type TrendData } from "./trend-data";

interface Props {
  points: readonly Point[];
  hidden: ReadonlySet<string>;
  data: TrendData;
  spanMs: number;
  window: [number, number] | null;
  cursor: number | undefined;
  onHide: (path: string) => void;
  onRemove: (path: string) => void;
}

export function TrendLegend(props: Props) {
  const texts = useTexts();
  const format = useFormat();
  const now = useNow();
  const to = props.window?.[1] ?? now;
  const from = props.window?.[0] ?? to - props.spanMs;
  const { cursor } = props;
  return (
    <div className="legend-box">
      <table className="legend">
        <thead>
          <tr>
            <th scope="col">{texts.live.point}</th>
            <th scope="col" className="right">
              {cursor === undefined ? (props.window ? texts.live.value : texts.trend.now) : format.clockTimeMs(cursor)}
            </th>
            <th scope="col">{texts.quality.title}</th>
            <th scope="col" className="right">{texts.trend.min}</th>
            <th scope="col" className="right">{texts.trend.mean}</th>
            <th scope="col" className="right">{texts.trend.max}</th>
            <th scope="col">{texts.trend.detail}</th>
            <th scope="col" aria-label={texts.common.remove} />
          </tr>
        </thead>
        <tbody>
          {props.points.map((point, i) => (
            <LegendRow key={point.path} {...props} point={point} index={i} from={from} to={to} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps extends Props {
  point: Point;
  index: number;
  from: number;
  to: number;
}

function LegendRow({ point, index, from, to, data, cursor, hidden, ...props }: RowProps) {
  const texts = useTexts();
  const format = useFormat();
  const mode = useMode();
  const palette = PALETTES[mode].series;
  const curve = data.curves.get(point.path);
  const off = hidden.has(point.path);
  const text = point.kind === "text" || point.kind === "json";
  const { min, max, mean } = curve && !text ? summary(curve, from, to) : { min: null, max: null, mean: null };
  const unit = unitText(point.unit);
  // Live while following and pointing nowhere; else as it was at that time.
  const at = cursor ?? (props.window ? to : undefined);
  const i = curve && at !== undefined ? indexAt(curve.times, at) : -1;
  const grade = i >= 0 ? severity(curve?.quality[i] ?? 0) : "good";
  const then = i >= 0 ? format.value(curve?.texts[i] ?? rounded(curve?.values[i], point), point) : "–";
  const form = !curve ? "" : curve.bucketMs ? texts.trend.bucket(format.span(curve.bucketMs)) : texts.trend.raw;
  return (
    <tr className={off ? "off" : ""} data-curve={point.path} data-form={curve ? (curve.bucketMs ? "buckets" : "raw") : ""} data-count={curve?.times.length ?? 0}>
      <th scope="row">
        <span className="swatch" style={{ background: palette[index % palette.length] }} />
        <Link to={branchAddress(point.path)} title={point.path}>{leaf(point.path)}</Link>
        <span className="quiet legend-asset">{parentOf(point.path)}</span>
      </th>
      <td className="right number">
        {at === undefined ? <ValueText point={point} unit /> : <><span className={`value value-${grade}`}>{then}</span><span className="unit">{unit}</span></>}
      </td>
      <td>
        {at === undefined ? <QualityText point={point} />
          : i < 0 ? "" : <span className={grade === "good" ? "quiet" : `quality-${grade}`}>{grade === "good" ? texts.quality.good : qualityName(curve?.quality[i] ?? 0)}</span>}
      </td>
      <td className="right number">{format.value(min, point)}</td>
      <td className="right number">{mean === null || point.kind === "enum" ? "–" : point.kind === "boolean" ? format.percent(mean) : format.value(mean, { ...point, kind: "number" })}</td>
      <td className="right number">{format.value(max, point)}</td>
      <td className="quiet" title={curve?.bucketMs ? texts.trend.bucketHelp : undefined}>{form}</td>
      <td className="right nowrap">
        <Button type="text" size="small" icon={off ? <EyeInvisibleOutlined /> : <EyeOutlined />} aria-label={`${off ? texts.trend.show : texts.trend.hide}: ${leaf(point.path)}`} onClick={() => props.onHide(point.path)} />
        <Button type="text" size="small" icon={<CloseOutlined />} aria-label={`${texts.common.remove}: ${leaf(point.path)}`} onClick={() => props.onRemove(point.path)} />
      </td>
    </tr>
  );
}

/** The mean of states is no state: the nearest one is named. */
function rounded(value: number | null | undefined, point: Point): number | null {
  if (value === null || value === undefined) return null;
  return point.kind === "enum" || point.kind === "boolean" ? Math.round(value) : value;
}
