/** The data explorer: what is stored of each point, and history asked in SQL. */
import { CodeOutlined, DatabaseOutlined } from "@ant-design/icons";
import { Segmented } from "antd";
import { lazy, Suspense } from "react";
import type { PageProps } from "../../page";
import { Waiting } from "../../parts/Notice";
import { go } from "../../router";
import { useTexts } from "../../texts";
import { DataPoints } from "./DataPoints";

const SqlTab = lazy(() => import("./SqlTab"));

export default function Data({ rest }: PageProps) {
  const texts = useTexts();
  const tab = rest === "sql" ? "sql" : "points";
  return (
    <section className="page data" aria-label={texts.data.title}>
      <div className="trend-head">
        <h1>{texts.data.title}</h1>
        <Segmented
          aria-label={texts.data.title}
          value={tab}
          onChange={(next) => go(next === "sql" ? "/data/sql" : "/data")}
          options={[
            { value: "points", icon: <DatabaseOutlined />, label: texts.data.points },
            { value: "sql", icon: <CodeOutlined />, label: texts.data.sql },
          ]}
        />
      </div>
      {tab === "sql" ? <Suspense fallback={<Waiting />}><SqlTab /></Suspense> : <DataPoints />}
    </section>
  );
}
