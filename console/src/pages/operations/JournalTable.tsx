/** Entries of the alarm journal as a table. */
import { Table } from "antd";
import { useFormat } from "../../format";
import type { Loaded } from "../../hooks";
import { ErrorBox } from "../../parts/Notice";
import { useTexts } from "../../texts";
import type { Entry } from "./alarms-api";

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export function JournalTable({ found, single }: { found: Loaded<{ items: Entry[] }>; single?: boolean }) {
  const texts = useTexts();
  const format = useFormat();
  const what = ({ event }: Entry) => {
    const word = event.kind.replace(/^alarm\./, "");
    const said = [text(event.data["limit"]), text(event.data["refused"]), text(event.data["comment"])].filter(Boolean).join(" · ");
    return <><span className={word === "refused" ? "state-uncertain" : ""}>{texts.alarms.entry[word] ?? word}</span>{said && <span className="quiet"> {said}</span>}</>;
  };
  return (
    <>
      <ErrorBox error={found.error} reload={found.reload} />
      <Table<Entry>
        size="small"
        rowKey="seq"
        loading={found.loading}
        dataSource={found.data?.items ?? []}
        pagination={(found.data?.items.length ?? 0) > 100 ? { pageSize: 100 } : false}
        locale={{ emptyText: found.loading ? " " : texts.alarms.noJournal }}
        columns={[
          { title: texts.alarms.time, key: "time", className: "nowrap number", render: (_, e) => format.time(e.event.time_ns / 1e6) },
          ...(single ? [] : [{ title: texts.alarms.name, key: "alarm", render: (_: unknown, e: Entry) => text(e.event.data["alarm"]) }]),
          { title: texts.alarms.what, key: "what", render: (_, e) => what(e) },
          { title: texts.alarms.who, key: "who", render: (_, e) => <span className="quiet">{e.event.actor}</span> },
        ]}
      />
    </>
  );
}
