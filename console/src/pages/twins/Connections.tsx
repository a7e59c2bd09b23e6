/** The connections that an interface description asks for: seen first, made when somebody agrees. */
import { ApiOutlined, CheckCircleOutlined, DisconnectOutlined, WarningOutlined } from "@ant-design/icons";
import { Alert, Button, Form, Input, Tag } from "antd";
import { useState } from "react";
import { useLoad } from "../../hooks";
import { Problem } from "../../http";
import { Link } from "../../parts/Link";
import { ErrorBox, Waiting } from "../../parts/Notice";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { Findings } from "./ImportDialog";
import { twins, type Connection, type Plug } from "./twins-api";
import { useAsk } from "./use-ask";

/** What the form holds: the branch, and what connections need, as `name field`. */
type Values = Record<string, string>;

/** Between the name of a connection and of its field; neither can hold it. */
const JOIN = "\n";
const REFRESH_MS = 5000;

export function Connections({ submodel, onChange }: { submodel: string; onChange: () => void }) {
  const t = useTexts().twins.plug;
  const { data, error, reload } = useLoad(`plug ${submodel}`, (signal) => twins.plug(submodel, signal), REFRESH_MS);
  // What the plant has described itself is connected already.
  const own = error instanceof Problem && error.status === 404;
  const changed = () => {
    reload();
    onChange();
  };
  return (
    <section className="panel" aria-label={t.title}>
      <h2>{t.title}</h2>
      {own ? <p className="quiet">{t.own}</p> : <ErrorBox error={error} reload={reload} />}
      {!data ? (error ? null : <Waiting rows={3} />)
        : data.connections.length === 0 ? <Alert type="info" showIcon title={t.none} />
        : <Agreed key={data.state} plug={data} submodel={submodel} onChange={changed} />}
      {data && data.findings.length > 0 && <div className="plug-findings"><h2>{t.findings}</h2><Findings findings={data.findings} words={t} /></div>}
    </section>
  );
}

function Agreed({ plug, submodel, onChange }: { plug: Plug; submodel: string; onChange: () => void }) {
  const texts = useTexts();
  const t = texts.twins.plug;
  const { can } = useSession();
  const ask = useAsk();
  const [form] = Form.useForm<Values>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const plugged = plug.state === "plugged";
  const connect = async (values: Values) => {
    setBusy(true);
    setError(undefined);
    try {
      await twins.connect(submodel, { at: values["at"] ?? "", given: givenOf(values) });
      onChange();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  const disconnect = () => ask({
    title: t.disconnectAsk,
    content: t.disconnectHelp,
    okText: t.disconnect,
    work: async () => {
      await twins.disconnect(submodel);
      onChange();
    },
  });
  return (
    <>
      {plugged ? <Alert type="success" showIcon icon={<CheckCircleOutlined />} title={t.made} action={<Link to="/devices">{t.toDevices}</Link>} />
        : plug.state === "waiting" ? <Alert type="warning" showIcon title={t.waiting} />
        : <p className="quiet">{t.why}</p>}
      <ErrorBox error={error} />
      <Form form={form} layout="vertical" initialValues={{ at: plug.at }} onFinish={(values) => void connect(values)} disabled={!can("configure")}>
        <ul className="proposals">
          {plug.connections.map((one) => <Line key={one.name} connection={one} />)}
        </ul>
        <Bound plug={plug} />
        {!plugged && <Form.Item name="at" label={t.at} extra={t.atHint} className="form-width"><Input className="path-text" /></Form.Item>}
        {can("configure") && (
          <div className="bound-acts">
            {(!plugged || plug.connections.some((c) => c.needs.length)) && (
              <Button type="primary" danger htmlType="submit" icon={<ApiOutlined />} loading={busy}>{t.connect(plug.connections.length)}</Button>
            )}
            {(plugged || plug.state === "waiting") && <Button icon={<DisconnectOutlined />} onClick={disconnect}>{t.disconnect}</Button>}
          </div>
        )}
      </Form>
    </>
  );
}

function Line({ connection }: { connection: Connection }) {
  const t = useTexts().twins.plug;
  return (
    <li data-connection={connection.name}>
      <strong>{connection.name}</strong> <Tag>{connection.kind}</Tag> <span className="path-text">{connection.address}</span>{" "}
      <span className="quiet">{t.points(connection.points)}{connection.connected && <> · {t.connected}</>}</span>
      {connection.problem && <div className="state-bad"><WarningOutlined /> {connection.problem}</div>}
      {connection.needs.length > 0 && (
        <div className="form-pair">
          {connection.needs.map((field) => (
            <Form.Item
              key={field}
              name={`${connection.name}${JOIN}${field}`}
              label={field}
              extra={field === "username" ? undefined : t.secretHint}
              rules={[{ required: true, message: t.needed }]}
            >
              <Input autoComplete="off" placeholder={field === "username" ? "" : `env:PRESS_${field.toUpperCase()}`} />
            </Form.Item>
          ))}
        </div>
      )}
    </li>
  );
}

function Bound({ plug }: { plug: Plug }) {
  const t = useTexts().twins.plug;
  if (!plug.bindings.length) return null;
  return (
    <details className="plug-bound">
      <summary>{t.bindings(plug.bindings.length)}</summary>
      <ul>{plug.bindings.map((b) => <li key={`${b.submodel} ${b.path}`} className="small"><span className="path-text">{b.path}</span> ← <span className="path-text quiet">{b.point}</span></li>)}</ul>
    </details>
  );
}

/** What was typed, by connection; secrets are only said as references to where they stand. */
function givenOf(values: Values): Record<string, Record<string, unknown>> {
  const given: Record<string, Record<string, unknown>> = {};
  for (const [key, text] of Object.entries(values)) {
    const [name = "", field = ""] = key.split(JOIN);
    if (!field || !text) continue;
    const [, kind, where] = /^(env|file):(.+)$/.exec(text.trim()) ?? [];
    given[name] = { ...given[name], [field]: kind && where ? { [kind]: where } : text };
  }
  return given;
}
