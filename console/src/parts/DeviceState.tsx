/** The state of a device as colour, icon and word: nobody has to tell colours apart. */
import {
  CheckCircleOutlined,
  CloseCircleFilled,
  DisconnectOutlined,
  PauseCircleOutlined,
  StopFilled,
  SyncOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import type { DeviceState } from "../api";
import { useTexts } from "../texts";

const LOOKS: Record<DeviceState, { icon: ReactNode; tone: string }> = {
  connected: { icon: <CheckCircleOutlined />, tone: "normal" },
  connecting: { icon: <SyncOutlined spin />, tone: "uncertain" },
  lost: { icon: <DisconnectOutlined />, tone: "bad" },
  refused: { icon: <StopFilled />, tone: "bad" },
  failed: { icon: <CloseCircleFilled />, tone: "bad" },
  stopped: { icon: <PauseCircleOutlined />, tone: "quiet" },
};

export function DeviceStateText(props: { state: DeviceState }) {
  const texts = useTexts();
  const look = LOOKS[props.state] ?? LOOKS.failed;
  return (
    <span className={`state state-${look.tone}`} title={texts.devices.stateHelp[props.state]} data-state={props.state}>
      {look.icon} {texts.devices.states[props.state] ?? props.state}
    </span>
  );
}
