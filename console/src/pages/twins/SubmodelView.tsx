/** What the console shows of a submodel whose template it knows. */
import type { SubmodelKind, Submodel } from "./aas";
import { Carbon } from "./Carbon";
import { Documents } from "./Documents";
import { Interfaces } from "./Interfaces";
import { Plate } from "./Plate";
import { Series } from "./Series";
import { Structure } from "./Structure";

/** The kinds that have such a page. */
export const VIEWED: readonly SubmodelKind[] = ["nameplate", "series", "documents", "carbon", "structure", "interfaces"];

interface Props {
  kind: SubmodelKind;
  submodel: Submodel;
  shell: string;
  onChange: () => void;
}

export function SubmodelView({ kind, submodel, shell, onChange }: Props) {
  return (
    <div className="scroll twin-home">
      {kind === "nameplate" && <Plate shell={undefined} submodel={submodel} />}
      {kind === "series" && <Series submodel={submodel} />}
      {kind === "documents" && <Documents submodel={submodel} shell={shell} onChange={onChange} />}
      {kind === "carbon" && <Carbon submodel={submodel} />}
      {kind === "interfaces" && <Interfaces submodel={submodel} onChange={onChange} />}
      {kind === "structure" && <section className="panel"><Structure submodel={submodel} shell={shell} /></section>}
    </div>
  );
}
