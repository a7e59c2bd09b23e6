/** A secret that is shown once, to be copied. */
import { CopyOutlined } from "@ant-design/icons";
import { App, Button, Input, Space } from "antd";
import { useTexts } from "../texts";

export function Secret(props: { value: string; label: string }) {
  const texts = useTexts();
  const { message } = App.useApp();
  const copy = async () => {
    await navigator.clipboard.writeText(props.value);
    void message.success(texts.common.copied);
  };
  return (
    <Space.Compact block>
      <Input readOnly value={props.value} aria-label={props.label} className="path-text" onFocus={(e) => e.target.select()} />
      <Button icon={<CopyOutlined />} onClick={() => void copy()}>{texts.common.copy}</Button>
    </Space.Compact>
  );
}
