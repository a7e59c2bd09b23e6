/** Who may come in, with which role and to which branches. */
import { PlusOutlined } from "@ant-design/icons";
import { App, Button, Form, Input, Modal, Select, Space, Table, Tag } from "antd";
import { useState } from "react";
import { api, ROLES, type Role, type User } from "../../api";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { ErrorBox, explain } from "../../parts/Notice";
import { Secret } from "../../parts/Secret";
import { useSession } from "../../session";
import { useTexts } from "../../texts";

export default function Users() {
  const texts = useTexts();
  const format = useFormat();
  const { me } = useSession();
  const { modal, message } = App.useApp();
  const found = useLoad("users", api.users);
  const [editing, setEditing] = useState<User | "new">();
  const [handed, setHanded] = useState<{ name: string; password: string }>();

  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    }
    found.reload();
  };
  const reset = (user: User) => modal.confirm({
    title: texts.users.resetAsk(user.name),
    onOk: () => attempt(async () => {
      const { password } = await api.patchUser(user.name, { reset_password: true });
      if (password) setHanded({ name: user.name, password });
    }),
  });
  const drop = (user: User) => modal.confirm({
    title: texts.users.deleteAsk(user.name),
    okText: texts.common.delete,
    okButtonProps: { danger: true },
    onOk: () => attempt(() => api.dropUser(user.name)),
  });
  const acts = (user: User) => (
    <Space size={4} wrap>
      <Button size="small" onClick={() => setEditing(user)}>{texts.users.edit}</Button>
      <Button size="small" onClick={() => void reset(user)}>{texts.users.reset}</Button>
      {user.name !== me.name && (
        <>
          <Button size="small" onClick={() => void attempt(() => api.patchUser(user.name, { disabled: !user.disabled }))}>
            {user.disabled ? texts.users.enable : texts.users.disable}
          </Button>
          <Button size="small" danger onClick={() => void drop(user)}>{texts.common.delete}</Button>
        </>
      )}
    </Space>
  );
  return (
    <section className="page" aria-label={texts.users.title}>
      <div className="page-head">
        <h1>{texts.users.title}</h1>
        <span className="grow" />
        <Button type="primary" icon={<PlusOutlined />} onClick={() => setEditing("new")}>{texts.users.add}</Button>
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      <div className="scroll">
        <Table
          size="small"
          rowKey="name"
          loading={found.loading}
          dataSource={found.data?.items ?? []}
          pagination={false}
          columns={[
            { title: texts.common.name, dataIndex: "name", render: (name: string) => <><strong>{name}</strong> {name === me.name && <Tag>{texts.users.you}</Tag>}</> },
            { title: texts.users.role, dataIndex: "role", render: (role: Role) => texts.account.roles[role] ?? role },
            { title: texts.users.branches, dataIndex: "branches", render: (b: string[] | undefined) => branchText(b) || <span className="quiet">{texts.users.everything}</span> },
            { title: texts.users.status, dataIndex: "disabled", render: (d: boolean) => (d ? <span className="state-uncertain">{texts.users.disabled}</span> : texts.users.active) },
            { title: texts.users.lastLogin, dataIndex: "last_login", render: (t: string | null) => (t ? format.time(t) : texts.common.never) },
            { title: texts.users.created, dataIndex: "created", render: (t: string) => format.time(t) },
            { title: texts.users.actions, key: "acts", render: (_, user: User) => acts(user) },
          ]}
        />
      </div>
      {editing && (
        <UserForm
          user={editing === "new" ? undefined : editing}
          onClose={() => { setEditing(undefined); found.reload(); }}
          onHanded={setHanded}
        />
      )}
      <Modal
        open={!!handed}
        title={texts.users.oneTime(handed?.name ?? "")}
        footer={<Button type="primary" onClick={() => setHanded(undefined)}>{texts.common.close}</Button>}
        onCancel={() => setHanded(undefined)}
      >
        <p>{texts.users.oneTimeHint}</p>
        {handed && <Secret value={handed.password} label={texts.users.oneTime(handed.name)} />}
      </Modal>
    </section>
  );
}

function branchText(branches: string[] | undefined): string {
  return (branches ?? []).filter(Boolean).join(", ");
}

interface Entered {
  name: string;
  role: Role;
  branches?: string;
}

function UserForm(props: { user?: User; onClose: () => void; onHanded: (h: { name: string; password: string }) => void }) {
  const { user } = props;
  const texts = useTexts();
  const [form] = Form.useForm<Entered>();
  const [error, setError] = useState<unknown>();
  const save = async (entered: Entered) => {
    const branches = (entered.branches ?? "").split("\n").map((b) => b.trim()).filter(Boolean);
    const wanted = branches.length ? branches : [""];
    try {
      if (user) await api.patchUser(user.name, { role: entered.role, branches: wanted });
      else props.onHanded(await api.addUser({ name: entered.name.trim(), role: entered.role, branches: wanted }));
      props.onClose();
    } catch (failure) {
      setError(failure);
    }
  };
  const initial = { name: user?.name, role: user?.role ?? "viewer", branches: (user?.branches ?? []).filter(Boolean).join("\n") };
  return (
    <Modal open title={user ? user.name : texts.users.add} okText={texts.common.save} onOk={() => form.submit()} onCancel={props.onClose}>
      <ErrorBox error={error} />
      <Form form={form} layout="vertical" requiredMark={false} initialValues={initial} onFinish={(e) => void save(e)}>
        <Form.Item name="name" label={texts.common.name} rules={[{ required: true, message: texts.login.fill }]}>
          <Input autoFocus={!user} disabled={!!user} maxLength={100} />
        </Form.Item>
        <Form.Item name="role" label={texts.users.role}>
          <Select options={ROLES.map((value) => ({ value, label: texts.account.roles[value] }))} />
        </Form.Item>
        <Form.Item name="branches" label={texts.users.branches} extra={texts.users.branchesHint}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} className="path-text" />
        </Form.Item>
        <button type="submit" hidden />
      </Form>
    </Modal>
  );
}
