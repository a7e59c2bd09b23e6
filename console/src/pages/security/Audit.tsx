/** What people and programs did, in the order they did it; the chain shows that nothing is missing. */
import { SafetyCertificateOutlined } from "@ant-design/icons";
import { Alert, Button, Input, Table } from "antd";
import { useState } from "react";
import { api, type AuditItem } from "../../api";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { ErrorBox, explain } from "../../parts/Notice";
import { useTexts } from "../../texts";

const PAGE_SIZE = 100;

export default function Audit() {
  const texts = useTexts();
  const format = useFormat();
  const [filter, setFilter] = useState({ kind: "", actor: "", path: "" });
  const [before, setBefore] = useState<number>();
  const [verdict, setVerdict] = useState<{ ok: boolean; text: string }>();
  const [checking, setChecking] = useState(false);
  const query = { ...filter, before, newest_first: true, limit: PAGE_SIZE };
  const found = useLoad(JSON.stringify(query), (signal) => api.audit(query, signal));
  const items = found.data?.items ?? [];
  const oldest = items.at(-1)?.seq;
  const filtered = Object.values(filter).some(Boolean);
  const verify = async () => {
    setChecking(true);
    try {
      const { ok, events } = await api.verifyAudit();
      const text = (ok ? texts.audit.intact : texts.audit.broken)(format.count(events));
      setVerdict({ ok, text });
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      setVerdict({ ok: false, text: `${sentence} ${remedy}` });
    }
    setChecking(false);
  };
  const field = (name: keyof typeof filter, label: string) => (
    <Input.Search
      allowClear
      className="filter"
      placeholder={label}
      aria-label={label}
      onSearch={(text) => { setFilter({ ...filter, [name]: text.trim() }); setBefore(undefined); }}
    />
  );
  return (
    <section className="page" aria-label={texts.audit.title}>
      <div className="page-head">
        <h1>{texts.audit.title}</h1>
        <span className="grow" />
        <Button icon={<SafetyCertificateOutlined />} loading={checking} onClick={() => void verify()}>{texts.audit.verify}</Button>
      </div>
      {verdict && <Alert className="error-box" type={verdict.ok ? "success" : "error"} showIcon closable={{ onClose: () => setVerdict(undefined) }} title={verdict.text} />}
      <div className="toolbar">
        {field("kind", texts.audit.kind)}
        {field("actor", texts.audit.actor)}
        {field("path", texts.audit.path)}
        <span className="grow" />
        {before !== undefined && <Button onClick={() => setBefore(undefined)}>{texts.audit.newest}</Button>}
        <Button disabled={items.length < PAGE_SIZE || oldest === undefined} onClick={() => setBefore(oldest)}>{texts.audit.older}</Button>
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      <div className="scroll">
        <Table<AuditItem>
          size="small"
          rowKey="seq"
          loading={found.loading}
          dataSource={items}
          pagination={false}
          locale={{ emptyText: filtered ? texts.audit.nothing : texts.audit.empty }}
          columns={[
            { title: "#", dataIndex: "seq", className: "number quiet" },
            { title: texts.audit.time, dataIndex: "time", className: "nowrap number", render: (t: string) => format.time(t) },
            { title: texts.audit.kind, dataIndex: "kind", className: "path-text" },
            { title: texts.audit.actor, dataIndex: "actor" },
            { title: texts.audit.path, dataIndex: "path", className: "path-text" },
            { title: texts.audit.data, dataIndex: "data", render: (d: Record<string, unknown>) => <Details data={d} /> },
          ]}
        />
      </div>
    </section>
  );
}

function Details(props: { data: Record<string, unknown> }) {
  return (
    <span className="details">
      {Object.entries(props.data ?? {}).map(([name, value]) => (
        <span key={name}><span className="quiet">{name}</span> {typeof value === "string" ? value : JSON.stringify(value)}</span>
      ))}
    </span>
  );
}
