/** History asked in SQL: views at the left, the editor above, the answer below. */
import { CaretRightOutlined, CodeOutlined, StopOutlined } from "@ant-design/icons";
import { Button, Select, Tooltip } from "antd";
import { useEffect, useRef, useState } from "react";
import { sql, type SqlResult } from "../../explore";
import { useFormat } from "../../format";
import { Problem } from "../../http";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { SavedQueries, PastQueries } from "./SavedQueries";
import { draft, forget, pastQueries, placeOf, remember } from "./sql-text";
import { SqlAnswer } from "./SqlAnswer";
import { SqlEditor, type EditorHandle } from "./SqlEditor";
import { SqlViews } from "./SqlViews";

const LIMITS = [1_000, 10_000, 100_000];

interface Run {
  text: string;
  abort: AbortController;
}

export default function SqlTab() {
  const texts = useTexts();
  const t = texts.sql;
  const format = useFormat();
  const [text, setText] = useState(draft.read);
  const [limit, setLimit] = useState(LIMITS[0] as number);
  const [past, setPast] = useState(pastQueries);
  const [at, setAt] = useState(-1);
  const [run, setRun] = useState<Run>();
  const [answer, setAnswer] = useState<{ text: string; result: SqlResult }>();
  const [failed, setFailed] = useState<{ text: string; error: unknown }>();
  const editor = useRef<EditorHandle>(null);
  useEffect(() => draft.write(text), [text]);
  useEffect(() => () => run?.abort.abort(), [run]);
  useEffect(() => editor.current?.focus(), []);

  const change = (next: string) => {
    setText(next);
    // What is underlined is an error of another text now.
    setFailed(undefined);
  };
  const ask = async (wanted = text) => {
    if (!wanted.trim()) return;
    run?.abort.abort();
    const mine = { text: wanted, abort: new AbortController() };
    setRun(mine);
    setFailed(undefined);
    setAt(-1);
    try {
      const result = await sql(wanted, limit, mine.abort.signal);
      setAnswer({ text: wanted, result });
      setPast(remember(wanted));
    } catch (error) {
      if (mine.abort.signal.aborted) return;
      setAnswer(undefined);
      setFailed({ text: wanted, error });
    }
    setRun((now) => (now === mine ? undefined : now));
  };
  const stop = () => {
    run?.abort.abort();
    setRun(undefined);
  };
  const walk = (by: number) => {
    const next = Math.max(-1, Math.min(past.length - 1, at + by));
    setAt(next);
    if (next >= 0) change(past[next] as string);
  };
  const use = (example: string) => {
    change(example);
    void ask(example);
  };
  const place = failed && failed.text === text && failed.error instanceof Problem ? placeOf(`${failed.error.message}\n${failed.error.remedy}`, text) : undefined;
  return (
    <div className="sql">
      <SqlViews onInsert={(name) => editor.current?.insert(name)} onUse={use} />
      <div className="sql-main">
        <SqlEditor text={text} place={place} handle={editor} onChange={change} onRun={() => void ask()} onPast={walk} />
        <div className="toolbar sql-tools">
          {run ? (
            <Button icon={<StopOutlined />} onClick={stop}>{t.stop}</Button>
          ) : (
            <Tooltip title={t.runHint}>
              <Button type="primary" icon={<CaretRightOutlined />} disabled={!text.trim()} onClick={() => void ask()}>{t.run}</Button>
            </Tooltip>
          )}
          <label className="quiet nowrap">
            {t.limit}{" "}
            <Select aria-label={t.limit} className="limit" value={limit} onChange={setLimit} options={LIMITS.map((n) => ({ value: n, label: format.count(n) }))} />
          </label>
          <span className="grow" />
          <PastQueries past={past} onUse={change} onForget={() => setPast(forget())} />
          <SavedQueries text={text} onUse={change} />
        </div>
        {failed && (
          <>
            <ErrorBox error={failed.error} />
            {place && <p className="quiet small" data-place={`${place.line}:${place.column}`}>{t.place(place.line, place.column)}</p>}
          </>
        )}
        {answer ? <SqlAnswer text={answer.text} result={answer.result} stale={!!run} />
          : run ? <Waiting rows={6} />
          : failed ? null
          : <Empty icon={<CodeOutlined />} title={t.empty} remedy={t.emptyRemedy} />}
      </div>
    </div>
  );
}
