/** What stands where content could not: errors with their remedy, empty states, skeletons. */
import { ReloadOutlined } from "@ant-design/icons";
import { Alert, Button, Skeleton } from "antd";
import { Component, type ErrorInfo, type ReactNode } from "react";
import { Problem } from "../http";
import { useTexts, type Texts } from "../texts";

/** The sentence and the remedy of an error, in words for people. */
export function explain(error: unknown, texts: Texts): { sentence: string; remedy: string } {
  if (error instanceof Problem) {
    if (error.status === 0) {
      return { sentence: texts.common.unreachable, remedy: texts.common.unreachableRemedy };
    }
    return { sentence: error.message || texts.common.failed, remedy: error.remedy };
  }
  return { sentence: texts.common.failed, remedy: error instanceof Error ? error.message : "" };
}

export function ErrorBox(props: { error: unknown; reload?: () => void }) {
  const texts = useTexts();
  if (!props.error) return null;
  const { sentence, remedy } = explain(props.error, texts);
  const again = props.reload && (
    <Button size="small" icon={<ReloadOutlined />} onClick={props.reload}>
      {texts.common.reload}
    </Button>
  );
  return (
    <Alert
      className="error-box"
      type="error"
      role="alert"
      showIcon
      title={sentence}
      description={remedy || undefined}
      action={again}
    />
  );
}

export function Empty(props: { title: string; remedy?: string; icon?: ReactNode; children?: ReactNode }) {
  return (
    <div className="empty">
      {props.icon && <div className="empty-icon">{props.icon}</div>}
      <p className="empty-title">{props.title}</p>
      {props.remedy && <p className="quiet">{props.remedy}</p>}
      {props.children}
    </div>
  );
}

export function Waiting(props: { rows?: number }) {
  const texts = useTexts();
  return (
    <div className="waiting" role="status" aria-label={texts.common.loading}>
      <Skeleton active title={false} paragraph={{ rows: props.rows ?? 6 }} />
    </div>
  );
}

interface FenceProps {
  texts: Texts;
  children: ReactNode;
}

/** Keeps a defect in one page from taking the whole console down. */
export class Fence extends Component<FenceProps, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className="page">
        <Alert
          type="error"
          showIcon
          title={this.props.texts.common.crashed}
          description={String(this.state.error)}
          action={
            <Button size="small" onClick={() => this.setState({ error: undefined })}>
              {this.props.texts.common.reload}
            </Button>
          }
        />
      </div>
    );
  }
}
