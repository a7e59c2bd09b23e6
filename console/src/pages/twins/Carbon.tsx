/** The carbon footprint (IDTA 02023): what a product has cost the climate, and how that was counted. */
import { CloudOutlined } from "@ant-design/icons";
import { useContext } from "react";
import { useFormat } from "../../format";
import { Empty } from "../../parts/Notice";
import { ValueText } from "../../parts/Reading";
import { useLanguage, useTexts, type Language } from "../../texts";
import { child, childPath, childrenOf, parentPath, plain, walk, type Element, type Submodel } from "./aas";
import { BoundContext } from "./bindings";

export function Carbon({ submodel }: { submodel: Submodel }) {
  const t = useTexts().twins.carbon;
  const language = useLanguage();
  const found = [...walk(submodel)].filter(([, e]) => /^(Pcf|PCF|Tcf|TCF)?CO2eq$/.test(e.idShort ?? ""));
  const entries = found.map(([path]) => parentPath(path));
  const parents = new Map([...walk(submodel)].filter(([path]) => entries.includes(path)));
  if (!parents.size) return <Empty icon={<CloudOutlined />} title={t.empty} />;
  return (
    <div className="cards carbon">
      {[...parents].map(([path, element]) => <Footprint key={path} path={path} element={element} language={language} />)}
    </div>
  );
}

function Footprint({ path, element, language }: { path: string; element: Element; language: Language }) {
  const t = useTexts().twins.carbon;
  const format = useFormat();
  const bound = useContext(BoundContext);
  const children = childrenOf(element);
  const figure = children.find((e) => /CO2eq$/.test(e.idShort ?? ""));
  const of = (...names: string[]) => names.map((name) => plain(child(element, name), language)).find(Boolean) ?? "";
  const list = (name: string) => {
    const found = child(element, name);
    return found ? childrenOf(found).map((e) => plain(e, language)).filter(Boolean) : [];
  };
  const point = figure && bound.get(childPath(element, path, figure, 0));
  const amount = plain(figure, language);
  const quantity = of("QuantityOfMeasureForCalculation", "PCFQuantityOfMeasureForCalculation");
  const unit = of("ReferenceImpactUnitForCalculation", "PCFReferenceValueForCalculation");
  const phases = list("LifeCyclePhases");
  const methods = list("PcfCalculationMethods");
  const dates = [of("PublicationDate"), of("ExpirationDate")];
  return (
    <section className="panel">
      <div className="carbon-figure">
        {point || amount ? (
          <><strong>{point ? <ValueText point={point} /> : Number.isFinite(Number(amount)) ? format.figure(Number(amount)) : amount}</strong> kg CO₂e</>
        ) : t.none}
      </div>
      {(quantity || unit) && <p className="quiet">{t.per(quantity, unit)}</p>}
      <dl className="facts">
        {methods.length > 0 && <><dt>{t.methods}</dt><dd>{methods.join(", ")}</dd></>}
        {phases.length > 0 && <><dt>{t.phases}</dt><dd>{phases.join(", ")}</dd></>}
        {dates[0] && <><dt>{t.published}</dt><dd>{dates[0]}</dd></>}
        {dates[1] && <><dt>{t.expires}</dt><dd>{dates[1]}</dd></>}
      </dl>
    </section>
  );
}
