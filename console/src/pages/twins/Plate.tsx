/** The digital nameplate as the plate on a machine, with the code that leads to its twin. */
import { QRCode } from "antd";
import { useMode } from "../../preferences";
import { Waiting } from "../../parts/Notice";
import { useLanguage, useTexts, type Language } from "../../texts";
import { PALETTES } from "../../theme";
import { child, childrenOf, parentPath, plain, said, walk, type Element, type Shell, type Submodel } from "./aas";
import { AttachedImage } from "./AttachedImage";

/** What a plate says, in its order; names of Digital Nameplate 3.0 and of its forerunners. */
const LINES = [
  "ManufacturerProductType", "ManufacturerProductFamily", "ManufacturerProductRoot", "OrderCodeOfManufacturer",
  "ProductArticleNumberOfManufacturer", "SerialNumber", "YearOfConstruction", "DateOfManufacture",
  "HardwareVersion", "FirmwareVersion", "SoftwareVersion", "CountryOfOrigin", "UniqueFacilityIdentifier",
] as const;

/** What stands where a plate must say something and nobody has told the plant what. */
const UNSTATED = "not stated";

function stated(text: string): string {
  return text === UNSTATED ? "" : text;
}

interface Props {
  shell: Shell | undefined;
  submodel: Submodel | undefined;
  waiting?: boolean;
}

export function Plate({ shell, submodel, waiting }: Props) {
  const t = useTexts().twins;
  const language = useLanguage();
  if (waiting) return <section className="plate"><Waiting rows={4} /></section>;
  const text = (name: string) => stated(plain(child(submodel, name), language));
  const maker = text("ManufacturerName");
  const product = text("ManufacturerProductDesignation") || said(shell?.displayName, language) || shell?.idShort || submodel?.idShort;
  const link = text("URIOfTheProduct") || shell?.assetInformation.globalAssetId || "";
  const labels: Record<string, string> = t.plate.lines;
  const lines = LINES.map((name) => [labels[name] ?? name, text(name)] as const).filter(([, value]) => value);
  return (
    <section className="plate" aria-label={t.plate.title}>
      <div className="plate-main">
        {maker && <div className="plate-maker">{maker}</div>}
        <div className="plate-product">{product}</div>
        {lines.length > 0 && (
          <dl className="plate-lines">
            {lines.map(([label, value]) => <div key={label}><dt>{label}</dt><dd>{value}</dd></div>)}
          </dl>
        )}
        <Address submodel={submodel} language={language} />
        {submodel && <Markings submodel={submodel} />}
        {!submodel && <p className="quiet small">{t.plate.none}</p>}
      </div>
      {link && <IdLink link={link} />}
    </section>
  );
}

/** The identification link (IEC 61406) as a code that a telephone reads. */
function IdLink({ link }: { link: string }) {
  const t = useTexts().twins;
  const palette = PALETTES[useMode()];
  const isAddress = /^https?:/.test(link);
  return (
    <figure className="plate-code">
      {/* Dark on light in both themes: many readers know no other. */}
      <QRCode type="svg" value={link} size={132} bordered={false} color="#101418" bgColor="#ffffff" errorLevel="M" aria-label={`${t.plate.code}: ${link}`} />
      <figcaption style={{ color: palette.quiet }}>
        <span className="small">{isAddress ? t.plate.code : t.id}</span>
        {isAddress ? <a className="small path-text" href={link} target="_blank" rel="noreferrer noopener">{link}</a>
          : <span className="small path-text">{link}</span>}
      </figcaption>
    </figure>
  );
}

function Address({ submodel, language }: { submodel: Submodel | undefined; language: Language }) {
  const address = child(submodel, "AddressInformation") ?? child(submodel, "ContactInformation");
  if (!address) return null;
  const of = (name: string) => stated(plain(child(address, name), language));
  const text = [of("Street"), `${of("Zipcode")} ${of("CityTown")}`.trim(), of("NationalCode")].filter(Boolean).join(", ");
  return text ? <p className="plate-address">{text}</p> : null;
}

/** Approvals: the mark's picture where there is one, else its name. */
function Markings({ submodel }: { submodel: Submodel }) {
  const t = useTexts().twins;
  const language = useLanguage();
  const markings = [...walk(submodel)].filter(([path, element]) => element.modelType !== "File" && isMarking(submodel, path, element));
  if (!markings.length) return null;
  return (
    <ul className="plate-marks" aria-label={t.plate.markings}>
      {markings.map(([path, marking]) => {
        const name = plain(child(marking, "MarkingName"), language) || marking.idShort || "";
        const file = child(marking, "MarkingFile");
        return (
          <li key={path} title={name}>
            {file?.value ? <AttachedImage submodel={submodel.id} path={`${path}.${file.idShort ?? ""}`} element={file} alt={name} /> : name}
          </li>
        );
      })}
    </ul>
  );
}

function isMarking(submodel: Submodel, path: string, element: Element): boolean {
  const parent = parentPath(path);
  const list = childrenOf(submodel).find((c) => c.idShort === parent);
  return list?.idShort === "Markings" && childrenOf(element).length > 0;
}
