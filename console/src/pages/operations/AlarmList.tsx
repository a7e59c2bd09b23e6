/** The list that operators work from: most urgent first, by mouse or keyboard, any length. */
import { BellOutlined, CheckCircleOutlined, SearchOutlined } from "@ant-design/icons";
import { App, Button, Drawer, Input, Segmented } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Empty, ErrorBox, explain, Waiting } from "../../parts/Notice";
import { useSession } from "../../session";
import { VirtualList, type ListHandle } from "../../parts/VirtualList";
import { useTexts } from "../../texts";
import { AlarmCard } from "./AlarmCard";
import type { Task } from "./AlarmDefinition";
import { AlarmHead, AlarmRow, ROW_HEIGHT, rowId } from "./AlarmRow";
import { ACKNOWLEDGED_MAX, alarmsApi, isOpen, listed, type AlarmView, type Deed, type Scope } from "./alarms-api";
import { useCursor, usePicked } from "./list-state";
import { useAlarmKeys } from "./alarm-keys";

/** All alarms may be ten thousand; the open ones are few, and matter at once. */
const REFRESH_MS: Record<Scope, number> = { open: 2000, all: 10_000 };
const SHELF_S = 3600;

interface Props {
  /** Changes when an alarm was defined elsewhere on the page. */
  fresh: number;
  onTask: (task: Task) => void;
  /** Name of the alarm whose card is open. */
  chosen: string | undefined;
  onChoose: (name: string | undefined) => void;
}

/** An alarm whose card is open and that is no longer among the open ones: who writes a comment goes on. */
function closedOf(view: AlarmView | undefined, name: string): AlarmView | undefined {
  if (view?.alarm.name !== name) return undefined;
  if (view.letter === "A" || !view.state.enabled) return view;
  return { ...view, letter: "A", annunciation: "none", state: { ...view.state, active: false, acked: true, limit: "", limits: [] } };
}

