/** One's own account: password, tokens for programs, language and appearance. */
import { PlusOutlined } from "@ant-design/icons";
import { App, Button, Checkbox, Form, Input, Modal, Segmented, Select, Table } from "antd";
import { useState } from "react";
import { api, type Action, type Token } from "../../api";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { ErrorBox, explain } from "../../parts/Notice";
import { Secret } from "../../parts/Secret";
import { prefer, usePreferences } from "../../preferences";
import { useSession } from "../../session";
import { LANGUAGES, useTexts, type Language } from "../../texts";
import { PasswordForm } from "./Login";

export default function Account() {
  const texts = useTexts();
  const { me } = useSession();
  const { message } = App.useApp();
  const preferences = usePreferences();
  return (
    <section className="page narrow" aria-label={texts.account.title}>
      <h1>{texts.account.title}</h1>
      <div className="panel">
        <dl className="facts">
          <dt>{texts.account.who}</dt><dd><strong>{me.name}</strong></dd>
          <dt>{texts.account.role}</dt><dd>{me.role ? texts.account.roles[me.role] : "–"}</dd>
          <dt>{texts.account.may}</dt>
          <dd>{me.actions.map((a) => texts.account.actions[a]).filter(Boolean).join(", ")}</dd>
        </dl>
      </div>
      <div className="panel">
        <h2>{texts.account.appearance}</h2>
        <p>
          <Segmented
            aria-label={texts.header.language}
            value={preferences.language}
            options={Object.entries(LANGUAGES).map(([value, { name }]) => ({ value, label: name }))}
            onChange={(language) => prefer({ language: language as Language })}
          />
        </p>
        <Segmented
          aria-label={texts.header.theme}
          value={preferences.theme}
          options={(["light", "dark", "system"] as const).map((value) => ({ value, label: texts.header[value] }))}
          onChange={(theme) => prefer({ theme })}
        />
      </div>
      <div className="panel">
        <h2>{texts.account.password}</h2>
        <div className="form-width"><PasswordForm onDone={() => void message.success(texts.login.changed)} /></div>
      </div>
      <Tokens />
    </section>
  );
}

function Tokens() {
  const texts = useTexts();
  const format = useFormat();
  const { modal, message } = App.useApp();
  const found = useLoad("tokens", api.tokens);
  const [making, setMaking] = useState(false);
  const revoke = (token: Token) => modal.confirm({
    title: texts.account.revokeAsk(token.name),
    okText: texts.account.revoke,
    okButtonProps: { danger: true },
    onOk: async () => {
      try {
        await api.dropToken(token.id);
      } catch (error) {
        void message.error(explain(error, texts).sentence);
      }
      found.reload();
    },
  });
  return (
    <div className="panel">
      <div className="page-head">
        <h2>{texts.account.tokens}</h2>
        <span className="grow" />
        <Button icon={<PlusOutlined />} onClick={() => setMaking(true)}>{texts.account.newToken}</Button>
      </div>
      <p className="quiet">{texts.account.tokensWhy}</p>
      <ErrorBox error={found.error} reload={found.reload} />
      <Table
        size="small"
        rowKey="id"
        loading={found.loading}
        dataSource={found.data?.items ?? []}
        pagination={false}
        locale={{ emptyText: texts.account.noTokens }}
        columns={[
          { title: texts.account.tokenName, dataIndex: "name" },
          { title: texts.account.rights, dataIndex: "actions", render: (a: string[]) => a.map((x) => texts.account.actions[x as Action] ?? x).join(", ") },
          { title: texts.account.created, dataIndex: "created", render: (t: string) => format.time(t) },
          { title: texts.account.expires, dataIndex: "expires", render: (t: string | null) => (t ? format.time(t) : texts.account.noExpiry) },
          { title: texts.account.lastUsed, dataIndex: "last_used", render: (t: string | null) => (t ? format.time(t) : texts.common.never) },
          { key: "acts", align: "right", render: (_, token: Token) => <Button size="small" danger onClick={() => void revoke(token)}>{texts.account.revoke}</Button> },
        ]}
      />
      {making && <NewToken onClose={() => { setMaking(false); found.reload(); }} />}
    </div>
  );
}

interface Wish {
  name: string;
  actions: Action[];
  days: number;
}

function NewToken(props: { onClose: () => void }) {
  const texts = useTexts();
  const { me } = useSession();
  const [form] = Form.useForm<Wish>();
  const [error, setError] = useState<unknown>();
  const [token, setToken] = useState<string>();
  const rights = me.actions.filter((a) => a !== "own");
  const make = async ({ name, actions, days }: Wish) => {
    try {
      setToken((await api.addToken({ name, actions, expires_days: days || undefined })).token);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Modal
      open
      title={texts.account.newToken}
      onCancel={props.onClose}
      onOk={token ? props.onClose : () => form.submit()}
      okText={token ? texts.common.close : texts.account.newToken}
      cancelButtonProps={{ style: { display: token ? "none" : undefined } }}
    >
      <ErrorBox error={error} />
      {token ? <><p>{texts.account.once}</p><Secret value={token} label={texts.account.newToken} /></> : (
        <Form form={form} layout="vertical" requiredMark={false} initialValues={{ actions: ["look"], days: 90 }} onFinish={(w) => void make(w)}>
          <Form.Item name="name" label={texts.account.tokenName} rules={[{ required: true, message: texts.login.fill }]}>
            <Input autoFocus maxLength={100} />
          </Form.Item>
          <Form.Item name="actions" label={texts.account.rights}>
            <Checkbox.Group className="stacked" options={rights.map((value) => ({ value, label: texts.account.actions[value] ?? value }))} />
          </Form.Item>
          <Form.Item name="days" label={texts.account.expires}>
            <Select options={[30, 90, 365].map((n) => ({ value: n, label: texts.account.days(n) })).concat({ value: 0, label: texts.account.noExpiry })} />
          </Form.Item>
          <button type="submit" hidden />
        </Form>
      )}
    </Modal>
  );
}
