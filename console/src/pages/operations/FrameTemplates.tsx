/** Templates of frames: whom they are for, what waits, what is recomputed. */
import { BlockOutlined } from "@ant-design/icons";
import { App, Button, Popconfirm, Space, Table } from "antd";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Empty, ErrorBox, explain, Waiting } from "../../parts/Notice";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { framesApi, type TemplateView } from "./frames-api";

const REFRESH_MS = 3000;

export default function FrameTemplates() {
  const texts = useTexts();
  const format = useFormat();
  const { can } = useSession();
  const { message } = App.useApp();
  const found = useLoad("frame templates page", framesApi.templates, REFRESH_MS);
  const items = found.data?.items ?? [];
  const attempt = async (act: Promise<unknown>) => {
    try {
      await act;
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    }
    found.reload();
  };
  const progress = (name: string) => {
    const mine = (found.data?.recomputing ?? []).filter((p) => p.template === name);
    const whole = mine.reduce((sum, p) => sum + Math.max(p.stop_ns - p.start_ns, 1), 0);
    const done = mine.reduce((sum, p) => sum + Math.min(Math.max(p.until_ns - p.start_ns, 0), p.stop_ns - p.start_ns), 0);
    return mine.length ? texts.frames.recomputing(format.percent(done / whole)) : "";
  };
  if (found.loading) return <Waiting />;
  return (
    <div className="scroll">
      <ErrorBox error={found.error} reload={found.reload} />
      {found.data && items.length === 0 ? <Empty icon={<BlockOutlined />} title={texts.frames.noneTitle} remedy={texts.frames.noneRemedy} /> : (
        <Table<TemplateView>
          size="small"
          rowKey={(v) => v.template.name}
          pagination={false}
          dataSource={items}
          onRow={(v) => ({ "data-template": v.template.name }) as React.HTMLAttributes<HTMLElement>}
          columns={[
            { title: texts.frames.template, key: "name", width: "18%", render: (_, v) => <><strong>{v.template.name}</strong>{v.template.description && <div className="quiet small">{v.template.description}</div>}</> },
            { title: texts.frames.kind, key: "kind", render: (_, v) => texts.frames.kinds[v.template.kind ?? "other"] },
            { title: texts.frames.begin, key: "begin", className: "path-text", render: (_, v) => v.template.begin },
            { title: texts.frames.end, key: "end", className: "path-text", render: (_, v) => v.template.end || "–" },
            { title: texts.frames.parent, key: "parent", render: (_, v) => v.template.parent || "–" },
            { title: texts.frames.asset, key: "assets", className: "path-text frame-path", render: (_, v) => <Assets view={v} /> },
            {
              title: "", key: "do", render: (_, v) => (
                <Space wrap>
                  <span className="quiet small" role="status">{progress(v.template.name)}</span>
                  {can("configure") && <Button size="small" onClick={() => void attempt(framesApi.recompute(v.template.name))}>{texts.frames.recompute}</Button>}
                  {can("configure") && !v.in_file && (
                    <Popconfirm title={texts.frames.removeSure} okText={texts.common.remove} cancelText={texts.common.cancel} onConfirm={() => void attempt(framesApi.remove(v.template.name))}>
                      <Button size="small" danger>{texts.common.remove}</Button>
                    </Popconfirm>
                  )}
                  {v.in_file && <span className="quiet small">{texts.frames.inFile}</span>}
                </Space>
              ),
            },
          ]}
        />
      )}
    </div>
  );
}

function Assets({ view }: { view: TemplateView }) {
  const texts = useTexts();
  const waiting = Object.entries(view.waiting);
  return (
    <>
      {view.assets.slice(0, 5).map((a) => <div key={a}>{a}</div>)}
      {view.assets.length > 5 && <div className="quiet">{texts.frames.moreRows(view.assets.length - 5)}</div>}
      {waiting.slice(0, 3).map(([asset, why]) => <div key={asset} className="state-uncertain" title={why}>{asset}: {why}</div>)}
    </>
  );
}
