/** Somebody else has changed what is being saved: what they said, what you say, and the choice. */
import { Alert, Button, Modal } from "antd";
import { useTexts } from "../../texts";
import type { Element } from "./aas";
import { differences } from "./diff";
import { DiffTable } from "./DiffTable";

interface Props {
  base: Element | undefined;
  mine: Element;
  theirs: Element | undefined;
  onMine: () => void;
  onTheirs: () => void;
  onBack: () => void;
}

export function Conflict({ base, mine, theirs, onMine, onTheirs, onBack }: Props) {
  const t = useTexts().twins.conflict;
  const same = !!theirs && JSON.stringify(theirs) === JSON.stringify(base);
  return (
    <Modal
      open
      width={720}
      title={t.title}
      onCancel={onBack}
      footer={[
        <Button key="back" onClick={onBack}>{t.back}</Button>,
        <Button key="theirs" onClick={onTheirs}>{t.theirs}</Button>,
        <Button key="mine" type="primary" danger={!same} disabled={!theirs} onClick={onMine}>{t.mine}</Button>,
      ]}
    >
      <Alert type="warning" showIcon title={!theirs ? t.gone : same ? t.beside : t.both} description={same ? t.besideHelp : undefined} />
      {theirs && <DiffTable rows={differences(theirs, mine)} left={t.there} right={t.yours} />}
    </Modal>
  );
}
