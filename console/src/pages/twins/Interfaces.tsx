/** Interfaces that a twin describes (IDTA 02017), above the connections that come of them. */
import { ApiOutlined } from "@ant-design/icons";
import { Tag } from "antd";
import { Empty } from "../../parts/Notice";
import { useLanguage, useTexts } from "../../texts";
import { child, childrenOf, plain, type Element, type Submodel } from "./aas";
import { Connections } from "./Connections";

export function Interfaces({ submodel, onChange }: { submodel: Submodel; onChange: () => void }) {
  const t = useTexts().twins.plug;
  const interfaces = childrenOf(submodel).filter((e) => child(e, "EndpointMetadata"));
  if (!interfaces.length) return <Empty icon={<ApiOutlined />} title={t.empty} />;
  return (
    <>
      <div className="cards">
        {interfaces.map((one) => <InterfaceCard key={one.idShort} element={one} />)}
      </div>
      <Connections submodel={submodel.id} onChange={onChange} />
    </>
  );
}

function InterfaceCard({ element }: { element: Element }) {
  const t = useTexts().twins.plug;
  const language = useLanguage();
  const endpoint = child(element, "EndpointMetadata");
  const interaction = child(element, "InteractionMetadata");
  const count = (name: string) => {
    const found = child(interaction, name);
    return found ? childrenOf(found).length : 0;
  };
  const [values, actions] = [count("properties"), count("actions")];
  const title = plain(child(element, "title"), language) || element.idShort;
  return (
    <section className="panel">
      <h2 className="ellipsis" title={title}>{title}</h2>
      <p className="path-text">{plain(child(endpoint, "base"), language) || "–"}</p>
      <p className="quiet small">
        {values > 0 && <Tag>{t.properties(values)}</Tag>}
        {actions > 0 && <Tag>{t.actions(actions)}</Tag>}
      </p>
    </section>
  );
}
