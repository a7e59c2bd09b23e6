/** The views one may ask in SQL, with their columns and examples. */
import { CaretDownFilled, CaretRightFilled } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { sqlSchema, typeWord, type SqlView } from "../../explore";
import { useLoad } from "../../hooks";
import { ErrorBox, Waiting } from "../../parts/Notice";
import { useTexts } from "../../texts";

interface Props {
  onInsert: (name: string) => void;
  onUse: (text: string) => void;
}

export function SqlViews(props: Props) {
  const texts = useTexts();
  const told = useLoad("sql schema", sqlSchema);
  return (
    <aside className="sql-views" aria-label={texts.sql.views}>
      <h2>{texts.sql.views}</h2>
      <ErrorBox error={told.error} reload={told.reload} />
      {!told.data && !told.error && <Waiting rows={5} />}
      {told.data?.views.map((view, i) => <ViewItem key={view.name} view={view} opened={i === 0} onInsert={props.onInsert} />)}
      {!!told.data?.examples.length && <h2>{texts.sql.examples}</h2>}
      {told.data?.examples.map((example) => (
        <button key={example.text} type="button" className="sql-example" title={example.text} onClick={() => props.onUse(example.text)}>{example.title}</button>
      ))}
    </aside>
  );
}

function ViewItem({ view, opened, onInsert }: { view: SqlView; opened: boolean; onInsert: Props["onInsert"] }) {
  const texts = useTexts();
  const t = texts.sql;
  const [open, setOpen] = useState(opened);
  const name = (text: string) => (
    <button type="button" className="sql-word" aria-label={t.insert(text)} title={t.insert(text)} onClick={() => onInsert(text)}>{text}</button>
  );
  return (
    <section className="sql-view" data-view={view.name}>
      <header>
        <Button type="text" size="small" aria-expanded={open} aria-label={`${open ? texts.tree.collapse : texts.tree.expand}: ${view.name}`} icon={open ? <CaretDownFilled /> : <CaretRightFilled />} onClick={() => setOpen(!open)} />
        {name(view.name)}
      </header>
      {open && (
        <>
          {view.description && <p className="quiet small">{view.description}</p>}
          <ul aria-label={t.columns}>
            {view.columns.map((column) => (
              <li key={column.name} title={column.description}>
                {name(column.name)} <span className="quiet small">{typeWord(column.type)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
