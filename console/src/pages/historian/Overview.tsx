/** A branch of the plant, live: cards of its assets, or a table of its points. */
import { AppstoreOutlined, BarsOutlined, LineChartOutlined } from "@ant-design/icons";
import { Button, Checkbox, Input, Segmented } from "antd";
import { useMemo, useState } from "react";
import { pointsBelow, type Point } from "../../api";
import { leaf, parentOf, SYSTEM, useFormat } from "../../format";
import { useLoad, useNow, useWatch } from "../../hooks";
import { live } from "../../live";
import type { PageProps } from "../../page";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { isAbnormal } from "../../parts/Reading";
import { Side } from "../../parts/Side";
import { Tree } from "../../parts/Tree";
import { branchAddress, go, trendAddress } from "../../router";
import { useTexts } from "../../texts";
import { AssetCards } from "./AssetCards";
import { DeviceTags } from "./DeviceTags";
import { PointTable } from "./PointTable";
import { TREND_POINTS_MAX } from "./trend-state";

const POINTS_MAX = 3000;
const REFRESH_MS = 15_000;

export function Overview(props: PageProps) {
  return (
    <div className="split">
      <Side>
        <Tree selected={props.rest} onSelect={(row) => go(branchAddress(row.path))} />
      </Side>
      <BranchView key={props.rest} branch={props.rest} />
    </div>
  );
}

function BranchView(props: { branch: string }) {
  const { branch } = props;
  const found = useLoad(`points ${branch}`, (signal) => pointsBelow(branch, POINTS_MAX, signal), REFRESH_MS);
  // The whole plant is its machines; what the platform says of itself has its own branch.
  const points = useMemo(
    () => (branch ? found.data : found.data?.filter((p) => !p.path.startsWith(`${SYSTEM}/`))),
    [branch, found.data],
  );
  const isPoint = points?.length === 1 && points[0]?.path === branch;
  return (
    <section className="page overview" aria-label={branch}>
      <ErrorBox error={found.error} reload={found.reload} />
      {points ? (
        isPoint ? <AssetOfPoint point={branch} /> : <Points branch={branch} points={points} />
      ) : found.error ? null : <Waiting />}
    </section>
  );
}

/** A point is looked at among its neighbours. */
function AssetOfPoint(props: { point: string }) {
  const asset = parentOf(props.point);
  const found = useLoad(`points ${asset}`, (signal) => pointsBelow(asset, POINTS_MAX, signal), REFRESH_MS);
  if (!found.data) return found.error ? <ErrorBox error={found.error} reload={found.reload} /> : <Waiting />;
  const beside = found.data.filter((p) => parentOf(p.path) === asset);
  return <Points branch={asset} points={beside} marked={props.point} />;
}

function byAsset(points: readonly Point[]): Map<string, Point[]> {
  const assets = new Map<string, Point[]>();
  for (const point of points) {
    const asset = parentOf(point.path);
    const known = assets.get(asset);
    if (known) known.push(point);
    else assets.set(asset, [point]);
  }
  return assets;
}

function Points(props: { branch: string; points: Point[]; marked?: string }) {
  const { branch, points } = props;
  const texts = useTexts();
  const format = useFormat();
  const assets = useMemo(() => byAsset(points), [points]);
  const single = assets.size <= 1;
  const [form, setForm] = useState<"cards" | "table">("cards");
  const [filter, setFilter] = useState("");
  const [onlyAbnormal, setOnlyAbnormal] = useState(false);
  const complete = points.length < POINTS_MAX;
  const paths = useMemo(() => (complete ? [] : points.map((p) => p.path)), [points, complete]);
  useWatch(paths, complete && points.length ? [branch] : []);
  const shown = useShown(points, filter, onlyAbnormal);
  if (!points.length) return <><Title branch={branch} /><Empty title={texts.live.nothing} remedy={texts.tree.emptyRemedy} /></>;
  const drawn = points.filter((p) => p.kind !== "text" && p.kind !== "json").slice(0, TREND_POINTS_MAX);
  return (
    <>
      <div className="page-head">
        <Title branch={branch} />
        <DeviceTags points={points} />
        <span className="grow" />
        {single && drawn.length > 0 && (
          <Button icon={<LineChartOutlined />} onClick={() => go(trendAddress(drawn.map((p) => p.path)))}>
            {texts.live.trendAll}
          </Button>
        )}
      </div>
      <div className="toolbar">
        <Input
          allowClear
          className="filter"
          placeholder={texts.live.filter}
          aria-label={texts.live.filter}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        <Checkbox checked={onlyAbnormal} onChange={(event) => setOnlyAbnormal(event.target.checked)}>
          {texts.live.onlyAbnormal}
        </Checkbox>
        <span className="quiet">{texts.tree.points(format.count(shown.length))}</span>
        <span className="grow" />
        {!single && (
          <Segmented
            value={form}
            onChange={setForm}
            options={[
              { value: "cards", icon: <AppstoreOutlined />, label: texts.live.cards },
              { value: "table", icon: <BarsOutlined />, label: texts.live.table },
            ]}
          />
        )}
      </div>
      {!complete && <p className="quiet">{texts.live.tooMany(format.count(POINTS_MAX))}</p>}
      {shown.length === 0 ? <Empty title={onlyAbnormal ? texts.live.noneAbnormal : texts.tree.nothing(filter)} />
        : single || form === "table" ? <PointTable points={shown} branch={branch} marked={props.marked} />
        : <AssetCards points={shown} branch={branch} />}
    </>
  );
}

function useShown(points: Point[], filter: string, onlyAbnormal: boolean): Point[] {
  const now = useNow();
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = useMemo(() => {
    if (!words.length) return points;
    return points.filter((p) => {
      const text = `${p.path} ${p.description ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }, [points, filter]);
  // Once a second is often enough to see a trouble come or go.
  return useMemo(
    () => (onlyAbnormal ? found.filter((p) => isAbnormal(live.reading(p.path), p)) : found),
    [found, onlyAbnormal, onlyAbnormal ? now : 0],
  );
}

function Title(props: { branch: string }) {
  const texts = useTexts();
  const levels = props.branch ? props.branch.split("/") : [];
  return (
    <div className="title">
      <nav className="crumbs" aria-label={texts.tree.title}>
        {levels.length > 0 && <Link to="/">{texts.tree.root}</Link>}
        {levels.slice(0, -1).map((level, i) => (
          <span key={i}> / <Link to={branchAddress(levels.slice(0, i + 1).join("/"))}>{level}</Link></span>
        ))}
      </nav>
      <h1>{levels.length ? leaf(props.branch) : texts.tree.root}</h1>
    </div>
  );
}
