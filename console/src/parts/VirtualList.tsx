/** A long list of rows of one height, of which only the visible ones exist. */
import { useEffect, useImperativeHandle, useRef, useState, type ReactNode, type Ref } from "react";
import { useSize } from "../hooks";

export interface ListHandle {
  show: (index: number) => void;
}

interface Props {
  count: number;
  rowHeight: number;
  row: (index: number) => ReactNode;
  handle?: Ref<ListHandle>;
  className?: string;
  /** Least width of the rows, where that may be more than the list has. */
  minWidth?: number;
  /** Told how far it is scrolled sideways, for a head that stays above. */
  onSideways?: (left: number) => void;
  /** Told the last row on screen, so that more can be fetched before it is reached. */
  onShown?: (last: number) => void;
}

const MARGIN = 6;

export function VirtualList({ count, rowHeight, row, handle, className, minWidth, onSideways, onShown }: Props) {
  const [ref, { height }] = useSize<HTMLDivElement>();
  const [top, setTop] = useState(0);
  const frame = useRef(0);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  useImperativeHandle(handle, () => ({
    show: (index) => {
      const box = ref.current;
      if (!box || index < 0) return;
      const start = index * rowHeight;
      if (start < box.scrollTop) box.scrollTop = start;
      else if (start + rowHeight > box.scrollTop + box.clientHeight) {
        box.scrollTop = start + rowHeight - box.clientHeight;
      }
    },
  }));
  const first = Math.max(0, Math.floor(top / rowHeight) - MARGIN);
  const last = Math.min(count, Math.ceil((top + (height || 600)) / rowHeight) + MARGIN);
  useEffect(() => onShown?.(last), [last, count]);
  const rows: ReactNode[] = [];
  for (let i = first; i < last; i++) rows.push(row(i));
  const scrolled = () => {
    onSideways?.(ref.current?.scrollLeft ?? 0);
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => setTop(ref.current?.scrollTop ?? 0));
  };
  return (
    <div className={`virtual ${className ?? ""}`} ref={ref} onScroll={scrolled} role="presentation">
      <div className="virtual-all" style={{ height: count * rowHeight, minWidth }} role="presentation">
        <div className="virtual-rows" style={{ transform: `translateY(${first * rowHeight}px)` }} role="presentation">
          {rows}
        </div>
      </div>
    </div>
  );
}
