/** Frames over each other, aligned; how far each is from the first. */
import { Segmented, Table } from "antd";
import { useFormat } from "../../format";
import { useMode } from "../../preferences";
import { Link } from "../../parts/Link";
import { Empty } from "../../parts/Notice";
import { go, usePlace } from "../../router";
import { useTexts } from "../../texts";
import { PALETTES } from "../../theme";
import { FrameCurves } from "./FrameCurves";
import { ALIGNS, compareAddress, COMPARED_MAX, frameAddress, type Align, type Comparison } from "./frames-api";

export default function FrameCompare() {
  const texts = useTexts();
  const { query } = usePlace();
  const keys = query.getAll("f").slice(0, COMPARED_MAX);
  const points = query.getAll("p");
  const align = ALIGNS.find((a) => a === query.get("align")) ?? "start";
  if (!keys.length) return <Empty title={texts.frames.nothing} remedy={texts.frames.chooseFrames} />;
  return (
    <div className="scroll frame-page">
      <div className="toolbar">
        <Segmented<Align>
          aria-label={texts.frames.align}
          value={align}
          onChange={(next) => go(compareAddress(keys, points, next), { replace: true })}
          options={ALIGNS.map((value) => ({ value, label: texts.frames.aligns[value], title: texts.frames.alignHints[value] }))}
        />
        <span className="quiet small">{texts.frames.envelope}</span>
      </div>
      <FrameCurves keys={keys} points={points} align={align} onPoints={(next) => go(compareAddress(keys, next, align), { replace: true })}>
        {(found) => <Distances keys={keys} found={found} />}
      </FrameCurves>
    </div>
  );
}

function Distances({ keys, found }: { keys: readonly string[]; found: Comparison }) {
  const texts = useTexts();
  const format = useFormat();
  const palette = PALETTES[useMode()].series;
  const rows = keys.map((key, i) => ({ key, i, start: Number(key.slice(key.lastIndexOf("|") + 1)) / 1e6, distance: found.distance[key] ?? null }));
  return (
    <Table
      size="small"
      rowKey="key"
      pagination={false}
      dataSource={rows}
      columns={[
        { title: texts.frames.begin, key: "start", render: (_, r) => <><span className="swatch" style={{ color: palette[r.i % palette.length] }} /> <Link to={frameAddress(r.key)}>{r.key.split("|")[0]} · {format.time(r.start)}</Link></> },
        { title: <span title={texts.frames.distanceHint}>{texts.frames.distance}</span>, key: "distance", align: "right", className: "number", render: (_, r) => (r.distance === null ? "–" : format.fixed(r.distance, 3)) },
      ]}
    />
  );
}
