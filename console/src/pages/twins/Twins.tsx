/** Where an address of the twins leads: the list, a shell, a submodel, a comparison, the rules. */
import type { PageProps } from "../../page";
import { Empty } from "../../parts/Notice";
import { Link } from "../../parts/Link";
import { useTexts } from "../../texts";
import { decodeId } from "./aas";
import { Compare } from "./Compare";
import { Rules } from "./Rules";
import { ShellPage } from "./ShellPage";
import { Shells } from "./Shells";
import { SubmodelPage } from "./SubmodelPage";
import "./twins.css";

export default function Twins({ rest }: PageProps) {
  const texts = useTexts();
  const [what = "", id = "", submodel = ""] = rest.split("/");
  if (what === "") return <Shells />;
  if (what === "compare") return <Compare />;
  if (what === "rules") return <Rules />;
  if (what === "shells" && decodeId(id)) {
    return <ShellPage key={id} id={decodeId(id)} submodel={decodeId(submodel)} />;
  }
  if (what === "submodels" && decodeId(id)) {
    return <section className="page twin-page"><SubmodelPage key={id} id={decodeId(id)} shell="" /></section>;
  }
  return <Empty title={texts.common.notFound}><Link to="/twins">{texts.twins.title}</Link></Empty>;
}
