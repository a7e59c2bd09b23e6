/** Who is told of alarms, by which rules, and what became of each message. */
import { MailOutlined, ReloadOutlined, SendOutlined } from "@ant-design/icons";
import { App, Button, Segmented, Table } from "antd";
import { useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Empty, ErrorBox, explain, Waiting } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { noticesApi, STATUSES, type NoticeStatus, type OutboxEntry, type Overview, type RecipientView, type Rule } from "./notices-api";

const REFRESH_MS = 5000;

export default function AlarmNotices() {
  const texts = useTexts();
  const { message } = App.useApp();
  const overview = useLoad("notices", noticesApi.overview, REFRESH_MS);
  const [status, setStatus] = useState<NoticeStatus | "">("");
  const outbox = useLoad(`outbox ${status}`, (signal) => noticesApi.outbox(status, signal), REFRESH_MS);
  const attempt = async (act: () => Promise<unknown>, done: string) => {
    try {
      await act();
      void message.success(done);
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    }
    overview.reload();
    outbox.reload();
  };
  if (overview.loading) return <Waiting />;
  const found = overview.data;
  const isEmpty = found && !found.recipients.length && !found.rules.length && !outbox.data?.items.length;
  return (
    <div className="scroll">
      <ErrorBox error={overview.error ?? outbox.error} reload={() => { overview.reload(); outbox.reload(); }} />
      {isEmpty ? <Empty icon={<MailOutlined />} title={texts.notices.noneTitle} remedy={texts.notices.noneRemedy} /> : found && (
        <>
          <h2>{texts.notices.recipients}</h2>
          <Recipients found={found} onTest={(name) => attempt(() => noticesApi.test(name), texts.notices.testSent(name))} />
          <h2>{texts.notices.rules}</h2>
          <Rules rules={found.rules} />
          <h2>{texts.notices.outbox}</h2>
          <div className="toolbar">
            <Segmented<NoticeStatus | "">
              aria-label={texts.notices.status}
              value={status}
              onChange={setStatus}
              options={[{ value: "", label: texts.notices.all }, ...STATUSES.map((value) => ({ value, label: texts.notices.statuses[value] }))]}
            />
          </div>
          <Outbox
            items={outbox.data?.items ?? []}
            loading={outbox.loading}
            onRetry={found.may_configure ? (id) => attempt(() => noticesApi.retry([id]), texts.notices.retried) : undefined}
          />
        </>
      )}
    </div>
  );
}

function Recipients({ found, onTest }: { found: Overview; onTest: (name: string) => Promise<void> }) {
  const texts = useTexts();
  const format = useFormat();
  const quiet = (r: RecipientView) => r.quiet.map((q) => `${q.start}–${q.stop}`).join(", ");
  return (
    <Table<RecipientView>
      size="small"
      rowKey="name"
      dataSource={found.recipients}
      pagination={false}
      locale={{ emptyText: texts.notices.noRecipients }}
      columns={[
        { title: texts.notices.name, key: "name", render: (_, r) => <strong>{r.name}</strong> },
        { title: texts.notices.way, key: "way", render: (_, r) => <>{texts.notices.channels[r.channel]} <span className="quiet">{r.address}</span></> },
        { title: texts.notices.quiet, key: "quiet", render: (_, r) => (quiet(r) ? <span title={r.zone}>{quiet(r)}</span> : "–") },
        { title: texts.notices.statuses.waiting, key: "waiting", className: "number", render: (_, r) => format.count(r.waiting) },
        {
          title: texts.notices.state,
          key: "state",
          render: (_, r) => (r.trouble ? <span className="state-bad">{r.trouble}</span> : <span className="quiet">{texts.notices.fine}</span>),
        },
        ...(found.may_configure ? [{
          key: "test",
          render: (_: unknown, r: RecipientView) => (
            <Button size="small" icon={<SendOutlined />} aria-label={`${texts.notices.test}: ${r.name}`} onClick={() => void onTest(r.name)}>{texts.notices.test}</Button>
          ),
        }] : []),
      ]}
    />
  );
}

function Rules({ rules }: { rules: Rule[] }) {
  const texts = useTexts();
  const format = useFormat();
  const which = (r: Rule) => [
    ...r.priorities.map((p) => texts.alarms.priority[p as keyof typeof texts.alarms.priority] ?? p), ...r.groups, r.branch,
  ].filter(Boolean).join(" · ") || texts.notices.every;
  const step = (s: Rule["steps"][number]) => `${s.after_s ? texts.notices.after(format.age(s.after_s * 1000)) : texts.notices.atOnce}: ${s.to.join(", ")}`;
  return (
    <Table<Rule>
      size="small"
      rowKey="name"
      dataSource={rules}
      pagination={false}
      locale={{ emptyText: texts.notices.noRules }}
      columns={[
        { title: texts.notices.name, key: "name", render: (_, r) => <strong>{r.name}</strong> },
        { title: texts.notices.which, key: "which", render: (_, r) => which(r) },
        { title: texts.notices.when, key: "on", render: (_, r) => r.on.map((o) => texts.notices.on[o] ?? o).join(", ") },
        {
          title: texts.notices.steps,
          key: "steps",
          render: (_, r) => [...r.steps.map(step), ...(r.repeat_s ? [texts.notices.repeats(format.age(r.repeat_s * 1000))] : [])].map((s) => <div key={s}>{s}</div>),
        },
      ]}
    />
  );
}

function Outbox(props: { items: OutboxEntry[]; loading: boolean; onRetry?: ((id: string) => Promise<void>) | undefined }) {
  const texts = useTexts();
  const format = useFormat();
  const about = (n: OutboxEntry) => n.told ? `${n.told.alarm}: ${texts.notices.on[n.told.on] ?? n.told.on}`
    : n.what === "digest" ? texts.notices.digest(format.count(n.items.length + n.more)) : n.what === "test" ? texts.notices.testMessage : n.subject;
  const look = (n: OutboxEntry) => (n.status === "given-up" ? "state-bad" : n.error ? "state-uncertain" : n.status === "waiting" ? "" : "quiet");
  return (
    <Table<OutboxEntry>
      size="small"
      rowKey="id"
      loading={props.loading}
      dataSource={props.items}
      pagination={props.items.length > 50 ? { pageSize: 50 } : false}
      locale={{ emptyText: props.loading ? " " : texts.notices.nothing }}
      columns={[
        { title: texts.notices.due, key: "due", className: "nowrap number", render: (_, n) => format.time((n.done_ns || n.due_ns) / 1e6) },
        { title: texts.notices.recipient, key: "recipient", render: (_, n) => n.recipient },
        { title: texts.notices.about, key: "about", render: (_, n) => about(n) },
        {
          title: texts.notices.status,
          key: "status",
          render: (_, n) => <span className={look(n)}>{n.held && n.status === "waiting" ? texts.notices.held : texts.notices.statuses[n.status]}{n.error && <span className="small"> {n.error}</span>}</span>,
        },
        ...(props.onRetry ? [{
          key: "retry",
          render: (_: unknown, n: OutboxEntry) => (n.status === "given-up" || (n.status === "waiting" && n.tries > 0)) && (
            <Button size="small" icon={<ReloadOutlined />} onClick={() => void props.onRetry?.(n.id)}>{texts.notices.retry}</Button>
          ),
        }] : []),
      ]}
    />
  );
}
