/** Differences in a table: added, removed and changed are told by mark and word, not by hue alone. */
import { Empty } from "../../parts/Notice";
import { VirtualList } from "../../parts/VirtualList";
import { useTexts } from "../../texts";
import type { Difference } from "./diff";

const MARKS = { added: "+", removed: "−", changed: "≠" };

export function DiffTable({ rows, left, right }: { rows: readonly Difference[]; left: string; right: string }) {
  const t = useTexts().twins.compare;
  if (!rows.length) return <Empty title={t.same} />;
  return (
    <div className="data-table diff" role="table" aria-label={t.title}>
      <div className="diff-row data-head" role="row">
        <span role="columnheader" aria-label={t.kind} />
        <span role="columnheader">{t.where}</span>
        <span role="columnheader">{left}</span>
        <span role="columnheader">{right}</span>
      </div>
      <VirtualList
        count={rows.length}
        rowHeight={32}
        row={(i) => {
          const one = rows[i] as Difference;
          return (
            <div key={one.path} className={`diff-row diff-${one.kind}`} role="row" data-diff={one.path}>
              <span role="cell" title={t.kinds[one.kind]} aria-label={t.kinds[one.kind]}>{MARKS[one.kind]}</span>
              <span role="cell" className="path-text" title={one.path}>{one.path}</span>
              <span role="cell" className="diff-left" title={one.left}>{one.left}</span>
              <span role="cell" className="diff-right" title={one.right}>{one.right}</span>
            </div>
          );
        }}
      />
    </div>
  );
}
