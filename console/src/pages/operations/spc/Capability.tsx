/** What the process can do beside what the drawing asks for. */
import { Table } from "antd";
import { useFormat, unitText } from "../../../format";
import { useLoad } from "../../../hooks";
import { ErrorBox, Waiting } from "../../../parts/Notice";
import { useTexts } from "../../../texts";
import { chartsApi, type Chart, type Index, type Study } from "./charts-api";

interface Props {
  chart: Chart;
  span: string;
  unit: string;
}

export function Capability({ chart, span, unit }: Props) {
  const texts = useTexts().spc;
  const limited = typeof chart.lsl === "number" || typeof chart.usl === "number";
  const key = limited ? `${chart.name} ${span} ${chart.lsl} ${chart.usl}` : undefined;
  const found = useLoad(key, (signal) => chartsApi.study(chart.name, span, signal));
  return (
    <div className="panel" data-capability>
      <h2>{texts.capability.title}</h2>
      {!limited && <p className="quiet">{texts.capability.none}</p>}
      <ErrorBox error={found.error} reload={found.reload} />
      {found.loading ? <Waiting rows={4} /> : found.data && <Found study={found.data} unit={unitText(unit)} />}
    </div>
  );
}

const PROCESS = ["cp", "cpk", "pp", "ppk"] as const;
const MACHINE = ["cm", "cmk"] as const;
const isOfMachine = (name: string) => name.startsWith("cm");

function Found({ study, unit }: { study: Study; unit: string }) {
  const texts = useTexts().spc;
  const words = texts.capability;
  const format = useFormat();
  const rows = [...PROCESS, ...(study.machine_values ? MACHINE : [])].map((name) => ({ name, index: study.indices[name] }));
  const { statistic, probability, verdict } = study.normality;
  return (
    <>
      <Table
        size="small"
        rowKey="name"
        pagination={false}
        dataSource={rows}
        columns={[
          { title: words.index, dataIndex: "name", render: (n: string) => <><strong>{n[0]?.toUpperCase()}{n.slice(1)}</strong> <span className="quiet small">{isOfMachine(n) ? words.machine(format.count(study.machine_values)) : n.startsWith("c") ? words.short : words.long}</span></> },
          { title: words.value, dataIndex: "index", align: "right", className: "number", render: (i: Index | null) => (i ? format.fixed(i.value, 2) : "–") },
          { title: words.interval, dataIndex: "index", key: "interval", align: "right", className: "number", render: (i: Index | null) => (i ? `${format.fixed(i.low, 2)} – ${format.fixed(i.high, 2)}` : "") },
        ]}
      />
      <Histogram study={study} />
      <p className={verdict === "doubtful" ? "state-uncertain" : "quiet"}>
        {words.normality[verdict]} {statistic !== null && probability !== null && <span className="small">{words.test(format.figure(statistic, 3), format.figure(probability, 2))}</span>}
      </p>
      <dl className="facts">
        <dt>{words.values}</dt><dd>{format.count(study.values)}</dd>
        <dt>{words.mean}</dt><dd>{format.figure(study.mean, 6)} {unit}</dd>
        <dt>{words.within}</dt><dd>{format.figure(study.within, 4)} {unit}</dd>
        <dt>{words.overall}</dt><dd>{format.figure(study.overall, 4)} {unit}</dd>
        <dt>{words.outside}</dt><dd className={study.below + study.above ? "state-uncertain" : ""}>{format.count(study.below + study.above)}</dd>
        <dt>{words.expected}</dt><dd>{words.ppm(format.figure(study.expected_ppm, 3))}</dd>
      </dl>
    </>
  );
}

const [WIDTH, HEIGHT, FOOT] = [420, 150, 18];

function Histogram({ study }: { study: Study }) {
  const texts = useTexts().spc;
  const format = useFormat();
  const { edges, counts } = study.histogram;
  const limits = [["LSL", study.lsl], ["USL", study.usl], ["T", study.target]] as const;
  const given = limits.flatMap(([, v]) => (v === null ? [] : [v]));
  const low = Math.min(edges[0] ?? 0, ...given);
  const high = Math.max(edges.at(-1) ?? 1, ...given);
  const margin = (high - low) * 0.04 || 1;
  const x = (v: number) => ((v - low + margin) / (high - low + 2 * margin)) * WIDTH;
  const most = Math.max(1, ...counts);
  const y = (n: number) => HEIGHT - FOOT - (n / most) * (HEIGHT - FOOT - 16);
  return (
    <svg className="chart-histogram" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={texts.capability.histogram}>
      {counts.map((n, i) => {
        const [left, right] = [x(edges[i] ?? 0), x(edges[i + 1] ?? 0)];
        return <rect key={i} x={left} y={y(n)} width={Math.max(right - left - 1, 0.5)} height={HEIGHT - FOOT - y(n)} fill="var(--quiet)" opacity={0.55}><title>{`${format.figure(edges[i] ?? 0, 5)} – ${format.figure(edges[i + 1] ?? 0, 5)}: ${format.count(n)}`}</title></rect>;
      })}
      <line x1={0} x2={WIDTH} y1={HEIGHT - FOOT} y2={HEIGHT - FOOT} stroke="var(--line)" />
      {limits.map(([name, value]) => value !== null && (
        <g key={name}>
          <line x1={x(value)} x2={x(value)} y1={12} y2={HEIGHT - FOOT} stroke={name === "T" ? "var(--text)" : "var(--uncertain)"} strokeDasharray={name === "T" ? "3 3" : undefined} strokeWidth={1.5} />
          <text x={x(value)} y={9} textAnchor="middle" fontSize={10} fill="var(--text)">{name}</text>
          <text x={x(value)} y={HEIGHT - 5} textAnchor="middle" fontSize={10} fill="var(--quiet)">{format.figure(value, 5)}</text>
        </g>
      ))}
    </svg>
  );
}
