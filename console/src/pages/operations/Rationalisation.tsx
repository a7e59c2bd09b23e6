/** Why each alarm exists, and what nobody has written down yet. */
import { DownloadOutlined } from "@ant-design/icons";
import { Button, Input, Table } from "antd";
import { useMemo, useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { ErrorBox } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { alarmsApi, RATIONALISATION_CSV, type Rationale } from "./alarms-api";

const PAGE = 50;

export default function Rationalisation() {
  const texts = useTexts();
  const format = useFormat();
  const [search, setSearch] = useState("");
  const found = useLoad("rationalisation", alarmsApi.rationalisation);
  const items = found.data?.items;
  const shown = useMemo(() => {
    const word = search.toLowerCase();
    return (items ?? []).filter((r) => `${r.name} ${r.point} ${r.group}`.toLowerCase().includes(word));
  }, [items, search]);
  const lacking = (items ?? []).filter((r) => r.missing.length).length;
  const said = (field: "cause" | "consequence" | "action") => ({
    title: texts.alarms[field],
    key: field,
    render: (_: unknown, r: Rationale) => r[field] || <span className="state-uncertain">{texts.alarms.missing}</span>,
  });
  return (
    <>
      <div className="toolbar">
        <Input.Search allowClear className="filter" placeholder={texts.alarms.search} aria-label={texts.alarms.search} onChange={(e) => setSearch(e.target.value)} />
        <span role="status" className={lacking ? "state-uncertain" : "quiet"}>{items && texts.alarms.lacking(format.count(lacking), format.count(items.length))}</span>
        <span className="grow" />
        <Button icon={<DownloadOutlined />} href={RATIONALISATION_CSV} download="alarms.csv">CSV</Button>
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      <div className="scroll">
        <Table<Rationale>
          size="small"
          rowKey="name"
          loading={found.loading}
          dataSource={shown}
          pagination={shown.length > PAGE ? { pageSize: PAGE, showSizeChanger: false } : false}
          locale={{ emptyText: !items ? " " : items.length ? texts.alarms.nothingFound : texts.alarms.noneTitle }}
          columns={[
            { title: texts.alarms.name, key: "name", render: (_, r) => <><strong>{r.name}</strong><div className="quiet small">{r.point}</div></> },
            { title: texts.alarms.priorityTitle, key: "priority", render: (_, r) => texts.alarms.priority[r.priority] },
            { title: texts.alarms.limit, dataIndex: "limits", className: "path-text" },
            said("cause"),
            said("consequence"),
            said("action"),
            { title: texts.alarms.respond, key: "respond", render: (_, r) => (r.respond_s ? format.age(r.respond_s * 1000) : <span className="state-uncertain">{texts.alarms.missing}</span>) },
          ]}
        />
      </div>
    </>
  );
}
