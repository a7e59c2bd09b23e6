/** The stops of one work unit: big enough to be touched, what needs a reason first. */
import { ArrowLeftOutlined, CheckCircleOutlined } from "@ant-design/icons";
import { App, Button, Segmented } from "antd";
import { useCallback, useMemo, useState } from "react";
import { leaf, useFormat } from "../../format";
import { useLoad, useNow } from "../../hooks";
import { Empty, ErrorBox, Waiting, explain } from "../../parts/Notice";
import { go } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { ReasonChoice, type Choice } from "./ReasonChoice";
import { chosenAt, StateCorrection, type Chosen } from "./StateCorrection";
import { boundsOf, lengthText, StateTimeline, type Row } from "./StateTimeline";
import { useTimeline } from "./useTimeline";
import { statesApi, type Stop, type UnitView } from "./states-api";

const REFRESH_MS = 5000;
const SPAN_MS = 8 * 3_600_000;
const LIVE_STEP_MS = 10_000;
const UNDO_S = 10;

export function UnitStops({ view, alone, onSaid }: { view: UnitView; alone: boolean; onSaid: () => void }) {
  const { unit } = view;
  const texts = useTexts();
  const { can } = useSession();
  const { notification, message } = App.useApp();
  const [scope, setScope] = useState<"open" | "all">("open");
  const [chosen, setChosen] = useState<Stop>();
  const [correcting, setCorrecting] = useState<Chosen>();
  const [moved, setMoved] = useState<[number, number]>();
  const stops = useLoad(`stops ${unit}`, (signal) => statesApi.stops(unit, "-24h", signal), REFRESH_MS);
  const reasons = useLoad(`reasons ${unit}`, (signal) => statesApi.reasons(unit, signal));
  const now = Math.ceil(useNow() / LIVE_STEP_MS) * LIVE_STEP_MS;
  const span = useMemo<[number, number]>(() => moved ?? [now - SPAN_MS, now], [moved, now]);
  const line = useTimeline(unit, span, moved !== undefined);
  const named = useMemo(() => new Map(reasons.data?.items.map((r) => [r.code, r.text])), [reasons.data]);
  const reasonText = useCallback((code: string) => named.get(code) ?? code, [named]);
  const shown = useMemo(() => {
    const all = [...(stops.data?.items ?? [])].reverse();
    return scope === "open" ? all.filter((s) => s.unexplained) : all;
  }, [stops.data, scope]);
  const rows: Row[] = useMemo(() => [{ key: unit, line: line.data }], [unit, line.data]);

  const again = () => {
    stops.reload();
    line.reload();
    onSaid();
  };
  const wrong = (error: unknown) => {
    const { sentence, remedy } = explain(error, texts);
    void message.error(`${sentence} ${remedy}`);
  };
  const undo = async (id: string) => {
    notification.destroy(id);
    try {
      await statesApi.withdraw(id);
      void message.success(texts.states.undone);
    } catch (error) {
      wrong(error);
    }
    again();
  };
  const say = async (choice: Choice) => {
    if (!chosen) return;
    const { start_ns = chosen.start_ns, stop_ns, comment } = choice;
    setChosen(undefined);
    try {
      const { items } = await statesApi.explain(unit, start_ns, choice.code, { stop_ns, comment });
      const id = items[0]?.id ?? "";
      notification.success({
        key: id,
        title: texts.states.done(reasonText(choice.code)),
        duration: UNDO_S,
        placement: "bottom",
        actions: <Button size="large" className="touch-undo" onClick={() => void undo(id)}>{texts.states.undo}</Button>,
      });
    } catch (error) {
      wrong(error);
    }
    again();
  };
  const openAt = (row: Row, at: number) => {
    if (!row.line) return;
    const [a, b] = boundsOf(row.line, at);
    const stop = stops.data?.items.find((s) => s.start_ns / 1e6 < b && s.stop_ns / 1e6 > a);
    if (!can("write")) return;
    if (stop) setChosen(stop);
    else setCorrecting(chosenAt(row.line, at, texts.states.unknown));
  };

  if (chosen && reasons.data) {
    return <ReasonChoice stop={chosen} reasons={reasons.data.items} onChoose={(c) => void say(c)} onBack={() => setChosen(undefined)} onCorrect={() => { setCorrecting({ from: chosen.start_ns / 1e6, to: chosen.stop_ns / 1e6, state: chosen.state }); setChosen(undefined); }} />;
  }
  return (
    <>
      <div className="page-head">
        {!alone && <Button size="large" icon={<ArrowLeftOutlined />} onClick={() => go("/stops")}>{texts.states.backToUnits}</Button>}
        <h1 title={unit}>{leaf(unit)}</h1>
        <span className="quiet">{view.state || texts.states.unknown}{view.reason_text && ` · ${view.reason_text}`}{view.rule && ` · ${texts.states.byRule(view.rule)}`}</span>
        <span className="grow" />
        <Segmented
          size="large"
          value={scope}
          onChange={setScope}
          options={[{ value: "open", label: texts.states.open }, { value: "all", label: texts.states.all }]}
        />
      </div>
      {!can("write") && <p className="quiet">{texts.states.looking}</p>}
      <div className="panel stops-timeline">
        <StateTimeline rows={rows} span={span} onSpan={setMoved} onOpen={openAt} reasonText={reasonText} />
        <ErrorBox error={line.error} reload={line.reload} />
      </div>
      {correcting && line.data && (
        <StateCorrection unit={unit} chosen={correcting} states={line.data.states.map((s) => s.name)} onClose={() => setCorrecting(undefined)} onDone={again} />
      )}
      <ErrorBox error={stops.error ?? reasons.error} reload={() => { stops.reload(); reasons.reload(); }} />
      {stops.loading ? <Waiting />
        : shown.length === 0
          ? scope === "open" ? <Empty icon={<CheckCircleOutlined />} title={texts.states.quietTitle} remedy={texts.states.quietRemedy} /> : <Empty title={texts.states.noStops} />
          : (
            <ul className="touch-list">
              {shown.map((s) => <li key={s.start_ns}><StopButton stop={s} reasonText={reasonText} disabled={!can("write") || !reasons.data} onOpen={() => setChosen(s)} /></li>)}
            </ul>
          )}
    </>
  );
}

function StopButton(props: { stop: Stop; reasonText: (code: string) => string; disabled: boolean; onOpen: () => void }) {
  const { stop } = props;
  const texts = useTexts();
  const format = useFormat();
  const length = lengthText((stop.stop_ns - stop.start_ns) / 1e6, texts, format);
  return (
    <button type="button" className="touch touch-stop" data-stop={stop.state} data-reason={stop.reason} disabled={props.disabled} onClick={props.onOpen}>
      <span className="touch-time number">{format.clockTime(stop.start_ns / 1e6)}</span>
      <span className="touch-length number">{length}{stop.lasts && <span className="small"> {texts.states.lasts}</span>}</span>
      <strong className="touch-state">{stop.state}</strong>
      <span className={stop.unexplained ? "state-uncertain" : "quiet"}>
        {stop.reason ? props.reasonText(stop.reason) : stop.micro ? texts.states.micro : stop.unexplained ? texts.states.noReason : ""}
        {stop.rule && <span className="small"> {texts.states.byRule(stop.rule)}</span>}
      </span>
    </button>
  );
}
