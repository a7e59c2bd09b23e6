/** The list that operators work from: most urgent first, by mouse or keyboard, any length. */
import { BellOutlined, CheckCircleOutlined } from "@ant-design/icons";
import { App, Button, Checkbox, Drawer, Input, Segmented } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useFormat } from "../../format";
import { useKey, useLoad, useNow } from "../../hooks";
import { Empty, ErrorBox, explain, Waiting } from "../../parts/Notice";
import { useSession } from "../../session";
import { VirtualList, type ListHandle } from "../../parts/VirtualList";
import { useTexts } from "../../texts";
import { AlarmCard } from "./AlarmCard";
import { AlarmMark } from "./AlarmMark";
import { alarmsApi, isOpen, type AlarmView, type Deed, type Scope } from "./alarms-api";

/** All alarms may be ten thousand; the open ones are few, and matter at once. */
const REFRESH_MS: Record<Scope, number> = { open: 2000, all: 10_000 };
const ROW_HEIGHT = 44;
const SHELF_S = 3600;

export function AlarmList() {
  const texts = useTexts();
  const format = useFormat();
  const { message } = App.useApp();
  const { can } = useSession();
  const [scope, setScope] = useState<Scope>("open");
  const found = useLoad(`alarms ${scope}`, (signal) => alarmsApi.list(scope, signal), REFRESH_MS[scope]);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [search, setSearch] = useState("");
  const [at, setAt] = useState(0);
  const [chosen, setChosen] = useState(() => new URLSearchParams(location.search).get("open") ?? undefined);
  const handle = useRef<ListHandle>(null);
  const all = useMemo(() => found.data?.items ?? [], [found.data]);
  const shown = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const of = (v: AlarmView) => `${v.alarm.name} ${v.alarm.point} ${v.alarm.group ?? ""}`.toLowerCase();
    return all.filter((v) => (scope === "all" || isOpen(v)) && words.every((w) => of(v).includes(w)));
  }, [all, scope, search]);
  const here = Math.min(at, Math.max(shown.length - 1, 0));
  useEffect(() => handle.current?.show(here), [here]);

  const answer = async (view: AlarmView | undefined, deed: Deed, comment = "") => {
    if (!view) return;
    try {
      await alarmsApi.answer(view.alarm.name, deed, comment);
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    }
    found.reload();
  };
  const present = shown[here];
  const toggle = (name: string) => setPicked((old) => {
    const next = new Set(old);
    if (!next.delete(name)) next.add(name);
    return next;
  });
  const chosenOnes = shown.filter((v) => picked.has(v.alarm.name));
  const toAcknowledge = (chosenOnes.length ? chosenOnes : present ? [present] : []).filter((v) => !v.state.acked);
  const acknowledge = async () => {
    const [one] = toAcknowledge;
    if (!one || !can("write")) return;
    if (toAcknowledge.length === 1) await answer(one, { do: "acknowledge", event_id: one.state.event_id });
    else {
      try {
        const { refused } = await alarmsApi.acknowledge(toAcknowledge);
        if (refused.length) void message.warning(texts.alarms.refusedOf(format.count(refused.length)));
      } catch (error) {
        const { sentence, remedy } = explain(error, texts);
        void message.error(`${sentence} ${remedy}`);
      }
      found.reload();
    }
    setPicked(new Set());
  };
  useKey("ArrowDown", (e) => { e.preventDefault(); setAt(Math.min(here + 1, shown.length - 1)); });
  useKey("ArrowUp", (e) => { e.preventDefault(); setAt(Math.max(here - 1, 0)); });
  useKey("Enter", () => present && setChosen(present.alarm.name));
  useKey("a", () => void acknowledge());
  useKey(" ", (e) => { if (present) { e.preventDefault(); toggle(present.alarm.name); setAt(Math.min(here + 1, shown.length - 1)); } });
  useKey("c", (e) => { if (present) { e.preventDefault(); setChosen(present.alarm.name); setTimeout(focusComment, FOCUS_MS); } });
  useKey("s", () => present?.letter !== "G" && void answer(present, { do: "shelve", seconds: SHELF_S }));

  const open = all.filter(isOpen);
  const unanswered = open.filter((v) => !v.state.acked).length;
  const card = all.find((v) => v.alarm.name === chosen);
  return (
    <>
      <div className="toolbar">
        <Segmented
          value={scope}
          onChange={setScope}
          options={[
            { value: "open", label: texts.alarms.open },
            { value: "all", label: texts.alarms.everything },
          ]}
        />
        <Input.Search allowClear className="filter" placeholder={texts.alarms.search} aria-label={texts.alarms.search} onChange={(e) => setSearch(e.target.value)} />
        <span role="status" className={unanswered ? "state-bad" : "quiet"}>
          {texts.alarms.openCount(format.count(open.length))} · {texts.alarms.unanswered(format.count(unanswered))}
        </span>
        <span className="grow" />
        {can("write") && chosenOnes.length > 0 && (
          <Button type="primary" size="small" disabled={!toAcknowledge.length} onClick={() => void acknowledge()}>
            {texts.alarms.acknowledgeMany(format.count(toAcknowledge.length))}
          </Button>
        )}
        <span className="quiet small keys-hint">{texts.alarms.keys}</span>
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      {found.loading ? <Waiting />
        : shown.length === 0 ? found.error ? null
          : found.data?.total === 0 ? <Empty icon={<BellOutlined />} title={texts.alarms.noneTitle} remedy={texts.alarms.noneRemedy} />
          : <Empty icon={<CheckCircleOutlined />} title={texts.alarms.quietTitle} remedy={texts.alarms.quietRemedy} />
        : (
          <VirtualList
            className="panel alarm-list"
            handle={handle}
            count={shown.length}
            rowHeight={ROW_HEIGHT}
            row={(i) => {
              const view = shown[i];
              return view && (
                <AlarmRow
                  key={view.alarm.name}
                  view={view}
                  chosen={i === here}
                  picked={picked.has(view.alarm.name)}
                  onPick={() => { setAt(i); toggle(view.alarm.name); }}
                  onOpen={() => { setAt(i); setChosen(view.alarm.name); }}
                />
              );
            }}
          />
        )}
      <Drawer open={!!card} size={560} title={card?.alarm.name} onClose={() => setChosen(undefined)} destroyOnHidden>
        {card && <AlarmCard view={card} onAnswer={answer} onRemoved={() => { setChosen(undefined); found.reload(); }} />}
      </Drawer>
    </>
  );
}

