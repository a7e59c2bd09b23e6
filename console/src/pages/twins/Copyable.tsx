/** An identifier that one may take along. */
import { CopyOutlined } from "@ant-design/icons";
import { App, Button } from "antd";
import { useTexts } from "../../texts";

export function Copyable({ text }: { text: string }) {
  const texts = useTexts();
  const { message } = App.useApp();
  const copy = () => void navigator.clipboard.writeText(text).then(() => message.success(texts.common.copied));
  return (
    <span className="copyable">
      <span className="path-text">{text}</span>
      {navigator.clipboard && (
        <Button type="text" size="small" icon={<CopyOutlined />} aria-label={`${texts.common.copy}: ${text}`} onClick={copy} />
      )}
    </span>
  );
}
