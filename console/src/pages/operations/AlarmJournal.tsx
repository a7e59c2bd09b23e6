/** What happened to alarms in a span. */
import { Segmented } from "antd";
import { useState } from "react";
import { useLoad } from "../../hooks";
import { useTexts } from "../../texts";
import { JournalTable } from "./JournalTable";
import { alarmsApi } from "./alarms-api";

const REFRESH_MS = 5000;

export default function AlarmJournal() {
  const texts = useTexts();
  const [span, setSpan] = useState("-8h");
  const found = useLoad(`journal ${span}`, (signal) => alarmsApi.journal(span, "", signal), REFRESH_MS);
  return (
    <>
      <div className="toolbar">
        <Segmented aria-label={texts.alarms.time} value={span} onChange={setSpan} options={Object.entries(texts.alarms.span).map(([value, label]) => ({ value, label }))} />
      </div>
      <div className="scroll"><JournalTable found={found} /></div>
    </>
  );
}
