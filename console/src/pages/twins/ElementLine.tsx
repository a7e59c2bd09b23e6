/** One element in the tree: its name, what it says (as it is now, when it is bound), its type. */
import { CaretDownFilled, CaretRightFilled, PaperClipOutlined, ThunderboltOutlined } from "@ant-design/icons";
import { Tooltip } from "antd";
import { unitText, useFormat } from "../../format";
import { QualityText, ValueText } from "../../parts/Reading";
import { Sparkline } from "../../parts/Sparkline";
import { useLanguage, useTexts } from "../../texts";
import { meaning, plain, said, type Element } from "./aas";
import { aas, type Concept } from "./aas-api";
import { isHeld } from "./AttachedImage";
import { useBoundPoint } from "./bindings";
import type { ElementRow } from "./element-rows";
import { TYPE_MARKS } from "./kinds";
import { contentOf } from "./twin-data";

interface Props {
  row: ElementRow;
  submodel: string;
  concepts: ReadonlyMap<string, Concept>;
  selected: boolean;
  onChoose: () => void;
  onToggle: () => void;
}

export function ElementLine({ row, submodel, concepts, selected, onChoose, onToggle }: Props) {
  const texts = useTexts();
  const language = useLanguage();
  const { element, path } = row;
  const point = useBoundPoint(path);
  const concept = contentOf(concepts.get(meaning(element)));
  const unit = point?.unit ? unitText(point.unit) : unitText(concept?.unit);
  const hint = [said(element.description, language) || said(concept?.definition, language), meaning(element)].filter(Boolean);
  const types: Record<string, string> = texts.twins.types;
  return (
    <div
      id={`element-${path}`}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-expanded={row.children ? row.open : undefined}
      aria-selected={selected}
      className={`element-row ${selected ? "selected" : ""}`}
      data-element={path}
      onClick={onChoose}
    >
      <span className="element-name" style={{ paddingInlineStart: row.depth * 18 }}>
        {row.children ? (
          <span className="tree-caret" title={row.open ? texts.tree.collapse : texts.tree.expand} onClick={(e) => { e.stopPropagation(); onToggle(); }}>
            {row.open ? <CaretDownFilled /> : <CaretRightFilled />}
          </span>
        ) : <span className="tree-caret" />}
        <Tooltip title={hint.length ? <>{hint.map((line) => <div key={line}>{line}</div>)}</> : undefined} mouseEnterDelay={0.5}>
          <span className="ellipsis">{row.name}</span>
        </Tooltip>
        {row.children > 0 && <span className="quiet small">{row.children}</span>}
      </span>
      <span className="element-value">
        {point ? (
          <>
            <ValueText point={point} />
            {unit && <span className="unit">{unit}</span>}
            <QualityText point={point} short />
          </>
        ) : <StillValue element={element} submodel={submodel} path={path} unit={unit} />}
      </span>
      <span className="col-wide">{point && <Sparkline path={point.path} kind={point.kind} />}</span>
      <span className="quiet small col-type" title={types[element.modelType] ?? element.modelType}>
        {point && <ThunderboltOutlined title={texts.twins.bound} />} {element.valueType?.replace(/^xs:/, "") ?? TYPE_MARKS[element.modelType] ?? element.modelType}
      </span>
    </div>
  );
}

interface StillProps {
  element: Element;
  submodel: string;
  path: string;
  unit: string;
}

/** A value that nothing is bound to. */
export function StillValue({ element, submodel, path, unit }: StillProps) {
  const language = useLanguage();
  const format = useFormat();
  const text = plain(element, language);
  if (!text) return <span className="quiet">{element.modelType === "Property" ? "–" : ""}</span>;
  if (element.modelType === "File" && isHeld(element)) {
    return (
      <a href={aas.attachment(submodel, path)} download={text.split("/").at(-1)} onClick={(e) => e.stopPropagation()} tabIndex={-1}>
        <PaperClipOutlined /> {text.split("/").at(-1)}
      </a>
    );
  }
  return <span className="ellipsis" title={text}>{shown(text, element.valueType, format.locale)}{unit && <span className="unit">{unit}</span>}</span>;
}

/** Long decimal fractions are rounded for reading; everything else stands as it came. */
function shown(text: string, type: string | undefined, locale: string): string {
  if (!["xs:double", "xs:float", "xs:decimal"].includes(type ?? "") || !Number.isFinite(Number(text))) return text;
  return new Intl.NumberFormat(locale, { maximumSignificantDigits: 8, useGrouping: false }).format(Number(text));
}
