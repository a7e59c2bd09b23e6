/** The answer to a query: how long it took, its rows or a chart of them, and as a file. */
import { DownloadOutlined, LineChartOutlined, TableOutlined } from "@ant-design/icons";
import { Alert, App, Button, Dropdown, Segmented } from "antd";
import { useMemo, useState } from "react";
import { sqlFile, type SqlResult } from "../../explore";
import { useFormat } from "../../format";
import { FILE_NAMES, type FileFormat } from "../../history";
import { saveAs } from "../../http";
import { Empty, explain } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { chartOf } from "./result-data";
import { ResultChart } from "./ResultChart";
import { ResultGrid } from "./ResultGrid";

interface Props {
  text: string;
  result: SqlResult;
  /** Whether a newer answer is on its way. */
  stale: boolean;
}

export function SqlAnswer({ text, result, stale }: Props) {
  const texts = useTexts();
  const t = texts.sql;
  const format = useFormat();
  const [form, setForm] = useState<"grid" | "chart">("grid");
  const drawable = useMemo(() => !!chartOf(result), [result]);
  const rows = format.count(result.rows.length);
  const asked = form === "chart" && drawable ? "chart" : "grid";
  return (
    <div className={`sql-answer ${stale ? "stale" : ""}`} aria-busy={stale}>
      <div className="toolbar">
        <Segmented
          aria-label={t.result(rows, "")}
          value={asked}
          onChange={setForm}
          options={[
            { value: "grid", icon: <TableOutlined />, label: t.grid },
            { value: "chart", icon: <LineChartOutlined />, label: t.chart, disabled: !drawable, tooltip: drawable ? undefined : t.noChart },
          ]}
        />
        <span className="quiet" role="status" data-rows={result.rows.length}>{t.result(rows, format.span(Math.round(result.elapsed_ms)))}</span>
        <span className="grow" />
        <Download text={text} />
      </div>
      {result.truncated && <Alert type="info" showIcon className="sql-truncated" title={t.truncated(rows)} />}
      {result.rows.length === 0 ? <Empty title={t.noRows} /> : asked === "chart" ? <ResultChart result={result} /> : <ResultGrid result={result} />}
    </div>
  );
}

function Download({ text }: { text: string }) {
  const texts = useTexts();
  const { message } = App.useApp();
  const save = async (file: FileFormat) => {
    const close = message.loading(texts.trend.exporting, 0);
    try {
      saveAs(await sqlFile(text, file), `query.${file}`);
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    }
    close();
  };
  const items = (Object.keys(FILE_NAMES) as FileFormat[]).map((file) => ({ key: file, label: FILE_NAMES[file], onClick: () => void save(file) }));
  return (
    <Dropdown trigger={["click"]} menu={{ items }}>
      <Button icon={<DownloadOutlined />}>{texts.sql.download}</Button>
    </Dropdown>
  );
}
