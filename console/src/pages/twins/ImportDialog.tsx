/** A file becomes twins: first what it would do and what is wrong with it, then the deed, then a way back. */
import { ApiOutlined, UndoOutlined } from "@ant-design/icons";
import { Alert, Button, Modal, Progress, Tag } from "antd";
import { useEffect, useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { ErrorBox } from "../../parts/Notice";
import { VirtualList } from "../../parts/VirtualList";
import { go } from "../../router";
import { useTexts } from "../../texts";
import { twinAddress } from "./aas";
import { twins, type Finding, type Imported, type Touched } from "./twins-api";

interface Props {
  file: File;
  onClose: () => void;
  /** Called when shells have come or gone. */
  onDone: () => void;
}

type Step = "reading" | "read" | "importing" | "imported" | "undoing" | "undone";

export function ImportDialog({ file, onClose, onDone }: Props) {
  const texts = useTexts();
  const t = texts.twins.import;
  const format = useFormat();
  const [step, setStep] = useState<Step>("reading");
  const [plan, setPlan] = useState<Imported>();
  const [done, setDone] = useState<Imported>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const abort = new AbortController();
    twins.read(file, true, abort.signal).then(
      (found) => (setPlan(found), setStep("read")),
      (failure: unknown) => { if (!abort.signal.aborted) { setError(failure); setStep("read"); } },
    );
    return () => abort.abort();
  }, [file]);
  const act = async (during: Step, after: Step, work: () => Promise<void>) => {
    const before = step;
    setStep(during);
    setError(undefined);
    try {
      await work();
      setStep(after);
      onDone();
    } catch (failure) {
      setError(failure);
      setStep(before);
    }
  };
  const bring = () => act("importing", "imported", async () => setDone(await twins.read(file, false)));
  const undo = () => act("undoing", "undone", async () => { if (done?.id) await twins.undo(done.id); });
  const shown = done ?? plan;
  const total = plan?.steps.filter((one) => one.what !== "leave").length ?? 0;
  const shell = done?.steps.find((one) => one.class === "shells");
  const busy = step === "reading" || step === "importing" || step === "undoing";
  return (
    <Modal
      open
      width={760}
      title={t.title(file.name)}
      onCancel={onClose}
      mask={{ closable: false }}
      footer={[
        step === "imported" && <Button key="undo" icon={<UndoOutlined />} onClick={() => void undo()}>{t.undo}</Button>,
        <Button key="close" disabled={step === "importing" || step === "undoing"} onClick={onClose}>{step === "imported" || step === "undone" ? texts.common.close : texts.common.cancel}</Button>,
        step === "imported" && shell && <Button key="open" type="primary" onClick={() => { onClose(); go(twinAddress(shell.id)); }}>{texts.twins.openShell}</Button>,
        (step === "read" || step === "importing") && plan && <Button key="import" type="primary" disabled={total === 0} loading={step === "importing"} onClick={() => void bring()}>{t.do(total)}</Button>,
      ]}
    >
      <ErrorBox error={error} />
      {busy && (
        <div role="status">
          <p>{t.steps[step]} <span className="quiet">{format.bytes(file.size)}</span></p>
          <Progress percent={100} status="active" showInfo={false} size="small" />
        </div>
      )}
      {step === "imported" && <Alert type="success" showIcon title={t.done(total)} description={t.undoHint} />}
      {step === "imported" && done && <Proposed steps={done.steps} onFollow={onClose} />}
      {step === "undone" && <Alert type="success" showIcon title={t.undone} />}
      {shown && step !== "undone" && <Outcome imported={shown} />}
    </Modal>
  );
}

/** Machines that the file describes, and that can be connected now. */
function Proposed({ steps, onFollow }: { steps: readonly Touched[]; onFollow: () => void }) {
  const t = useTexts().twins.import;
  const ids = new Set(steps.filter((one) => one.class === "submodels").map((one) => one.id));
  // What can be connected is found out after the import has been answered.
  const { data } = useLoad(ids.size ? "proposed" : undefined, (signal) => twins.plugs(signal), POLL_MS);
  const found = data?.items.filter((one) => ids.has(one.submodel) && one.state === "proposed" && one.connections.length > 0) ?? [];
  if (!found.length) return null;
  return (
    <Alert
      className="import-proposed"
      type="info"
      showIcon
      icon={<ApiOutlined />}
      title={t.proposed(found.reduce((n, one) => n + one.connections.length, 0))}
      description={found.map((one) => <div key={one.submodel}><Link to={twinAddress("", one.submodel)} onClick={onFollow}>{one.id_short || one.submodel}</Link></div>)}
    />
  );
}

const POLL_MS = 2000;

function Outcome({ imported }: { imported: Imported }) {
  const t = useTexts().twins.import;
  const { steps, findings } = imported;
  const of = (what: Touched["what"]) => steps.filter((one) => one.what === what);
  const [created, replaced, left] = [of("create"), of("replace"), of("leave")];
  const errors = findings.filter((f) => f.level === "error").length;
  return (
    <>
      <Group title={t.created(created.length)} items={created} />
      <Group title={t.replaced(replaced.length)} items={replaced} warn />
      {left.length > 0 && <p className="quiet">{t.unchanged(left.length)}</p>}
      {created.length + replaced.length === 0 && <Alert type="info" showIcon title={t.nothing} />}
      {findings.length > 0 && (
        <section aria-label={t.findings}>
          <h2 className="import-head">{t.found(errors, findings.length - errors)}</h2>
          <Findings findings={findings} words={t} />
        </section>
      )}
    </>
  );
}

const SHOWN_MAX = 12;

function Group({ title, items, warn }: { title: string; items: Touched[]; warn?: boolean }) {
  const texts = useTexts();
  const t = texts.twins;
  const [all, setAll] = useState(false);
  if (!items.length) return null;
  const classes: Record<string, string> = t.classes;
  return (
    <section>
      <h2 className={`import-head ${warn ? "state-uncertain" : ""}`}>{title}</h2>
      <ul className="import-list">
        {(all ? items : items.slice(0, SHOWN_MAX)).map((one) => (
          <li key={`${one.class} ${one.id}`} data-touched={one.id}>
            <Tag>{classes[one.class] ?? one.class}</Tag> <span className="small path-text">{one.id}</span>
          </li>
        ))}
        {!all && items.length > SHOWN_MAX && <li><Button type="link" size="small" onClick={() => setAll(true)}>{t.allParts(items.length)}</Button></li>}
      </ul>
    </section>
  );
}

/** What is wrong with something, errors first; `words` say what errors and warnings mean for it. */
export function Findings({ findings, words: t }: { findings: readonly Finding[]; words: { error: string; warning: string } }) {
  const sorted = [...findings].sort((a, b) => Number(b.level === "error") - Number(a.level === "error"));
  return (
    <div className="findings" style={{ height: Math.min(sorted.length * 46 + 2, 240) }}>
      <VirtualList
        count={sorted.length}
        rowHeight={46}
        row={(i) => {
          const one = sorted[i] as Finding;
          const bad = one.level === "error";
          return (
            <div key={i} className="finding" title={`${one.path}\n${one.message}`}>
              <span className={bad ? "state-bad" : "state-uncertain"}>{bad ? t.error : t.warning}</span>
              <span className="ellipsis">{one.message}<br /><span className="quiet small path-text">{one.path}</span></span>
            </div>
          );
        }}
      />
    </div>
  );
}
