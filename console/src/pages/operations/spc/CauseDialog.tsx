/** Why a point violates, in somebody's words. */
import { Alert, Input, Modal } from "antd";
import { useState } from "react";
import { useFormat } from "../../../format";
import { useFocusBack } from "../../../hooks";
import { explain } from "../../../parts/Notice";
import { useTexts } from "../../../texts";
import { chartsApi, type Marked } from "./charts-api";

interface Props {
  name: string;
  point: Marked;
  onClose: () => void;
  onSaved: () => void;
}

export function CauseDialog({ name, point, onClose, onSaved }: Props) {
  useFocusBack();
  const texts = useTexts();
  const format = useFormat();
  const [cause, setCause] = useState("");
  const [trouble, setTrouble] = useState("");
  const save = async () => {
    try {
      await chartsApi.comment(name, point.time, cause.trim());
      onSaved();
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      setTrouble(`${sentence} ${remedy}`);
    }
  };
  return (
    <Modal open title={texts.spc.addCause} okText={texts.common.save} cancelText={texts.common.cancel} okButtonProps={{ disabled: !cause.trim() }} onOk={() => void save()} onCancel={onClose}>
      <p>{format.time(point.time_ns / 1e6)}: {point.marks.map((m) => texts.spc.rules[m] ?? m).join("; ")}</p>
      <Input.TextArea autoFocus rows={3} maxLength={2000} value={cause} aria-label={texts.spc.cause} placeholder={texts.spc.causeHint} onChange={(e) => setCause(e.target.value)} />
      {trouble && <Alert type="error" showIcon role="alert" title={trouble} />}
    </Modal>
  );
}
