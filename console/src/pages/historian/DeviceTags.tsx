/** The devices that read the points on screen; in colour only those that are in trouble. */
import { useMemo } from "react";
import { api, type Point } from "../../api";
import { useLoad } from "../../hooks";
import { DeviceStateText } from "../../parts/DeviceState";
import { Link } from "../../parts/Link";
import { useTexts } from "../../texts";

const SHOWN_MAX = 3;

export function DeviceTags(props: { points: readonly Point[] }) {
  const texts = useTexts();
  const { data } = useLoad("devices", api.devices, 3000);
  const names = useMemo(() => new Set(props.points.map((p) => p.source).filter(Boolean)), [props.points]);
  const devices = (data?.items ?? []).filter((d) => names.has(d.name));
  if (!devices.length) return null;
  const troubled = devices.filter((d) => d.state !== "connected");
  const shown = devices.length <= SHOWN_MAX ? devices : troubled.slice(0, SHOWN_MAX);
  return (
    <span className="device-tags">
      {shown.map((device) => (
        <Link key={device.name} to={`/devices/${encodeURIComponent(device.name)}`} className="device-tag" title={`${texts.live.devices} ${device.name}. ${device.error || device.detail}`}>
          <span>{device.name}</span> <DeviceStateText state={device.state} />
        </Link>
      ))}
    </span>
  );
}
