/** Points one under the other, with everything that matters about each. */
import { EditOutlined, LineChartOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useRef, useState } from "react";
import type { Point } from "../../api";
import { leaf, parentOf, unitText } from "../../format";
import { Link } from "../../parts/Link";
import { AgeText, QualityText, ValueText } from "../../parts/Reading";
import { Sparkline } from "../../parts/Sparkline";
import { VirtualList, type ListHandle } from "../../parts/VirtualList";
import { WriteDialog } from "../../parts/WriteDialog";
import { branchAddress, go, trendAddress } from "../../router";
import { useTexts } from "../../texts";
import { useWritable } from "../../writable";

interface Props {
  points: readonly Point[];
  branch: string;
  marked?: string;
}

export function PointTable({ points, branch, marked }: Props) {
  const texts = useTexts();
  const [writing, setWriting] = useState<Point>();
  const list = useRef<ListHandle>(null);
  const several = points.some((p) => parentOf(p.path) !== branch);
  useEffect(() => {
    if (marked) list.current?.show(points.findIndex((p) => p.path === marked));
  }, [marked]);
  return (
    <div className={`point-table ${several ? "several" : ""}`} role="table" aria-rowcount={points.length}>
      <div className="point-row point-head" role="row">
        <span role="columnheader">{texts.live.point}</span>
        {several && <span role="columnheader" className="col-asset">{texts.live.asset}</span>}
        <span role="columnheader" className="col-value">{texts.live.value}</span>
        <span role="columnheader">{texts.live.unit}</span>
        <span role="columnheader">{texts.live.quality}</span>
        <span role="columnheader" className="col-age">{texts.live.age}</span>
        <span role="columnheader" className="col-spark">{texts.live.recent}</span>
        <span role="columnheader" aria-label={texts.live.trend} />
      </div>
      <VirtualList
        count={points.length}
        rowHeight={40}
        handle={list}
        row={(i) => {
          const point = points[i] as Point;
          return (
            <PointRow
              key={point.path}
              point={point}
              several={several}
              branch={branch}
              marked={point.path === marked}
              onWrite={setWriting}
            />
          );
        }}
      />
      {writing && <WriteDialog point={writing} onClose={() => setWriting(undefined)} />}
    </div>
  );
}

interface RowProps {
  point: Point;
  several: boolean;
  branch: string;
  marked: boolean;
  onWrite: (point: Point) => void;
}

function PointRow({ point, several, branch, marked, onWrite }: RowProps) {
  const texts = useTexts();
  const writable = useWritable(point);
  const asset = parentOf(point.path);
  const below = branch ? asset.slice(branch.length + 1) : asset;
  return (
    <div className={`point-row ${marked ? "marked" : ""}`} role="row" data-point={point.path}>
      <span role="cell" className="col-name" title={point.description || point.path}>
        <span className="point-name">{leaf(point.path)}</span>
        {point.description && <span className="quiet point-description">{point.description}</span>}
      </span>
      {several && (
        <span role="cell" className="col-asset">
          <Link to={branchAddress(asset)} className="quiet-link" title={asset}>{below || leaf(asset)}</Link>
        </span>
      )}
      <span role="cell" className="col-value"><ValueText point={point} /></span>
      <span role="cell" className="quiet">{unitText(point.unit)}</span>
      <span role="cell" className="col-quality"><QualityText point={point} /></span>
      <span role="cell" className="col-age"><AgeText path={point.path} /></span>
      <span role="cell" className="col-spark"><Sparkline path={point.path} kind={point.kind} /></span>
      <span role="cell" className="col-acts">
        <Button
          type="text"
          size="small"
          icon={<LineChartOutlined />}
          title={texts.live.trend}
          aria-label={`${texts.live.trend}: ${leaf(point.path)}`}
          onClick={() => go(trendAddress([point.path]))}
        />
        {writable && (
          <Button
            type="text"
            size="small"
            icon={<EditOutlined />}
            title={texts.live.write}
            aria-label={`${texts.live.write}: ${leaf(point.path)}`}
            onClick={() => onWrite(point)}
          />
        )}
      </span>
    </div>
  );
}
