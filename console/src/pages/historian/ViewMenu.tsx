/** Saved views: each has an address of its own that others can open. */
import { DeleteOutlined, DownOutlined, SaveOutlined } from "@ant-design/icons";
import { App, Button, Checkbox, Form, Input, Modal, Popover, Tag } from "antd";
import { useState } from "react";
import { api, type View } from "../../api";
import { Link } from "../../parts/Link";
import { ErrorBox, explain } from "../../parts/Notice";
import { go } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import type { TrendState } from "./trend-state";

interface Props {
  state: TrendState;
  view: View | undefined;
  views: readonly View[];
  changed: boolean;
  onViews: () => void;
}

export function ViewMenu({ state, view, views, changed, onViews }: Props) {
  const texts = useTexts();
  const { message, modal } = App.useApp();
  const { me } = useSession();
  const [open, setOpen] = useState(false);
  const [naming, setNaming] = useState(false);
  const failed = (error: unknown) => {
    const { sentence, remedy } = explain(error, texts);
    void message.error(`${sentence} ${remedy}`);
  };
  const keep = async () => {
    if (!view) return;
    try {
      await api.putView({ ...view, data: state });
      onViews();
      go(`/trend/${view.id}`, { replace: true });
      void message.success(texts.trend.saved);
    } catch (error) {
      failed(error);
    }
  };
  const drop = (gone: View) => {
    setOpen(false);
    modal.confirm({
      title: texts.trend.deleteView(gone.name),
      okText: texts.common.delete,
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await api.dropView(gone.id);
          onViews();
          if (gone.id === view?.id) go("/trend", { replace: true });
        } catch (error) {
          failed(error);
        }
      },
    });
  };
  const list = (
    <div className="views">
      {views.length === 0 && <p className="quiet">{texts.trend.noViews}</p>}
      <ul>
        {views.map((v) => (
          <li key={v.id}>
            <Link to={`/trend/${encodeURIComponent(v.id)}`} onClick={() => setOpen(false)} aria-current={v.id === view?.id ? "page" : undefined}>
              {v.name}
            </Link>
            {v.shared && <Tag>{v.owner === me.name ? texts.trend.sharedTag : v.owner}</Tag>}
            {v.owner === me.name && (
              <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={`${texts.common.delete}: ${v.name}`} onClick={() => drop(v)} />
            )}
          </li>
        ))}
      </ul>
      <Button icon={<SaveOutlined />} disabled={!state.points.length} onClick={() => { setOpen(false); setNaming(true); }}>
        {texts.trend.saveNew}
      </Button>
    </div>
  );
  return (
    <>
      {view && changed && <Tag>{texts.trend.unsaved}</Tag>}
      {view && changed && view.owner === me.name && (
        <Button icon={<SaveOutlined />} onClick={() => void keep()}>{texts.trend.saveHere}</Button>
      )}
      <Popover trigger="click" placement="bottomRight" open={open} onOpenChange={setOpen} content={list}>
        <Button>
          {texts.trend.views}
          <DownOutlined />
        </Button>
      </Popover>
      {naming && <NewView state={state} onClose={() => setNaming(false)} onSaved={onViews} />}
    </>
  );
}

function NewView(props: { state: TrendState; onClose: () => void; onSaved: () => void }) {
  const texts = useTexts();
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = async () => {
    try {
      const view = await api.addView(name.trim(), shared, props.state);
      props.onSaved();
      props.onClose();
      go(`/trend/${encodeURIComponent(view.id)}`);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Modal
      open
      title={texts.trend.saveView}
      okText={texts.common.save}
      okButtonProps={{ disabled: !name.trim() }}
      onOk={() => void save()}
      onCancel={props.onClose}
    >
      <ErrorBox error={error} />
      <Form layout="vertical" component="div">
        <Form.Item label={texts.trend.viewName}>
          <Input aria-label={texts.trend.viewName} autoFocus maxLength={100} value={name} onChange={(e) => setName(e.target.value)} onPressEnter={() => name.trim() && void save()} />
        </Form.Item>
        <Checkbox checked={shared} onChange={(e) => setShared(e.target.checked)}>{texts.trend.shared}</Checkbox>
      </Form>
    </Modal>
  );
}
