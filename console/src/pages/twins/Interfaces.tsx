/** Interfaces that a twin describes (IDTA 02017), and the connections that come of them when confirmed. */
import { ApiOutlined, CheckCircleOutlined } from "@ant-design/icons";
import { Alert, Button, Tag } from "antd";
import { useState } from "react";
import { Link } from "../../parts/Link";
import { Empty, ErrorBox } from "../../parts/Notice";
import { useSession } from "../../session";
import { useLanguage, useTexts } from "../../texts";
import { child, childrenOf, plain, type Element, type Submodel } from "./aas";
import { Findings } from "./ImportDialog";
import { twins, type Proposal } from "./twins-api";

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

function Connections({ submodel, onChange }: { submodel: string; onChange: () => void }) {
  const t = useTexts().twins.plug;
  const { can } = useSession();
  const [proposals, setProposals] = useState<Proposal[]>();
  const [made, setMade] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const ask = async (dry: boolean) => {
    setBusy(true);
    setError(undefined);
    try {
      setProposals((await twins.plug(submodel, dry)).items);
      setMade(!dry);
      if (!dry) onChange();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  if (!can("configure")) return null;
  return (
    <section className="panel" aria-label={t.title}>
      <h2>{t.title}</h2>
      <p className="quiet">{t.why}</p>
      <ErrorBox error={error} />
      {!proposals ? <Button type="primary" icon={<ApiOutlined />} loading={busy} onClick={() => void ask(true)}>{t.look}</Button>
        : proposals.length === 0 ? <Alert type="info" showIcon title={t.none} />
        : (
          <>
            <ul className="proposals">
              {proposals.map((one) => <ProposalLine key={one.name} proposal={one} />)}
            </ul>
            {made ? <Alert type="success" showIcon icon={<CheckCircleOutlined />} title={t.made} description={<Link to="/devices">{t.toDevices}</Link>} />
              : <Button type="primary" danger icon={<ApiOutlined />} loading={busy} onClick={() => void ask(false)}>{t.connect(proposals.length)}</Button>}
          </>
        )}
    </section>
  );
}

function ProposalLine({ proposal }: { proposal: Proposal }) {
  const t = useTexts().twins.plug;
  return (
    <li data-proposal={proposal.name}>
      <strong>{proposal.name}</strong> <Tag>{proposal.protocol}</Tag> <span className="path-text">{proposal.address}</span>{" "}
      <span className="quiet">{t.points(proposal.points)}</span>
      {proposal.findings.length > 0 && <Findings findings={proposal.findings} />}
    </li>
  );
}
