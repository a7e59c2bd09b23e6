/** A question before what cannot be taken back; what then goes wrong is told in place of it. */
import { App } from "antd";
import { explain } from "../../parts/Notice";
import { useTexts } from "../../texts";

interface Question {
  title: string;
  content?: string;
  okText: string;
  work: () => Promise<void>;
}

export function useAsk(): (question: Question) => void {
  const texts = useTexts();
  const { modal } = App.useApp();
  return ({ title, content, okText, work }) => {
    const tell = (error: unknown) => {
      const { sentence, remedy } = explain(error, texts);
      void modal.error({ title: sentence, content: remedy || undefined });
    };
    void modal.confirm({ title, content, okText, okButtonProps: { danger: true }, onOk: () => work().catch(tell) });
  };
}
