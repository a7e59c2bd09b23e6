/** Which other period is drawn beneath the visible one. */
import { DownOutlined } from "@ant-design/icons";
import { Button, InputNumber, Popover, Radio, Select, Space } from "antd";
import { useState } from "react";
import { useTexts } from "../../texts";
import { lengthOf } from "./trend-state";

interface Props {
  versus: string;
  /** Length of the visible span, for the period just before it. */
  spanMs: number;
  onChange: (versus: string) => void;
}

const USUAL = ["1h", "1d", "1w", "1mo", "1y"];
type Unit = "m" | "h" | "d" | "w" | "mo" | "y";

export function CompareMenu({ versus, spanMs, onChange }: Props) {
  const texts = useTexts();
  const t = texts.trend;
  const [open, setOpen] = useState(false);
  const text = (length: string) => {
    const [count, unit] = lengthOf(length) ?? [0, "m" as Unit];
    return t.earlier(t.lengths[unit](count));
  };
  const minutes = Math.max(1, Math.round(spanMs / 60_000));
  const previous = minutes % 1440 === 0 ? `${minutes / 1440}d` : minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
  const known = versus === "" || USUAL.includes(versus) || versus === previous;
  const choose = (next: string) => {
    onChange(next);
    setOpen(false);
  };
  const content = (
    <div className="compare">
      <Radio.Group
        aria-label={t.compare}
        value={known ? versus : undefined}
        onChange={(event) => choose(event.target.value as string)}
        options={[
          { value: "", label: t.compareNone },
          ...(USUAL.includes(previous) || !lengthOf(previous) ? [] : [{ value: previous, label: t.comparePrevious }]),
          ...USUAL.map((length) => ({ value: length, label: text(length) })),
        ]}
      />
      <Own versus={known ? "" : versus} onChange={choose} />
    </div>
  );
  return (
    <Popover trigger="click" placement="bottomRight" open={open} onOpenChange={setOpen} content={content}>
      <Button aria-label={`${t.compare}: ${versus ? text(versus) : t.compareNone}`}>
        <span className={versus ? "quiet" : ""}>{t.compare}</span> {versus && text(versus)}
        <DownOutlined />
      </Button>
    </Popover>
  );
}

function Own(props: { versus: string; onChange: (versus: string) => void }) {
  const texts = useTexts();
  const t = texts.trend;
  const [told, toldUnit] = lengthOf(props.versus) ?? [2, "d" as Unit];
  const [count, setCount] = useState<number | null>(told);
  const [unit, setUnit] = useState<Unit>(toldUnit);
  const units = (Object.keys(t.lengthUnits) as Unit[]).map((u) => ({ value: u, label: t.lengthUnits[u] }));
  return (
    <div className="compare-own">
      <span className="quiet small">{t.compareOwn}</span>
      <Space.Compact>
        <InputNumber aria-label={t.compareOwn} min={1} max={9999} precision={0} value={count} onChange={setCount} onPressEnter={() => count && props.onChange(`${count}${unit}`)} />
        <Select aria-label={t.interval} value={unit} options={units} onChange={setUnit} className="compare-unit" />
        <Button disabled={!count} onClick={() => props.onChange(`${count}${unit}`)}>{t.compare}</Button>
      </Space.Compact>
    </div>
  );
}
