/** An operation: its inputs, the wish to carry it out, and what came of it. */
import { PlayCircleOutlined } from "@ant-design/icons";
import { Alert, Button, Form, Input, Popconfirm } from "antd";
import { useState } from "react";
import { ErrorBox } from "../../parts/Notice";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import type { Element, Variable } from "./aas";
import { aas } from "./aas-api";
import { jsonOf, wrongValue } from "./checks";

interface Props {
  submodel: string;
  path: string;
  operation: Element;
}

export function OperationRun({ submodel, path, operation }: Props) {
  const t = useTexts().twins;
  const { can } = useSession();
  const [form] = Form.useForm<Record<string, string>>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [outputs, setOutputs] = useState<Record<string, unknown>>();
  const inputs = inputsOf(operation);
  if (!can("write")) return null;
  const run = async () => {
    let values: Record<string, string>;
    try {
      values = await form.validateFields();
    } catch {
      return;  // what is wrong stands beside the fields
    }
    setBusy(true);
    setError(undefined);
    setOutputs(undefined);
    try {
      const given = Object.fromEntries(inputs.map(({ value: e }) => [e.idShort ?? "", jsonOf(values[e.idShort ?? ""] ?? "", e.valueType)]));
      setOutputs((await aas.invoke(submodel, path, given)).outputArguments ?? {});
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <div className="bound">
      <Form form={form} layout="vertical" size="small">
        {inputs.map(({ value: e }) => (
          <Form.Item
            key={e.idShort}
            name={e.idShort}
            label={`${e.idShort ?? ""}${e.valueType ? ` (${e.valueType.replace("xs:", "")})` : ""}`}
            initialValue={typeof e.value === "string" ? e.value : ""}
            rules={[{ validator: async (_, text: string) => { const wrong = wrongValue(text ?? "", e.valueType, t.checks); if (wrong) throw new Error(wrong); } }]}
          >
            <Input />
          </Form.Item>
        ))}
        <Popconfirm title={t.runAsk} okText={t.run} onConfirm={() => void run()}>
          <Button size="small" type="primary" icon={<PlayCircleOutlined />} loading={busy}>{t.run}</Button>
        </Popconfirm>
      </Form>
      <ErrorBox error={error} />
      {outputs && (
        <Alert
          type="success"
          showIcon
          title={t.ran}
          description={Object.keys(outputs).length > 0 && (
            <dl className="facts">
              {Object.entries(outputs).map(([name, value]) => <div key={name} className="run-output"><dt>{name}</dt><dd>{typeof value === "object" ? JSON.stringify(value) : String(value)}</dd></div>)}
            </dl>
          )}
        />
      )}
    </div>
  );
}

function inputsOf(operation: Element): Variable[] {
  return [...(operation.inputVariables ?? []), ...(operation.inoutputVariables ?? [])];
}
