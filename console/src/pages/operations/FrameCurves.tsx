/** The courses of chosen points over one or several frames. */
import { Select } from "antd";
import { useState } from "react";
import { api } from "../../api";
import { useLoad } from "../../hooks";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { framesApi, type Align, type Comparison } from "./frames-api";
import { OverlayChart } from "./OverlayChart";

const POINTS_MAX = 6;

interface Props {
  keys: readonly string[];
  points: readonly string[];
  align: Align;
  onPoints: (points: string[]) => void;
  /** What stands beside the charts, of what was found. */
  children?: (found: Comparison) => React.ReactNode;
}

/** The asset that a key names. */
function assetOf(key: string): string {
  return key.slice(key.indexOf("|") + 1, key.lastIndexOf("|"));
}

export function FrameCurves({ keys, points, align, onPoints, children }: Props) {
  const texts = useTexts();
  const [search, setSearch] = useState("");
  const asset = assetOf(keys[0] ?? "");
  const known = useLoad(`points ${asset} ${search}`, (signal) => api.search(search || asset, signal));
  const wanted = points.length > 0 && keys.length > 0;
  const found = useLoad(wanted ? `compare ${JSON.stringify([keys, points, align])}` : undefined, (signal) => framesApi.compare(keys, points, align, signal));
  const named = (path: string) => (path.startsWith(`${asset}/`) ? `./${path.slice(asset.length + 1)}` : path);
  const options = (known.data?.items ?? []).filter((p) => p.kind !== "text" && p.kind !== "json").map((p) => named(p.path));
  return (
    <>
      <Select
        mode="multiple"
        className="frame-points"
        aria-label={texts.frames.points}
        placeholder={texts.frames.points}
        value={[...points]}
        maxCount={POINTS_MAX}
        showSearch={{ onSearch: setSearch, filterOption: false }}
        onChange={(next: string[]) => { setSearch(""); onPoints(next); }}
        options={options.map((value) => ({ value, label: value }))}
      />
      <ErrorBox error={found.error} reload={found.reload} />
      {!wanted ? <Empty title={texts.frames.choosePoints} />
        : found.loading ? <Waiting />
        : found.data && (
          <>
            {found.data.points.map((p) => (
              <OverlayChart key={p.point} steps={found.data?.steps ?? []} found={p} phases={found.data?.phases ?? []} share={align === "stretch"} />
            ))}
            {children?.(found.data)}
          </>
        )}
    </>
  );
}
