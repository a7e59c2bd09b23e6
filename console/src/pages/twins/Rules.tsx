/** Access rules of twins: as lines that one reads, and as the JSON of the standard that one writes. */
import { SafetyCertificateOutlined } from "@ant-design/icons";
import { Alert, App, Button, Input } from "antd";
import { useEffect, useState } from "react";
import { Problem } from "../../http";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { EXAMPLE, linesOf, type RuleLine } from "./rules";
import { twins } from "./twins-api";

const STALE = 409;
const INDENT = 2;

export function Rules() {
  const texts = useTexts();
  const t = texts.twins.rules;
  const { message, modal } = App.useApp();
  const { data, error, reload } = useLoad("twin rules", (signal) => twins.rules(signal));
  const [text, setText] = useState<string>();
  const [wrong, setWrong] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  useEffect(() => { if (data) setText(written(data.data)); }, [data]);
  if (text === undefined || !data) return <section className="page">{error ? <ErrorBox error={error} reload={reload} /> : <Waiting />}</section>;
  const lines = text.trim() ? linesOf(text) : [];
  const changed = text !== written(data.data);
  const save = async () => {
    setBusy(true);
    setWrong(undefined);
    try {
      await twins.putRules(text.trim() ? JSON.parse(text) : {}, data.etag);
      void message.success(t.saved);
      reload();
    } catch (failure) {
      setWrong(failure instanceof Problem && (failure.status === STALE || failure.status === 412) ? new Problem(failure.status, t.stale, t.staleRemedy) : failure);
    }
    setBusy(false);
  };
  const sure = () => void modal.confirm({ title: t.sure, content: t.sureHelp, okText: texts.common.save, onOk: save });
  return (
    <section className="page" aria-label={t.title}>
      <div className="trend-head">
        <div className="title">
          <nav className="crumbs"><Link to="/twins">{texts.twins.title}</Link></nav>
          <h1>{t.title}</h1>
        </div>
        <span className="grow" />
        {!text.trim() && <Button onClick={() => setText(written(EXAMPLE))}>{t.example}</Button>}
        {changed && <Button onClick={() => setText(written(data.data))}>{t.discard}</Button>}
        <Button type="primary" disabled={!changed || !lines} loading={busy} onClick={sure}>{texts.common.save}</Button>
      </div>
      <p className="quiet twin-description">{t.why}</p>
      <ErrorBox error={wrong} />
      <div className="rules">
        <div className="scroll panel">
          {!lines ? <Alert type="error" showIcon title={t.noJson} />
            : lines.length === 0 ? <Empty icon={<SafetyCertificateOutlined />} title={t.empty} remedy={t.emptyRemedy} />
            : <ol className="rule-list">{lines.map((line, i) => <Line key={i} line={line} />)}</ol>}
        </div>
        <Input.TextArea aria-label={t.json} className="path-text rules-text" spellCheck={false} value={text} status={lines ? "" : "error"} onChange={(e) => setText(e.target.value)} />
      </div>
    </section>
  );
}

function Line({ line }: { line: RuleLine }) {
  const t = useTexts().twins.rules;
  return (
    <li className={line.disabled ? "quiet" : ""}>
      <strong>{line.rights}</strong>{line.disabled && <> ({t.disabled})</>}
      <dl className="facts">
        <dt>{t.what}</dt><dd className="path-text">{line.what || "–"}</dd>
        <dt>{t.who}</dt><dd className="path-text">{line.who || "–"}</dd>
        <dt>{t.when}</dt><dd className="path-text">{line.when || "–"}</dd>
      </dl>
    </li>
  );
}

function written(rules: object): string {
  return Object.keys(rules).length ? JSON.stringify(rules, null, INDENT) : "";
}
