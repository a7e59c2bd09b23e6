/** Points that are calculated from others: how they are made, and how they fare. */
import { FunctionOutlined, PlusOutlined } from "@ant-design/icons";
import { App, Button, Dropdown, Popconfirm, Space, Table } from "antd";
import { useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox, explain, Waiting } from "../../parts/Notice";
import { trendAddress } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { derivedApi, type Derived as Definition, type DerivedView } from "./derived-api";
import { DerivedForm } from "./DerivedForm";

const REFRESH_MS = 5_000;
const NEW: Definition = { point: "", expression: "" };

export default function Derived() {
  const texts = useTexts();
  const { can } = useSession();
  const [edited, setEdited] = useState<Definition>();
  const found = useLoad("derived", derivedApi.list, REFRESH_MS);
  const items = (found.data?.items ?? []).filter((v) => v.owner === "derived");
  const closed = () => {
    setEdited(undefined);
    found.reload();
  };
  return (
    <section className="page" aria-label={texts.derived.title}>
      <div className="page-head">
        <h1>{texts.derived.title}</h1>
        <span className="grow" />
        {can("configure") && <Button icon={<PlusOutlined />} onClick={() => setEdited(NEW)}>{texts.derived.define}</Button>}
      </div>
      <ErrorBox error={found.error} reload={found.reload} />
      {found.loading ? (
        <Waiting />
      ) : items.length === 0 ? (
        <Empty icon={<FunctionOutlined />} title={texts.derived.noneTitle} remedy={texts.derived.noneRemedy} />
      ) : (
        <div className="scroll panel"><List items={items} onEdit={setEdited} onChange={found.reload} /></div>
      )}
      {edited && <DerivedForm given={edited} onClose={closed} />}
    </section>
  );
}

function List(props: { items: DerivedView[]; onEdit: (d: Definition) => void; onChange: () => void }) {
  const texts = useTexts();
  const format = useFormat();
  return (
    <Table
      size="small"
      rowKey={(v) => v.definition.point}
      pagination={props.items.length > 100 ? { pageSize: 100 } : false}
      dataSource={props.items}
      columns={[
        {
          title: texts.derived.point,
          key: "point",
          render: (_, v) => (
            <>
              <Link to={trendAddress([v.definition.point])}>{v.definition.point}</Link>
              {v.definition.description && <div className="quiet small">{v.definition.description}</div>}
            </>
          ),
        },
        { title: texts.derived.expression, key: "expression", className: "path-text", render: (_, v) => v.definition.expression },
        { title: texts.derived.state, key: "state", render: (_, v) => <Phase view={v} /> },
        { title: texts.derived.rows, key: "rows", align: "right", className: "number", render: (_, v) => format.count(v.state.rows) },
        { key: "acts", align: "right", render: (_, v) => <Acts view={v} onEdit={props.onEdit} onChange={props.onChange} /> },
      ]}
    />
  );
}

function Phase({ view }: { view: DerivedView }) {
  const texts = useTexts();
  const { phase, trouble } = view.state;
  return (
    <div data-phase={phase}>
      <span className={trouble ? "state-uncertain" : "state-quiet"}>{texts.derived.phases[phase]}</span>
      {trouble && <div className="small quiet">{trouble}</div>}
    </div>
  );
}

function Acts(props: { view: DerivedView; onEdit: (d: Definition) => void; onChange: () => void }) {
  const texts = useTexts();
  const { can } = useSession();
  const { message } = App.useApp();
  const { definition, in_file } = props.view;
  const act = async (work: Promise<unknown>, done: string) => {
    try {
      await work;
      void message.success(done);
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    }
    props.onChange();
  };
  if (!can("configure")) return null;
  const spans = Object.entries(texts.derived.spans).map(([key, label]) => ({ key, label }));
  return (
    <Space>
      <Dropdown
        trigger={["click"]}
        menu={{ items: spans, onClick: ({ key }) => void act(derivedApi.recompute(definition.point, key), texts.derived.recomputing) }}
      >
        <Button size="small">{texts.derived.recompute}</Button>
      </Dropdown>
      {in_file ? (
        <span className="quiet small nowrap">{texts.derived.inFile}</span>
      ) : (
        <>
          <Button size="small" onClick={() => props.onEdit(definition)}>{texts.derived.edit}</Button>
          <Popconfirm title={texts.derived.removeHint} okText={texts.common.remove} cancelText={texts.common.cancel} onConfirm={() => act(derivedApi.remove(definition.point), texts.derived.removed)}>
            <Button size="small" danger>{texts.common.remove}</Button>
          </Popconfirm>
        </>
      )}
    </Space>
  );
}
