/** A field for SQL: coloured as one types, the place of an error underlined. */
import { useEffect, useImperativeHandle, useMemo, useRef, type KeyboardEvent, type Ref } from "react";
import { useTexts } from "../../texts";
import { tokens, type Place } from "./sql-text";

export interface EditorHandle {
  /** Puts a text where the caret is. */
  insert: (text: string) => void;
  focus: () => void;
}

interface Props {
  text: string;
  place: Place | undefined;
  handle: Ref<EditorHandle>;
  onChange: (text: string) => void;
  onRun: () => void;
  /** An earlier (1) or a later (-1) query is wanted. */
  onPast: (by: number) => void;
}

export function SqlEditor({ text, place, handle, onChange, onRun, onPast }: Props) {
  const texts = useTexts();
  const field = useRef<HTMLTextAreaElement>(null);
  const back = useRef<HTMLPreElement>(null);
  const parts = useMemo(() => tokens(text), [text]);
  useImperativeHandle(handle, () => ({
    focus: () => field.current?.focus(),
    insert: (word) => {
      const box = field.current;
      if (!box) return;
      const { selectionStart: from, selectionEnd: to } = box;
      onChange(text.slice(0, from) + word + text.slice(to));
      requestAnimationFrame(() => {
        box.focus();
        box.setSelectionRange(from + word.length, from + word.length);
      });
    },
  }));
  useEffect(() => {
    if (place) field.current?.setSelectionRange(place.at, place.at);
  }, [place]);
  const scrolled = () => {
    if (!back.current || !field.current) return;
    back.current.scrollTop = field.current.scrollTop;
    back.current.scrollLeft = field.current.scrollLeft;
  };
  const keys = (event: KeyboardEvent) => {
    const command = event.ctrlKey || event.metaKey;
    const acts: Record<string, () => void> = { Enter: onRun, ArrowUp: () => onPast(1), ArrowDown: () => onPast(-1) };
    const act = command ? acts[event.key] : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  };
  return (
    <div className={`sql-editor ${place ? "wrong" : ""}`}>
      <pre ref={back} aria-hidden="true">
        {parts.map((part) => {
          const wrong = place && place.at >= part.at && place.at < part.at + part.text.length;
          return <span key={part.at} className={`${part.sort && `sql-${part.sort}`} ${wrong ? "sql-wrong" : ""}`}>{part.text}</span>;
        })}
        {"\n"}
      </pre>
      <textarea
        ref={field}
        aria-label={texts.sql.editor}
        aria-invalid={!!place}
        placeholder={texts.sql.placeholder}
        value={text}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        onScroll={scrolled}
        onKeyDown={keys}
      />
    </div>
  );
}