export function AlarmList({ fresh, onTask, chosen, onChoose }: Props) {
  const texts = useTexts();
  const format = useFormat();
  const { message } = App.useApp();
  const { can } = useSession();
  const [scope, setScope] = useState<Scope>("open");
  const found = useLoad(`alarms ${scope}`, (signal) => listed(scope, signal), REFRESH_MS[scope]);
  const [search, setSearch] = useState(() => new URLSearchParams(location.search).get("search") ?? "");
  const [done, setDone] = useState<[number, number]>();
  const [commenting, setCommenting] = useState(false);
  /** The drawer takes the focus while it opens; what is to have it comes after. */
  const [settled, setSettled] = useState(false);
  const handle = useRef<ListHandle>(null);
  const last = useRef<AlarmView>(undefined);
  useEffect(() => { if (fresh) found.reload(); }, [fresh]);
  const all = useMemo(() => found.data?.items ?? [], [found.data]);
  const shown = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const of = (v: AlarmView) => `${v.alarm.name} ${v.alarm.point} ${v.alarm.group ?? ""}`.toLowerCase();
    return all.filter((v) => (scope === "all" || isOpen(v)) && words.every((w) => of(v).includes(w)));
  }, [all, scope, search]);
  const names = useMemo(() => shown.map((v) => v.alarm.name), [shown]);
  const { here, move } = useCursor(names, (index) => handle.current?.show(index));
  const picks = usePicked(names);
  const present = shown[here];

  const failed = (error: unknown) => {
    const { sentence, remedy } = explain(error, texts);
    void message.error(`${sentence} ${remedy}`);
  };
  const answer = async (view: AlarmView, deed: Deed, comment = "") => {
    try {
      last.current = await alarmsApi.answer(view.alarm.name, deed, comment);
    } catch (error) {
      failed(error);
    }
    found.reload();
  };
  const chosenOnes = shown.filter((v) => picks.picked.has(v.alarm.name));
  const toAcknowledge = (chosenOnes.length ? chosenOnes : present ? [present] : []).filter((v) => !v.state.acked);
  const acknowledge = async () => {
    const [one] = toAcknowledge;
    if (!one || done || !can("write")) return;
    if (!chosenOnes.length) {
      // It sinks; the next one comes to its place.
      move(here + 1, { still: true });
      await answer(one, { do: "acknowledge", event_id: one.state.event_id });
      return;
    }
    let refused = 0;
    try {
      for (let start = 0; start < toAcknowledge.length; start += ACKNOWLEDGED_MAX) {
        setDone([start, toAcknowledge.length]);
        refused += (await alarmsApi.acknowledge(toAcknowledge.slice(start, start + ACKNOWLEDGED_MAX))).refused.length;
      }
      if (refused) void message.warning(texts.alarms.refusedOf(format.count(refused)));
      picks.clear();
    } catch (error) {
      failed(error);
    }
    setDone(undefined);
    found.reload();
  };
  const page = () => Math.max(Math.floor((document.querySelector(".alarm-list .virtual")?.clientHeight ?? 0) / ROW_HEIGHT) - 1, 1);
  useAlarmKeys({
    onMove: (by, picking) => {
      if (picking && present) picks.add([present.alarm.name, names[here + by] ?? ""]);
      move(here + by);
    },
    onPage: (by) => move(here + by * page()),
    onEnd: (last) => move(last ? names.length - 1 : 0),
    onOpen: () => present && onChoose(present.alarm.name),
    onToggle: () => { if (present) { picks.toggle(present.alarm.name); move(here + 1); } },
    onAll: picks.all,
    onNone: picks.clear,
    onAcknowledge: () => void acknowledge(),
    onComment: () => { if (present && can("write")) { setCommenting(true); onChoose(present.alarm.name); } },
    onShelve: () => void (present && can("write") && present.letter !== "G" && answer(present, { do: "shelve", seconds: SHELF_S })),
  });

  const open = all.filter(isOpen);
  const unanswered = open.filter((v) => !v.state.acked).length;
  const card = chosen === undefined ? undefined : all.find((v) => v.alarm.name === chosen) ?? closedOf(last.current, chosen);
  last.current = card;
  const empty = found.data?.total === 0
    ? <Empty icon={<BellOutlined />} title={texts.alarms.noneTitle} remedy={texts.alarms.noneRemedy} />
    : search
      ? <Empty icon={<SearchOutlined />} title={texts.alarms.nothingFound} />
      : <Empty icon={<CheckCircleOutlined />} title={texts.alarms.quietTitle} remedy={texts.alarms.quietRemedy} />;
  return (
    <>
      <div className="toolbar">
        <Segmented
          aria-label={texts.alarms.which}
          value={scope}
          onChange={setScope}
          options={[
            { value: "open", label: texts.alarms.open },
            { value: "all", label: texts.alarms.everything },
          ]}
        />
        <Input.Search allowClear className="filter" value={search} placeholder={texts.alarms.search} aria-label={texts.alarms.search} onChange={(e) => setSearch(e.target.value)} />
        <span role="status" className={unanswered ? "state-bad" : "quiet"}>
          {texts.alarms.openCount(format.count(open.length))} · {texts.alarms.unanswered(format.count(unanswered))}
        </span>
        {can("write") && chosenOnes.length > 0 && (
          <Button type="primary" size="small" loading={!!done} disabled={!toAcknowledge.length} onClick={() => void acknowledge()}>
            {done ? texts.alarms.acknowledging(format.count(done[0]), format.count(done[1])) : texts.alarms.acknowledgeMany(format.count(toAcknowledge.length))}
          </Button>
        )}
        <span className="grow" />
        <span className="quiet small keys-hint">{texts.alarms.keys}</span>
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      {found.loading ? <Waiting /> : shown.length === 0 ? !found.error && empty : (
        <div
          className="panel alarm-list"
          role="grid"
          tabIndex={0}
          aria-label={texts.alarms.list}
          aria-rowcount={shown.length + 1}
          aria-multiselectable
          aria-activedescendant={present && rowId(present.alarm.name)}
        >
          <AlarmHead picked={chosenOnes.length} count={shown.length} onPick={() => (chosenOnes.length ? picks.clear() : picks.all())} />
          <VirtualList
            handle={handle}
            count={shown.length}
            rowHeight={ROW_HEIGHT}
            row={(i) => {
              const view = shown[i];
              return view && (
                <AlarmRow
                  key={view.alarm.name}
                  view={view}
                  index={i}
                  chosen={i === here}
                  picked={picks.picked.has(view.alarm.name)}
                  onPick={() => { move(i); picks.toggle(view.alarm.name); }}
                  onOpen={() => { move(i); onChoose(view.alarm.name); }}
                />
              );
            }}
          />
        </div>
      )}
      <Drawer open={!!card} size={560} title={card?.alarm.name} onClose={() => { setCommenting(false); onChoose(undefined); }} afterOpenChange={setSettled} destroyOnHidden>
        {card && (
          <AlarmCard
            view={card}
            commenting={commenting && settled}
            onAnswer={answer}
            onTask={onTask}
            onRemoved={() => { onChoose(undefined); found.reload(); }}
          />
        )}
      </Drawer>
    </>
  );
}
