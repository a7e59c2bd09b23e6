/** The first page of a shell: its plate, its identifiers, what it is built of. */
import { useLanguage, useTexts } from "../../texts";
import { Link } from "../../parts/Link";
import { Waiting } from "../../parts/Notice";
import { branchAddress } from "../../router";
import { BRANCH, kindOf, said, type Shell } from "./aas";
import { Plate } from "./Plate";
import { Structure } from "./Structure";
import { useSubmodel, type Listed } from "./twin-data";
import { Copyable } from "./Copyable";

export function ShellFacts({ shell, listed }: { shell: Shell; listed: Listed[] | undefined }) {
  const t = useTexts().twins;
  const language = useLanguage();
  const of = (kind: string) => listed?.find((one) => one.head && kindOf(one.head) === kind)?.id;
  const nameplate = useSubmodel(of("nameplate"));
  const structure = useSubmodel(of("structure"));
  const { assetInformation: asset } = shell;
  const kinds: Record<string, string> = t.assetKinds;
  const rows = [
    { key: "id", label: t.id, children: <Copyable text={shell.id} /> },
    asset.globalAssetId && { key: "asset", label: t.asset, children: <Copyable text={asset.globalAssetId} /> },
    { key: "kind", label: t.assetKind, children: kinds[asset.assetKind] ?? asset.assetKind },
    asset.assetType && { key: "type", label: t.assetType, children: asset.assetType },
    ...(asset.specificAssetIds ?? []).map((one, i) => ({ key: `s${i}`, label: one.name === BRANCH ? t.branch : one.name, children: one.name === BRANCH ? <Link to={branchAddress(one.value)} className="path-text">{one.value}</Link> : <Copyable text={one.value} /> })),
    shell.derivedFrom && { key: "derived", label: t.derivedFrom, children: shell.derivedFrom.keys.at(-1)?.value },
    shell.administration?.version && {
      key: "version", label: t.version, children: [shell.administration.version, shell.administration.revision].filter(Boolean).join("."),
    },
  ].filter((row) => !!row);
  return (
    <div className="scroll twin-home">
      {!listed ? <Waiting rows={4} /> : <Plate shell={shell} submodel={nameplate.data} waiting={!!of("nameplate") && !nameplate.data} />}
      {said(shell.description, language) && <p className="twin-description">{said(shell.description, language)}</p>}
      <section className="panel">
        <h2>{t.identity}</h2>
        <dl className="facts twin-facts">
          {rows.map((row) => <span key={row.key} className="fact-pair"><dt>{row.label}</dt><dd>{row.children}</dd></span>)}
        </dl>
      </section>
      {structure.data && (
        <section className="panel">
          <h2>{t.kinds.structure}</h2>
          <Structure submodel={structure.data} shell={shell.id} />
        </section>
      )}
    </div>
  );
}
