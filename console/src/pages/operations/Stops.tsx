/** Why machines stood still: what an operator tells in three touches (stop, group, reason). */
import { CheckCircleOutlined, PauseCircleOutlined } from "@ant-design/icons";
import { leaf, useFormat } from "../../format";
import { useLoad, useNow } from "../../hooks";
import type { PageProps } from "../../page";
import { Empty, ErrorBox, Waiting } from "../../parts/Notice";
import { go } from "../../router";
import { useTexts } from "../../texts";
import { UnitStops } from "./UnitStops";
import { lengthText } from "./StateTimeline";
import { PlantTimeline } from "./PlantTimeline";
import { stopsAddress } from "./unit-address";
import { statesApi, type UnitView } from "./states-api";

const REFRESH_MS = 5000;

export default function Stops({ rest }: PageProps) {
  const texts = useTexts();
  const found = useLoad("states", (signal) => statesApi.units(signal), REFRESH_MS);
  const units = found.data?.items ?? [];
  const one = units.length === 1 ? units[0] : undefined;
  const chosen = units.find((u) => u.unit === rest) ?? one;
  return (
    <section className="page stops-page" aria-label={texts.states.title}>
      <ErrorBox error={found.error} reload={found.reload} />
      {found.loading ? <Waiting />
        : chosen ? <UnitStops key={chosen.unit} view={chosen} alone={!!one} onSaid={found.reload} />
        : units.length === 0 ? found.error ? null : <Empty icon={<PauseCircleOutlined />} title={texts.states.noneTitle} remedy={texts.states.noneRemedy} />
        : <Units units={units} />}
    </section>
  );
}

function Units({ units }: { units: readonly UnitView[] }) {
  const texts = useTexts();
  return (
    <>
      <div className="page-head"><h1>{texts.states.choose}</h1></div>
      <div className="touch-grid">{units.map((u) => <Unit key={u.unit} view={u} />)}</div>
      <PlantTimeline units={units.map((u) => u.unit)} />
    </>
  );
}

function Unit({ view }: { view: UnitView }) {
  const texts = useTexts();
  const format = useFormat();
  const now = useNow();
  return (
    <button type="button" className="touch touch-unit" data-unit={view.unit} onClick={() => go(stopsAddress(view.unit))}>
      <strong>{leaf(view.unit)}</strong>
      <span className="quiet small">{view.unit}</span>
      <span>{view.state || texts.states.unknown} · {texts.states.since(lengthText(now - view.since_ns / 1e6, texts, format))}</span>
      {view.unexplained > 0
        ? <span className="state-uncertain"><strong>{texts.states.unexplained(format.count(view.unexplained))}</strong></span>
        : <span className="quiet"><CheckCircleOutlined /> {texts.states.nothing}</span>}
    </button>
  );
}
