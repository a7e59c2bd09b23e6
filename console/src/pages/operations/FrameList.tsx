/** The frames of a span: filters, a Gantt chart, a table from which some are chosen to compare. */
import { BlockOutlined, DownloadOutlined } from "@ant-design/icons";
import { Button, Checkbox, Input, Segmented, Select, Table } from "antd";
import { useMemo, useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { go } from "../../router";
import { useTexts } from "../../texts";
import { FrameAttributes } from "./FrameAttributes";
import { compareAddress, COMPARED_MAX, frameAddress, framesApi, type Frame } from "./frames-api";
import { Gantt } from "./Gantt";

const REFRESH_MS = 5000;
const SPANS_MS: Record<string, number> = { "-1h": 3_600_000, "-8h": 28_800_000, "-1d": 86_400_000, "-7d": 604_800_000, "-30d": 2_592_000_000 };

export function FrameList() {
  const texts = useTexts();
  const format = useFormat();
  const [span, setSpan] = useState("-8h");
  const [template, setTemplate] = useState("");
  const [asset, setAsset] = useState("");
  const [attribute, setAttribute] = useState("");
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState<string[]>([]);
  const filters = { template, asset, attribute: attribute ? [attribute] : [], start: span, open };
  const templates = useLoad("frame templates", framesApi.templates);
  const found = useLoad(`frames ${JSON.stringify(filters)}`, (signal) => framesApi.list(filters, signal), REFRESH_MS);
  const frames = useMemo(() => found.data?.items ?? [], [found.data]);
  const now = Date.now();
  const names = (templates.data?.items ?? []).map((v) => v.template.name);
  // Where there are more than are shown, the chart begins with the oldest of them.
  const since = found.data?.cursor ? Math.min(...frames.map((f) => f.start_ns / 1e6)) : 0;
  const none = templates.data && names.length === 0 && frames.length === 0;
  return (
    <>
      <div className="toolbar">
        <Segmented aria-label={texts.frames.span} value={span} onChange={setSpan} options={Object.keys(SPANS_MS).map((value) => ({ value, label: texts.frames.spans[value] }))} />
        <Select aria-label={texts.frames.template} value={template} onChange={setTemplate} popupMatchSelectWidth={false} options={[{ value: "", label: texts.frames.all }, ...names.map((value) => ({ value, label: value }))]} />
        <Input.Search allowClear className="filter" placeholder={texts.frames.asset} aria-label={texts.frames.asset} onSearch={setAsset} />
        <Input.Search allowClear className="filter" placeholder={texts.frames.filterHint} aria-label={texts.frames.filter} onSearch={setAttribute} />
        <Checkbox checked={open} onChange={(e) => setOpen(e.target.checked)}>{texts.frames.onlyOpen}</Checkbox>
        <span className="grow" />
        <Button icon={<DownloadOutlined />} href={framesApi.csv(filters)}>CSV</Button>
        <Button type="primary" disabled={!chosen.length} onClick={() => go(compareAddress(chosen))}>{texts.frames.compare(chosen.length)}</Button>
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      {found.loading ? <Waiting /> : none ? <Empty icon={<BlockOutlined />} title={texts.frames.noneTitle} remedy={texts.frames.noneRemedy} />
        : frames.length === 0 ? found.error ? null : <Empty title={texts.frames.nothing} remedy={texts.frames.nothingRemedy} />
        : (
          <div className="scroll">
            <Gantt frames={frames} start={Math.max(now - (SPANS_MS[span] ?? 0), since)} stop={now} />
            <Table<Frame>
              size="small"
              rowKey="key"
              dataSource={frames}
              pagination={frames.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
              rowSelection={{
                selectedRowKeys: chosen,
                onChange: (keys) => setChosen(keys.map(String).slice(0, COMPARED_MAX)),
                getCheckboxProps: (f) => ({ "aria-label": `${texts.frames.choose} ${f.template} ${format.time(f.start_ns / 1e6)}` }),
                hideSelectAll: true,
              }}
              onRow={(f) => ({ "data-frame": f.key }) as React.HTMLAttributes<HTMLElement>}
              columns={[
                { title: texts.frames.begin, key: "start", className: "nowrap number", render: (_, f) => <Link to={frameAddress(f.key)}>{format.time(f.start_ns / 1e6)}</Link> },
                { title: texts.frames.duration, key: "duration", className: "nowrap number", align: "right", render: (_, f) => format.span(f.duration_s * 1000) },
                { title: texts.frames.template, dataIndex: "template", className: "nowrap" },
                { title: texts.frames.state, key: "state", render: (_, f) => <FrameState frame={f} /> },
                { title: texts.frames.asset, dataIndex: "asset", className: "path-text nowrap" },
                { title: texts.frames.attributes, key: "attributes", render: (_, f) => <FrameAttributes frame={f} short /> },
                { title: texts.frames.reason, dataIndex: "reason" },
              ]}
            />
            {found.data?.cursor && <p className="quiet small">{texts.frames.more(format.count(frames.length))}</p>}
          </div>
        )}
    </>
  );
}

export function FrameState({ frame }: { frame: Frame }) {
  const texts = useTexts();
  const state = frame.end_ns === null ? texts.frames.open : frame.cut ? texts.frames.cut : texts.frames.ended;
  return <span className={frame.cut ? "state-uncertain" : "quiet"}>{state}{frame.note?.acknowledged_by && ` · ${texts.frames.acknowledged}`}</span>;
}
