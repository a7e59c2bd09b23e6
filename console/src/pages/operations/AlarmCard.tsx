/** One alarm: what it is, what to do about it, and everything that one may do to it. */
import { CopyOutlined, EditOutlined, FileTextOutlined } from "@ant-design/icons";
import { App, Button, Dropdown, Input, Popconfirm, Space } from "antd";
import type { TextAreaRef } from "antd/es/input/TextArea";
import { useEffect, useRef, useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { explain } from "../../parts/Notice";
import { trendAddress } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import type { Task } from "./AlarmDefinition";
import { JournalTable } from "./JournalTable";
import { alarmsApi, watched, type AlarmView, type Deed } from "./alarms-api";

const SHELVES_S = [0, 900, 3600, 14_400, 28_800];
const REFRESH_MS = 5000;

interface Props {
  view: AlarmView;
  /** Whether it was opened to say something. */
  commenting: boolean;
  onTask: (task: Task) => void;
  onAnswer: (view: AlarmView, deed: Deed, comment: string) => Promise<void>;
  onRemoved: () => void;
}

export function AlarmCard({ view, commenting, onTask, onAnswer, onRemoved }: Props) {
  const { alarm, state, letter } = view;
  const texts = useTexts();
  const format = useFormat();
  const { can } = useSession();
  const [comment, setComment] = useState("");
  const words = useRef<TextAreaRef>(null);
  useEffect(() => { if (commenting) words.current?.focus(); }, [commenting]);
  const journal = useLoad(`journal ${alarm.name} ${state.event_id} ${letter}`, (signal) => alarmsApi.journal("-30d", alarm.name, signal), REFRESH_MS);
  const answer = async (deed: Deed) => {
    await onAnswer(view, deed, comment);
    setComment("");
  };
  const shelfText = (s: number) => (s === 0 ? texts.alarms.untilReturn : s < 3600 ? texts.alarms.minutes(s / 60) : texts.alarms.hours(s / 3600));
  const advice = alarm.advice ?? {};
  return (
    <>
      {alarm.description && <p>{alarm.description}</p>}
      <dl className="facts">
        <dt>{texts.alarms.state}</dt><dd>{state.enabled ? texts.alarms.letter[letter] : texts.alarms.disabled}{state.limit && ` (${state.limits.join(" ") || state.limit})`}</dd>
        <dt>{texts.alarms.point}</dt><dd className="path-text"><Link to={trendAddress([alarm.point])} title={texts.alarms.trend}>{alarm.point}</Link></dd>
        <dt>{texts.alarms.limit}</dt><dd className="path-text">{watched(alarm, (n) => format.figure(n))}</dd>
        {state.active && <><dt>{texts.alarms.since}</dt><dd>{format.time(state.active_ns / 1e6)}</dd></>}
        {state.acked && state.acked_by && <><dt>{texts.alarms.acknowledgedBy}</dt><dd>{state.acked_by}</dd></>}
        {state.shelf_ends_ns > 0 && <><dt>{texts.alarms.shelfEnds}</dt><dd>{format.time(state.shelf_ends_ns / 1e6)}</dd></>}
        {state.suppressors.length > 0 && <><dt>{texts.alarms.suppressedBy}</dt><dd>{state.suppressors.map((by) => texts.alarms.covers[by] ?? by).join(", ")}</dd></>}
        {view.after && <><dt>{texts.alarms.firstOut}</dt><dd>{view.after}</dd></>}
        {alarm.group && <><dt>{texts.alarms.group}</dt><dd>{alarm.group}</dd></>}
        {advice.cause && <><dt>{texts.alarms.cause}</dt><dd>{advice.cause}</dd></>}
        {advice.consequence && <><dt>{texts.alarms.consequence}</dt><dd>{advice.consequence}</dd></>}
        <dt>{texts.alarms.action}</dt><dd>{advice.action || <span className="quiet">{texts.alarms.noAdvice}</span>}</dd>
        {!!advice.respond_s && <><dt>{texts.alarms.respond}</dt><dd>{format.age(advice.respond_s * 1000)}</dd></>}
      </dl>
      {can("write") && (
        <div className="stacked">
          <Input.TextArea ref={words} rows={2} maxLength={2000} value={comment} placeholder={texts.alarms.comment} aria-label={texts.alarms.comment} onChange={(e) => setComment(e.target.value)} />
          <Space wrap>
            {!state.acked && <Button type="primary" onClick={() => void answer({ do: "acknowledge", event_id: state.event_id })}>{texts.alarms.acknowledge}</Button>}
            {state.acked && !state.confirmed && <Button type="primary" onClick={() => void answer({ do: "confirm", event_id: state.event_id })}>{texts.alarms.confirm}</Button>}
            {"EF".includes(letter) && <Button onClick={() => void answer({ do: "reset" })}>{texts.alarms.reset}</Button>}
            {view.annunciation === "sound-and-blink" && <Button onClick={() => void answer({ do: "silence" })}>{texts.alarms.silence}</Button>}
            {letter === "G" ? <Button onClick={() => void answer({ do: "unshelve" })}>{texts.alarms.unshelve}</Button> : (
              <Dropdown trigger={["click"]} menu={{ items: SHELVES_S.map((s) => ({ key: s, label: shelfText(s), onClick: () => void answer({ do: "shelve", seconds: s }) })) }}>
                <Button>{texts.alarms.shelve}</Button>
              </Dropdown>
            )}
            {comment && <Button onClick={() => void answer({ do: "comment" })}>{texts.alarms.comment}</Button>}
          </Space>
          {can("configure") && <Engineering view={view} answer={answer} onTask={onTask} onRemoved={onRemoved} />}
        </div>
      )}
      <h2>{texts.alarms.journal}</h2>
      <JournalTable found={journal} single />
    </>
  );
}

function Engineering({ view, answer, onTask, onRemoved }: Pick<Props, "view" | "onTask" | "onRemoved"> & { answer: (deed: Deed) => Promise<void> }) {
  const texts = useTexts();
  const { message } = App.useApp();
  const [permit, setPermit] = useState("");
  const { name } = view.alarm;
  const elsewhere = view.in_file || !!view.device;
  const suppressed = view.state.suppressors.includes("person");
  const remove = async () => {
    try {
      await alarmsApi.remove(name, permit.trim());
      onRemoved();
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    }
  };
  return (
    <fieldset className="alarm-engineering">
      <legend>{texts.alarms.engineering}</legend>
      <Space wrap>
        <Button size="small" icon={elsewhere ? <FileTextOutlined /> : <EditOutlined />} onClick={() => onTask({ do: "edit", name })}>{elsewhere ? texts.alarms.definition : texts.alarms.edit}</Button>
        {!view.device && <Button size="small" icon={<CopyOutlined />} onClick={() => onTask({ do: "copy", name })}>{texts.alarms.copy}</Button>}
        {elsewhere && <span className="quiet small">{view.device ? texts.alarms.byDevice(view.device) : texts.alarms.inFile}</span>}
      </Space>
      <Space wrap>
        <Input size="small" value={permit} placeholder={texts.alarms.permit} aria-label={texts.alarms.permit} onChange={(e) => setPermit(e.target.value)} />
        {view.letter === "I"
          ? <Button size="small" onClick={() => void answer({ do: "in-service" })}>{texts.alarms.inService}</Button>
          : <Button size="small" disabled={!permit.trim()} title={permit.trim() ? undefined : texts.alarms.permitNeeded} onClick={() => void answer({ do: "out-of-service", permit: permit.trim() })}>{texts.alarms.outOfService}</Button>}
        <Button size="small" onClick={() => void answer({ do: "suppress", on: !suppressed, permit: permit.trim() })}>{suppressed ? texts.alarms.unsuppress : texts.alarms.suppress}</Button>
        <Button size="small" onClick={() => void answer({ do: view.state.enabled ? "disable" : "enable", permit: permit.trim() })}>
          {view.state.enabled ? texts.alarms.disable : texts.alarms.enable}
        </Button>
        {!elsewhere && (
          <Popconfirm title={texts.alarms.removeSure} okText={texts.common.remove} cancelText={texts.common.cancel} onConfirm={() => void remove()}>
            <Button size="small" danger>{texts.alarms.remove}</Button>
          </Popconfirm>
        )}
      </Space>
    </fieldset>
  );
}
