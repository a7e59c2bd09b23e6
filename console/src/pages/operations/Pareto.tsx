/** What took the time, longest first, with the running share. */
import { useFormat } from "../../format";
import { useTexts } from "../../texts";
import { NS_MS, type Cause } from "./kpi-api";

const SHOWN = 12;

export function Pareto({ causes, reasons }: { causes: readonly Cause[]; reasons: ReadonlyMap<string, string> }) {
  const texts = useTexts();
  const format = useFormat();
  if (!causes.length) return <p className="quiet">{texts.unit.noLosses}</p>;
  const most = causes[0]?.ns ?? 1;
  return (
    <table className="pareto">
      <thead>
        <tr>
          <th scope="col">{texts.unit.reason}</th>
          <th scope="col" aria-label={texts.unit.share} />
          <th scope="col" className="right">{texts.unit.time}</th>
          <th scope="col" className="right">{texts.unit.stopsCount}</th>
          <th scope="col" className="right">Σ</th>
        </tr>
      </thead>
      <tbody>
        {causes.slice(0, SHOWN).map((cause) => (
          <tr key={`${cause.reason} ${cause.state} ${cause.loss}`} data-reason={cause.reason}>
            <th scope="row">
              {cause.reason ? reasons.get(cause.reason) ?? cause.reason : <span className="quiet">{texts.unit.unexplained}</span>}
              <span className="quiet small"> {cause.state}</span>
            </th>
            <td className="pareto-track"><span style={{ width: `${(cause.ns / most) * 100}%` }} /></td>
            <td className="number right nowrap">{format.span(cause.ns / NS_MS)}</td>
            <td className="number right">{format.count(cause.stops)}</td>
            <td className="number right quiet nowrap">{format.percent(cause.running)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
