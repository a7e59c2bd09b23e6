/** Every connection to the shop floor: how it is, since when, why, and what it has brought. */
import { CheckCircleOutlined, ClusterOutlined, ReloadOutlined, WarningFilled } from "@ant-design/icons";
import { App, Button, Drawer, Table } from "antd";
import type { ColumnsType } from "antd/es/table";
import { api, type Device } from "../../api";
import { useFormat } from "../../format";
import { useLoad, useNow } from "../../hooks";
import type { PageProps } from "../../page";
import { DeviceStateText } from "../../parts/DeviceState";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, explain, Waiting } from "../../parts/Notice";
import { branchAddress, go } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";

const REFRESH_MS = 2000;

export default function Devices(props: PageProps) {
  const texts = useTexts();
  const format = useFormat();
  const found = useLoad("devices", api.devices, REFRESH_MS);
  const devices = found.data?.items ?? [];
  const bad = devices.filter((d) => d.state !== "connected").length;
  const chosen = devices.find((d) => d.name === props.rest);
  return (
    <section className="page" aria-label={texts.devices.title}>
      <div className="page-head">
        <h1>{texts.devices.title}</h1>
        {devices.length > 0 && (
          <span className={bad ? "state-bad" : "quiet"} role="status">
            {bad ? <WarningFilled /> : <CheckCircleOutlined />}{" "}
            {bad ? texts.devices.someBad(format.count(bad), format.count(devices.length)) : texts.devices.allGood(format.count(devices.length))}
          </span>
        )}
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      {found.loading ? <Waiting />
        : devices.length === 0 ? found.error ? null
          : <Empty icon={<ClusterOutlined />} title={texts.devices.empty} remedy={texts.devices.emptyRemedy} />
        : <DeviceTable devices={devices} />}
      <Drawer
        open={!!chosen}
        size={560}
        title={chosen?.name}
        onClose={() => go("/devices")}
        destroyOnHidden
      >
        {chosen && <DeviceCard device={chosen} onRetry={found.reload} />}
      </Drawer>
    </section>
  );
}

function lostOf(device: Device): number {
  return Object.values(device.lost).reduce((a, b) => a + b, 0);
}

function DeviceTable(props: { devices: Device[] }) {
  const texts = useTexts();
  const format = useFormat();
  const now = useNow();
  const columns: ColumnsType<Device> = [
    {
      title: texts.common.name,
      dataIndex: "name",
      sorter: (a, b) => a.name.localeCompare(b.name),
      render: (name: string, d) => <><strong>{name}</strong><div className="quiet small">{d.protocol} · {d.at}</div></>,
    },
    {
      title: texts.devices.state,
      key: "state",
      sorter: (a, b) => Number(a.state === "connected") - Number(b.state === "connected"),
      render: (_, d) => (
        <>
          <DeviceStateText state={d.state} />
          <div className="quiet small" title={format.time(d.since)}>{texts.devices.lasting(format.age(now - Date.parse(d.since)))}</div>
        </>
      ),
    },
    {
      title: texts.devices.reason,
      key: "reason",
      render: (_, d) => (
        <div className="reason">
          {d.state !== "connected" && (d.error || d.detail) ? <span>{d.error || d.detail}</span> : <span className="quiet">{d.detail}</span>}
          {d.troubles.length > 0 && <div className="state-uncertain small"><WarningFilled /> {texts.devices.troubles}: {format.count(d.troubles.length)}</div>}
        </div>
      ),
    },
    { title: texts.devices.points, dataIndex: "points", align: "right", className: "number", render: (n: number) => format.count(n) },
    { title: texts.devices.rate, dataIndex: "rate", align: "right", className: "number", render: (r: number) => format.fixed(r, 1) },
    { title: texts.devices.samples, dataIndex: "samples", align: "right", className: "number col-wide", render: (n: number) => format.count(n) },
    { title: texts.devices.reconnects, dataIndex: "reconnects", align: "right", className: "number col-wide", render: (n: number) => format.count(n) },
    {
      title: texts.devices.lost,
      key: "lost",
      align: "right",
      className: "number",
      render: (_, d) => {
        const lost = lostOf(d);
        return <span className={lost ? "state-bad" : "quiet"}>{format.count(lost)}</span>;
      },
    },
    {
      title: texts.devices.last,
      dataIndex: "last_sample",
      render: (time: string | null) => (
        <span className="quiet nowrap" title={format.time(time)}>{time ? format.age(now - Date.parse(time)) : texts.common.never}</span>
      ),
    },
  ];
  const open = (device: Device) => go(`/devices/${encodeURIComponent(device.name)}`);
  return (
    <div className="scroll">
      <Table
        size="small"
        rowKey="name"
        columns={columns}
        dataSource={props.devices}
        pagination={props.devices.length > 100 ? { pageSize: 100 } : false}
        onRow={(device) => ({
          className: "clickable",
          tabIndex: 0,
          "data-device": device.name,
          onClick: () => open(device),
          onKeyDown: (event) => { if (event.key === "Enter") open(device); },
        })}
      />
    </div>
  );
}

function DeviceCard(props: { device: Device; onRetry: () => void }) {
  const { device } = props;
  const texts = useTexts();
  const format = useFormat();
  const { can } = useSession();
  const { message } = App.useApp();
  const retry = async () => {
    try {
      await api.retry(device.name);
      void message.success(texts.devices.retried(device.name));
      props.onRetry();
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    }
  };
  const lost = Object.entries(device.lost).map(([reason, n]) => `${reason}: ${format.count(n)}`).join(", ");
  return (
    <>
      <p className="device-state"><DeviceStateText state={device.state} /></p>
      <p className="quiet">{texts.devices.stateHelp[device.state]}</p>
      {can("configure") && device.state !== "connected" && (
        <p><Button icon={<ReloadOutlined />} onClick={() => void retry()}>{texts.devices.retry}</Button></p>
      )}
      <dl className="facts">
        <dt>{texts.devices.since}</dt><dd>{format.time(device.since)}</dd>
        <dt>{texts.devices.protocol}</dt><dd>{device.protocol}</dd>
        <dt>{texts.devices.at}</dt><dd className="path-text"><Link to={branchAddress(device.at)}>{device.at || texts.tree.root}</Link></dd>
        <dt>{texts.devices.reason}</dt><dd>{device.detail || "–"}</dd>
        <dt>{texts.devices.error}</dt><dd>{device.error || "–"}</dd>
        <dt>{texts.devices.points}</dt><dd>{format.count(device.points)}</dd>
        <dt>{texts.devices.samples}</dt><dd>{format.count(device.samples)}</dd>
        <dt>{texts.devices.rate}</dt><dd>{format.fixed(device.rate, 1)}</dd>
        <dt>{texts.devices.reconnects}</dt><dd>{format.count(device.reconnects)}</dd>
        <dt>{texts.devices.lost}</dt><dd className={lostOf(device) ? "state-bad" : ""}>{lost || "0"}</dd>
        <dt>{texts.devices.last}</dt><dd>{format.time(device.last_sample)}</dd>
      </dl>
      <h2>{texts.devices.troubles}</h2>
      {device.troubles.length === 0 ? <p className="quiet">{texts.devices.noTroubles}</p> : (
        <Table
          size="small"
          rowKey={(t) => t.address + t.problem}
          dataSource={device.troubles}
          pagination={device.troubles.length > 20 ? { pageSize: 20 } : false}
          columns={[
            { title: texts.devices.address, dataIndex: "address", className: "path-text" },
            { title: texts.devices.problem, dataIndex: "problem" },
          ]}
        />
      )}
    </>
  );
}
