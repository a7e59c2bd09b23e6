/** An element comes alive: the point is chosen whose value it shows from now on. */
import { Button, Modal, Select } from "antd";
import { useState } from "react";
import { api } from "../../api";
import { unitText } from "../../format";
import { useLoad } from "../../hooks";
import { ErrorBox } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { twins } from "./twins-api";

interface Props {
  submodel: string;
  path: string;
  /** The point that it shows now; empty for none. */
  now: string;
  onClose: () => void;
  onDone: () => void;
}

export function BindDialog({ submodel, path, now, onClose, onDone }: Props) {
  const texts = useTexts();
  const t = texts.twins;
  const [text, setText] = useState("");
  const [point, setPoint] = useState(now);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const found = useLoad(text.trim() ? `points ${text.trim()}` : undefined, (signal) => api.search(text.trim(), signal));
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    try {
      await work();
      onDone();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const options = (found.data?.items ?? []).map((p) => ({
    value: p.path,
    label: <><span className="path-text">{p.path}</span> <span className="quiet">{unitText(p.unit)}</span></>,
  }));
  return (
    <Modal
      open
      title={t.bindTitle(path)}
      onCancel={onClose}
      footer={[
        now && <Button key="free" danger loading={busy} onClick={() => void act(() => twins.unbind(submodel, path))}>{t.unbind}</Button>,
        <Button key="close" onClick={onClose}>{texts.common.cancel}</Button>,
        <Button key="bind" type="primary" loading={busy} disabled={!point || point === now} onClick={() => void act(() => twins.bind(submodel, path, point))}>{t.bind}</Button>,
      ]}
    >
      <p className="quiet">{t.bindWhy}</p>
      <ErrorBox error={error ?? found.error} />
      <Select
        autoFocus
        showSearch={{ filterOption: false, onSearch: setText }}
        className="write-number"
        aria-label={texts.live.point}
        placeholder={texts.tree.search}
        value={point || undefined}
        onChange={setPoint}
        loading={found.loading}
        notFoundContent={text.trim() ? texts.tree.nothing(text.trim()) : texts.tree.search}
        options={options}
      />
    </Modal>
  );
}
