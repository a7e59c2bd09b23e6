/** What people said of the states of a unit, with a way to take it back. */
import { App, Button } from "antd";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { ErrorBox, explain, Waiting } from "../../parts/Notice";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { statesApi, type Said } from "./states-api";

const REFRESH_MS = 10_000;

interface Props {
  unit: string;
  /** Since when, as the API takes it: `-24h`. */
  start: string;
  /** Changes when something was said. */
  version: number;
  reasonText: (code: string) => string;
  onChange: () => void;
}

export function SaidList({ unit, start, version, reasonText, onChange }: Props) {
  const texts = useTexts();
  const found = useLoad(`said ${unit} ${start} ${version}`, (signal) => statesApi.said(unit, start, signal), REFRESH_MS);
  const items = found.data?.items ?? [];
  const again = () => {
    found.reload();
    onChange();
  };
  return (
    <div className="panel said-list">
      <h2>{texts.corrections.title}</h2>
      <ErrorBox error={found.error} reload={found.reload} />
      {found.loading ? <Waiting rows={1} />
        : items.length === 0 ? <p className="quiet">{texts.corrections.none}</p>
        : <ul className="explain-list">{items.map((s) => <Line key={s.note.id} said={s} reasonText={reasonText} onChange={again} />)}</ul>}
    </div>
  );
}

function Line({ said, reasonText, onChange }: { said: Said; reasonText: (code: string) => string; onChange: () => void }) {
  const { note } = said;
  const texts = useTexts();
  const format = useFormat();
  const { can } = useSession();
  const { message } = App.useApp();
  const words = texts.corrections;
  const takeBack = async () => {
    try {
      await statesApi.withdraw(note.id);
      void message.success(texts.states.undone);
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    }
    onChange();
  };
  const what = note.what === "state" ? words.saidState(note.state ?? "") : words.saidReason(reasonText(note.reason));
  return (
    <li className="toolbar" data-said={note.what}>
      <span className="number">{format.time(note.start_ns / 1e6)} – {format.clockTime(note.stop_ns / 1e6)}</span>
      <span>{note.withdrawn_by ? <s>{what}</s> : what}</span>
      <span className="quiet small">{note.by}{note.comment && ` · ${note.comment}`}{said.loose && !note.withdrawn_by && ` · ${words.loose}`}</span>
      <span className="grow" />
      {note.withdrawn_by
        ? <span className="quiet small">{words.takenBack(note.withdrawn_by)}</span>
        : can("write") && <Button size="small" onClick={() => void takeBack()}>{words.takeBack}</Button>}
    </li>
  );
}