const FOCUS_MS = 300;

/** The drawer needs a moment to be there. */
function focusComment() {
  document.querySelector<HTMLTextAreaElement>(".alarm-comment")?.focus();
}

interface RowProps {
  view: AlarmView;
  chosen: boolean;
  picked: boolean;
  onPick: () => void;
  onOpen: () => void;
}

function AlarmRow(props: RowProps) {
  const { view } = props;
  const texts = useTexts();
  const format = useFormat();
  const now = useNow();
  const since = view.state.active_ns / 1e6;
  return (
    <div
      className={`alarm-row clickable ${props.chosen ? "alarm-chosen" : ""}`}
      style={{ height: ROW_HEIGHT }}
      role="button"
      tabIndex={0}
      data-alarm={view.alarm.name}
      data-letter={view.letter}
      aria-current={props.chosen || undefined}
      onClick={props.onOpen}
    >
      <Checkbox checked={props.picked} tabIndex={-1} aria-label={view.alarm.name} onClick={(e) => e.stopPropagation()} onChange={props.onPick} />
      <AlarmMark view={view} />
      <span className={`alarm-name ${view.after ? "alarm-after" : ""}`}><strong>{view.alarm.name}{view.state.first && view.state.active && <span className="quiet small"> {texts.alarms.firstOut}</span>}</strong><span className="quiet small">{view.alarm.point}</span></span>
      <span className="alarm-limit">{view.state.limits.join(" ") || view.state.limit}</span>
      <span className="alarm-letter">{view.state.enabled ? texts.alarms.letter[view.letter] : texts.alarms.disabled}</span>
      <span className="quiet nowrap alarm-since" title={since ? format.time(since) : undefined}>
        {view.state.active ? format.age(now - since) : ""}
      </span>
    </div>
  );
}
