/** Queries to come back to: those run here before, and those saved under a name. */
import { DeleteOutlined, DownOutlined, HistoryOutlined, SaveOutlined } from "@ant-design/icons";
import { App, Button, Checkbox, Form, Input, Modal, Popover, Tag } from "antd";
import { useState } from "react";
import { api, type View } from "../../api";
import { useLoad } from "../../hooks";
import { ErrorBox, explain } from "../../parts/Notice";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { queryOf, type QueryView } from "./view-kinds";

interface PastProps {
  past: readonly string[];
  onUse: (text: string) => void;
  onForget: () => void;
}

export function PastQueries({ past, onUse, onForget }: PastProps) {
  const texts = useTexts();
  const [open, setOpen] = useState(false);
  const use = (text: string) => {
    onUse(text);
    setOpen(false);
  };
  const content = (
    <div className="views sql-past">
      {past.length === 0 && <p className="quiet">{texts.sql.noHistory}</p>}
      <ul>
        {past.map((text) => (
          <li key={text}><button type="button" className="sql-example" title={text} onClick={() => use(text)}>{text}</button></li>
        ))}
      </ul>
      {past.length > 0 && <Button size="small" onClick={onForget}>{texts.sql.clearHistory}</Button>}
    </div>
  );
  return (
    <Popover trigger="click" placement="bottomRight" open={open} onOpenChange={setOpen} content={content}>
      <Button icon={<HistoryOutlined />}>{texts.sql.history}</Button>
    </Popover>
  );
}

/** Saved queries stand among the views, marked as what they are. */
export function SavedQueries({ text, onUse }: { text: string; onUse: (text: string) => void }) {
  const texts = useTexts();
  const t = texts.sql;
  const { me } = useSession();
  const { message, modal } = App.useApp();
  const views = useLoad("views", api.views);
  const [open, setOpen] = useState(false);
  const [naming, setNaming] = useState(false);
  const saved = (views.data?.items ?? []).filter((v) => queryOf(v.data) !== undefined);
  const use = (view: View) => {
    onUse(queryOf(view.data) ?? "");
    setOpen(false);
  };
  const drop = (view: View) => {
    setOpen(false);
    modal.confirm({
      title: t.deleteSaved(view.name),
      okText: texts.common.delete,
      okButtonProps: { danger: true },
      onOk: () => api.dropView(view.id).then(views.reload, (error: unknown) => {
        const { sentence, remedy } = explain(error, texts);
        void message.error(`${sentence} ${remedy}`);
      }),
    });
  };
  const content = (
    <div className="views">
      <ErrorBox error={views.error} reload={views.reload} />
      {saved.length === 0 && !views.error && <p className="quiet">{t.noSaved}</p>}
      <ul>
        {saved.map((view) => (
          <li key={view.id}>
            <button type="button" className="sql-example" title={queryOf(view.data)} onClick={() => use(view)}>{view.name}</button>
            {view.shared && <Tag>{texts.trend.sharedTag}</Tag>}
            {view.owner === me.name && (
              <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t.deleteSaved(view.name)} onClick={() => drop(view)} />
            )}
          </li>
        ))}
      </ul>
      <Button size="small" icon={<SaveOutlined />} disabled={!text.trim()} onClick={() => (setOpen(false), setNaming(true))}>{t.save}</Button>
    </div>
  );
  return (
    <>
      <Popover trigger="click" placement="bottomRight" open={open} onOpenChange={setOpen} content={content}>
        <Button>{t.saved}<DownOutlined /></Button>
      </Popover>
      {naming && <NewQuery text={text} onClose={() => setNaming(false)} onSaved={views.reload} />}
    </>
  );
}

function NewQuery(props: { text: string; onClose: () => void; onSaved: () => void }) {
  const texts = useTexts();
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = async () => {
    try {
      await api.addView<QueryView>(name.trim(), shared, { kind: "sql", text: props.text });
      props.onSaved();
      props.onClose();
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Modal open title={texts.sql.save} okText={texts.common.save} okButtonProps={{ disabled: !name.trim() }} onOk={() => void save()} onCancel={props.onClose}>
      <ErrorBox error={error} />
      <Form layout="vertical" component="div">
        <Form.Item label={texts.sql.saveName}>
          <Input aria-label={texts.sql.saveName} autoFocus maxLength={100} value={name} onChange={(e) => setName(e.target.value)} onPressEnter={() => name.trim() && void save()} />
        </Form.Item>
        <Checkbox checked={shared} onChange={(e) => setShared(e.target.checked)}>{texts.sql.shared}</Checkbox>
      </Form>
    </Modal>
  );
}
