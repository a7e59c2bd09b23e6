/** The definition of an alarm: new, changed, copied, or shown where only a file or a device can change it. */
import { Modal } from "antd";
import { useState } from "react";
import { useFocusBack, useLoad } from "../../hooks";
import { ErrorBox, Waiting } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { AlarmForm } from "./AlarmForm";
import { alarmsApi } from "./alarms-api";

/** What is done in the form; of which alarm, where there is one. */
export type Task = { do: "new" } | { do: "edit" | "copy"; name: string };

interface Props {
  task: Task;
  onClose: () => void;
  /** Told the name of what was saved. */
  onSaved: (name: string) => void;
}

export function AlarmDefinition({ task: given, onClose, onSaved }: Props) {
  useFocusBack();
  const texts = useTexts();
  const [task, setTask] = useState(given);
  const [round, setRound] = useState(0);
  const key = task.do === "new" ? undefined : `definition ${task.name} ${round}`;
  const found = useLoad(key, (signal) => alarmsApi.definition(task.do === "new" ? "" : task.name, signal));
  if (task.do !== "new" && !found.data) {
    return (
      <Modal open width={720} title={task.name} onCancel={onClose} footer={null}>
        {found.loading ? <Waiting /> : <ErrorBox error={found.error} reload={found.reload} />}
      </Modal>
    );
  }
  return (
    <AlarmForm
      key={`${task.do} ${key}`}
      task={task.do}
      subject={found.data}
      onCopy={() => task.do !== "new" && setTask({ do: "copy", name: task.name })}
      onAgain={() => setRound(round + 1)}
      onClose={onClose}
      onSaved={onSaved}
      title={task.do === "new" ? texts.alarms.define : task.do === "copy" ? texts.alarms.copyTitle(task.name) : task.name}
    />
  );
}
