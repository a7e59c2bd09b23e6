/** The assets of a branch side by side, each with its first few points. */
import { Button } from "antd";
import { useMemo, useState } from "react";
import type { Point } from "../../api";
import { leaf, parentOf } from "../../format";
import { Link } from "../../parts/Link";
import { QualityText, ValueText } from "../../parts/Reading";
import { branchAddress } from "../../router";
import { useTexts } from "../../texts";

const CARDS = 48;
const POINTS_PER_CARD = 8;

export function AssetCards(props: { points: readonly Point[]; branch: string }) {
  const texts = useTexts();
  const [max, setMax] = useState(CARDS);
  const assets = useMemo(() => {
    const found = new Map<string, Point[]>();
    for (const point of props.points) {
      const asset = parentOf(point.path);
      const known = found.get(asset);
      if (known) known.push(point);
      else found.set(asset, [point]);
    }
    // What state a machine is in is what one looks for first.
    for (const points of found.values()) points.sort((a, b) => Number(b.kind === "enum") - Number(a.kind === "enum"));
    return [...found];
  }, [props.points]);
  return (
    <div className="scroll">
      <div className="cards">
        {assets.slice(0, max).map(([asset, points]) => (
          <AssetCard key={asset} asset={asset} branch={props.branch} points={points} />
        ))}
      </div>
      {assets.length > max && (
        <Button className="cards-more" onClick={() => setMax(max + CARDS)}>{texts.common.more}</Button>
      )}
    </div>
  );
}

function AssetCard(props: { asset: string; branch: string; points: Point[] }) {
  const { asset, branch, points } = props;
  const texts = useTexts();
  const above = parentOf(asset).slice(branch ? branch.length + 1 : 0);
  // One or two more are shown rather than counted.
  const shown = points.length <= POINTS_PER_CARD + 2 ? points.length : POINTS_PER_CARD;
  const left = points.length - shown;
  return (
    <article className="card" data-asset={asset}>
      <header>
        <h2><Link to={branchAddress(asset)}>{leaf(asset) || texts.tree.root}</Link></h2>
        {above && <span className="quiet card-above" title={asset}>{above}</span>}
      </header>
      <dl>
        {points.slice(0, shown).map((point) => (
          <div key={point.path} className="card-point" title={point.description || point.path}>
            <dt><Link to={branchAddress(point.path)} className="quiet-link">{leaf(point.path)}</Link></dt>
            <dd><QualityText point={point} short /> <ValueText point={point} unit /></dd>
          </div>
        ))}
      </dl>
      {left > 0 && <Link to={branchAddress(asset)} className="card-more">+ {left}</Link>}
    </article>
  );
}
