/** A shell: its submodels at the left; at the right its plate, or the submodel that was chosen. */
import { DeleteOutlined, FileAddOutlined, IdcardOutlined, PlusOutlined, QuestionCircleOutlined } from "@ant-design/icons";
import { Button, Tooltip } from "antd";
import { useState } from "react";
import { Link } from "../../parts/Link";
import { ErrorBox, Waiting } from "../../parts/Notice";
import { go } from "../../router";
import { useSession } from "../../session";
import { useLanguage, useTexts } from "../../texts";
import { kindOf, said, twinAddress, type Shell } from "./aas";
import { aas } from "./aas-api";
import { AddDocument } from "./AddDocument";
import { ExportMenu } from "./ExportMenu";
import { KIND_ICONS } from "./kinds";
import { NewSubmodel } from "./NewSubmodel";
import { ShellFacts } from "./ShellFacts";
import { SubmodelPage } from "./SubmodelPage";
import { useListed, useShell, type Listed } from "./twin-data";
import { useAsk } from "./use-ask";

export function ShellPage({ id, submodel }: { id: string; submodel: string }) {
  const shell = useShell(id);
  const listed = useListed(shell.data);
  if (!shell.data) {
    return <section className="page">{shell.error ? <ErrorBox error={shell.error} reload={shell.reload} /> : <Waiting />}</section>;
  }
  return (
    <div className="split twin-split">
      <SubmodelList shell={shell.data} listed={listed.data} selected={submodel} onChange={shell.reload} />
      <section className="page twin-page">
        <ErrorBox error={shell.error ?? listed.error} reload={shell.reload} />
        {submodel
          ? <SubmodelPage key={submodel} id={submodel} shell={id} onGone={shell.reload} />
          : <ShellHome shell={shell.data} listed={listed.data} onChange={shell.reload} />}
      </section>
    </div>
  );
}

function ShellHome({ shell, listed, onChange }: { shell: Shell; listed: Listed[] | undefined; onChange: () => void }) {
  const t = useTexts().twins.documents;
  const language = useLanguage();
  const { can } = useSession();
  const [adding, setAdding] = useState(false);
  const added = (submodel: string) => {
    setAdding(false);
    onChange();
    go(twinAddress(shell.id, submodel));
  };
  return (
    <>
      <div className="trend-head">
        <div className="title">
          <Crumbs />
          <h1>{said(shell.displayName, language) || shell.idShort || shell.id}</h1>
        </div>
        <span className="grow" />
        {can("configure") && <Button icon={<FileAddOutlined />} onClick={() => setAdding(true)}>{t.add}</Button>}
        {adding && <AddDocument shell={shell.id} onClose={() => setAdding(false)} onAdded={added} />}
        <ExportMenu ids={[shell.id]} name={shell.idShort ?? "shell"} />
        <DropShell shell={shell} />
      </div>
      <ShellFacts shell={shell} listed={listed} />
    </>
  );
}

function Crumbs() {
  const texts = useTexts();
  return <nav className="crumbs" aria-label={texts.twins.title}><Link to="/twins">{texts.twins.title}</Link></nav>;
}

interface ListProps {
  shell: Shell;
  listed: Listed[] | undefined;
  selected: string;
  onChange: () => void;
}

function SubmodelList({ shell, listed, selected, onChange }: ListProps) {
  const t = useTexts().twins;
  const language = useLanguage();
  const { can } = useSession();
  const [adding, setAdding] = useState(false);
  return (
    <aside className="side twin-side" aria-label={t.submodels}>
      <nav>
        <Link to={twinAddress(shell.id)} className="twin-link" aria-current={selected ? undefined : "page"}>
          <IdcardOutlined /><span className="ellipsis"><strong>{said(shell.displayName, language) || shell.idShort || shell.id}</strong></span>
        </Link>
        <div className="side-head">
          <h2>{t.submodels}</h2>
          {can("configure") && (
            <Button type="text" size="small" icon={<PlusOutlined />} aria-label={t.newSubmodel} title={t.newSubmodel} onClick={() => setAdding(true)} />
          )}
        </div>
        {!listed ? <Waiting rows={4} /> : listed.length === 0 ? <p className="quiet">{t.noSubmodels}</p>
          : listed.map((one) => <Entry key={one.id} shell={shell.id} listed={one} current={one.id === selected} />)}
      </nav>
      {adding && <NewSubmodel shell={shell} onClose={() => setAdding(false)} onDone={onChange} />}
    </aside>
  );
}

function Entry({ shell, listed, current }: { shell: string; listed: Listed; current: boolean }) {
  const t = useTexts().twins;
  const language = useLanguage();
  const { head, id } = listed;
  if (!head) {
    return (
      <Tooltip title={t.elsewhereHelp}>
        <span className="twin-link quiet" tabIndex={0}><QuestionCircleOutlined /><span className="ellipsis">{id}</span></span>
      </Tooltip>
    );
  }
  const kind = kindOf(head);
  const name = said(head.displayName, language) || head.idShort || id;
  return (
    <Link to={twinAddress(shell, id)} className="twin-link" aria-current={current ? "page" : undefined} title={`${name}\n${id}`} data-submodel={id}>
      {KIND_ICONS[kind]}
      <span className="ellipsis">{name}{kind !== "other" && <span className="quiet small twin-kind-name">{t.kinds[kind]}</span>}</span>
    </Link>
  );
}

function DropShell({ shell }: { shell: Shell }) {
  const texts = useTexts();
  const { can } = useSession();
  const ask = useAsk();
  if (!can("configure")) return null;
  const drop = () => ask({
    title: texts.twins.dropShell(shell.idShort ?? shell.id),
    content: texts.twins.dropShellHelp,
    okText: texts.common.delete,
    work: async () => {
      await aas.dropShell(shell.id);
      go("/twins");
    },
  });
  return <Button icon={<DeleteOutlined />} aria-label={texts.common.delete} title={texts.common.delete} onClick={drop} />;
}
