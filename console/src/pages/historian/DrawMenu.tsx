/** What is drawn: every sample, or an aggregate per interval of a calendar. */
import { DownOutlined } from "@ant-design/icons";
import { Button, Form, Popover, Select } from "antd";
import { FUNCTIONS, INTERVALS, type Aggregation, type FunctionName } from "../../aggregates";
import { useFormat } from "../../format";
import { useTexts } from "../../texts";

interface Props {
  aggregate: Aggregation | null;
  /** The interval in use, when it was left to the console. */
  interval: string;
  onChange: (next: Aggregation | null) => void;
}

const SAMPLES = "";

export function DrawMenu({ aggregate, interval, onChange }: Props) {
  const texts = useTexts();
  const t = texts.trend;
  const every = aggregate?.every || interval;
  const label = aggregate ? t.perInterval(texts.functions[aggregate.function], every) : t.samples;
  return (
    <Popover trigger="click" placement="bottomRight" content={<Fields aggregate={aggregate} interval={interval} onChange={onChange} />}>
      <Button aria-label={`${t.draw}: ${label}`}>
        <span className="quiet">{t.draw}</span> {label}
        <DownOutlined />
      </Button>
    </Popover>
  );
}

function Fields({ aggregate, interval, onChange }: Props) {
  const texts = useTexts();
  const format = useFormat();
  const t = texts.trend;
  const choose = (name: FunctionName | "") =>
    onChange(name ? { every: "", zone: "", ...aggregate, function: name } : null);
  const functions = (Object.keys(FUNCTIONS) as FunctionName[]).map((name) => ({ value: name, label: texts.functions[name] }));
  const intervals = Object.keys(INTERVALS).map((every) => ({ value: every, label: every }));
  const zones = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((z) => z !== "UTC" && z !== format.zone)];
  return (
    <Form layout="vertical" component="div" className="draw-form">
      <Form.Item label={t.draw}>
        <Select<FunctionName | "">
          aria-label={t.draw}
          value={aggregate?.function ?? SAMPLES}
          options={[{ value: SAMPLES, label: t.raw }, ...functions]}
          onChange={choose}
        />
      </Form.Item>
      {aggregate && (
        <>
          <Form.Item label={t.interval}>
            <Select
              aria-label={t.interval}
              value={aggregate.every}
              options={[{ value: "", label: interval && !aggregate.every ? `${t.automatic} (${interval})` : t.automatic }, ...intervals]}
              onChange={(every) => onChange({ ...aggregate, every })}
            />
          </Form.Item>
          <Form.Item label={t.zone} extra={t.calendarHelp}>
            <Select
              aria-label={t.zone}
              showSearch
              value={aggregate.zone}
              options={[{ value: "", label: t.zoneHere(format.zone) }, ...zones.map((zone) => ({ value: zone, label: zone }))]}
              onChange={(zone) => onChange({ ...aggregate, zone })}
            />
          </Form.Item>
        </>
      )}
    </Form>
  );
}
