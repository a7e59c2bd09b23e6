/** The way in: name and password, and the change of a one-time password. */
import { LockOutlined, UserOutlined } from "@ant-design/icons";
import { Button, Form, Input } from "antd";
import { useState, type ReactNode } from "react";
import { api, type Me } from "../../api";
import { LanguageSwitch, ThemeSwitch } from "../../parts/Switches";
import { Mark } from "../../parts/Mark";
import { ErrorBox } from "../../parts/Notice";
import { useSession } from "../../session";
import { useTexts } from "../../texts";

function Card(props: { title: string; children: ReactNode }) {
  return (
    <div className="gate">
      <main className="gate-card">
        <div className="gate-mark"><Mark /> Lineshaft</div>
        <h1>{props.title}</h1>
        {props.children}
      </main>
      <div className="gate-foot">
        <LanguageSwitch />
        <ThemeSwitch />
      </div>
    </div>
  );
}

export function Login(props: { onDone: (me: Me) => void }) {
  const texts = useTexts();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (entered: { name: string; password: string }) => {
    setBusy(true);
    setError(undefined);
    try {
      props.onDone(await api.login(entered.name, entered.password));
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const needed = [{ required: true, message: texts.login.fill }];
  return (
    <Card title={texts.login.title}>
      <Form layout="vertical" requiredMark={false} onFinish={(e) => void submit(e as { name: string; password: string })}>
        <ErrorBox error={error} />
        <Form.Item name="name" label={texts.login.name} rules={needed}>
          <Input prefix={<UserOutlined />} autoFocus autoComplete="username" size="large" />
        </Form.Item>
        <Form.Item name="password" label={texts.login.password} rules={needed}>
          <Input.Password prefix={<LockOutlined />} autoComplete="current-password" size="large" />
        </Form.Item>
        <Button type="primary" htmlType="submit" size="large" block loading={busy}>
          {texts.login.submit}
        </Button>
      </Form>
      <p className="quiet gate-hint">{texts.login.hint}</p>
    </Card>
  );
}

interface Entered {
  old: string;
  fresh: string;
  again: string;
}

/** The form that changes one's own password. */
export function PasswordForm(props: { onDone: () => void }) {
  const texts = useTexts();
  const [form] = Form.useForm<Entered>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (entered: Entered) => {
    setBusy(true);
    setError(undefined);
    try {
      await api.password(entered.old, entered.fresh);
      form.resetFields();
      props.onDone();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  const needed = { required: true, message: texts.login.fill };
  return (
    <Form form={form} layout="vertical" requiredMark={false} onFinish={(e) => void submit(e)}>
      <ErrorBox error={error} />
      <Form.Item name="old" label={texts.login.old} rules={[needed]}>
        <Input.Password autoComplete="current-password" />
      </Form.Item>
      <Form.Item name="fresh" label={texts.login.fresh} rules={[needed, { min: 12, message: texts.login.short }]}>
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Form.Item
        name="again"
        label={texts.login.again}
        dependencies={["fresh"]}
        rules={[
          needed,
          ({ getFieldValue }) => ({
            validator: (_, value) =>
              !value || value === getFieldValue("fresh")
                ? Promise.resolve()
                : Promise.reject(new Error(texts.login.differ)),
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={busy}>{texts.login.change}</Button>
    </Form>
  );
}

export function NewPassword(props: { onDone: () => void }) {
  const texts = useTexts();
  const session = useSession();
  return (
    <Card title={texts.login.changeTitle}>
      <p className="quiet">{texts.login.changeWhy}</p>
      <PasswordForm onDone={props.onDone} />
      <Button type="link" className="gate-out" onClick={session.logout}>{texts.login.out}</Button>
    </Card>
  );
}
