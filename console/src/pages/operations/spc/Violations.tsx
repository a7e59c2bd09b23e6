/** What violates in a span: when, which patterns, and the cause that somebody named. */
import { Button, Table } from "antd";
import { useFormat } from "../../../format";
import { useTexts } from "../../../texts";
import { markText, type ChartData } from "./charts-api";

interface Props {
  data: ChartData;
  at: number | undefined;
  onChoose: (at: number) => void;
  onCause: ((at: number) => void) | undefined;
}

const PAGE = 10;

export function Violations({ data, at, onChoose, onCause }: Props) {
  const texts = useTexts().spc;
  const format = useFormat();
  const rows = data.violations.map((v, index) => ({ ...v, index })).reverse();
  const causes = (time: number) => data.comments.filter((c) => c.time_ns === time);
  const page = at === undefined ? undefined : Math.floor((data.violations.length - 1 - at) / PAGE) + 1;
  return (
    <Table
      size="small"
      rowKey="index"
      dataSource={rows}
      locale={{ emptyText: texts.noViolations }}
      pagination={rows.length > PAGE ? { pageSize: PAGE, showSizeChanger: false, ...(page ? { current: page } : {}), onChange: (p) => onChoose(data.violations.length - 1 - (p - 1) * PAGE) } : false}
      rowClassName={(row) => `clickable ${row.index === at ? "chart-chosen" : ""}`}
      onRow={(row) => ({ onClick: () => onChoose(row.index) })}
      columns={[
        { title: texts.time, dataIndex: "time_ns", className: "nowrap", render: (t: number) => format.time(t / 1e6) },
        {
          title: texts.pattern, dataIndex: "marks",
          render: (marks: string[]) => marks.map((m) => <div key={m}><strong className="chart-out">{markText(m)}</strong> {texts.rules[m] ?? m}</div>),
        },
        {
          title: texts.cause, dataIndex: "time_ns", key: "cause",
          render: (t: number, row) => (
            <>
              {causes(t).map((c, i) => <div key={i}>{c.cause} <span className="quiet small">{texts.by(c.by)}</span></div>)}
              {onCause && <Button type="link" size="small" className="chart-cause" onClick={(e) => { e.stopPropagation(); onCause(row.index); }}>{texts.addCause}</Button>}
            </>
          ),
        },
      ]}
    />
  );
}
