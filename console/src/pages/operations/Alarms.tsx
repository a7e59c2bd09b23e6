/** The alarms of the plant: what is open, what happened, how good the alarm system is. */
import { BarChartOutlined, BellOutlined, FileTextOutlined, HistoryOutlined, MailOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Segmented } from "antd";
import { lazy, Suspense, useState } from "react";
import type { PageProps } from "../../page";
import { Waiting } from "../../parts/Notice";
import { go } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { AlarmDefinition, type Task } from "./AlarmDefinition";
import { AlarmList } from "./AlarmList";

const Journal = lazy(() => import("./AlarmJournal"));
const Figures = lazy(() => import("./AlarmFigures"));
const Rationalisation = lazy(() => import("./Rationalisation"));
const Notices = lazy(() => import("./AlarmNotices"));
const TABS = ["journal", "figures", "rationalisation", "notices"];

export default function Alarms({ rest }: PageProps) {
  const texts = useTexts();
  const { can } = useSession();
  const [task, setTask] = useState<Task>();
  const [fresh, setFresh] = useState(0);
  const [chosen, setChosen] = useState(() => new URLSearchParams(location.search).get("open") ?? undefined);
  const saved = (name: string) => {
    // Who copied an alarm goes on with the copy.
    if (chosen !== undefined) setChosen(name);
    setTask(undefined);
    setFresh(fresh + 1);
  };
  const tab = TABS.includes(rest) ? rest : "list";
  return (
    <section className="page" aria-label={texts.alarms.title}>
      <div className="page-head">
        <h1>{texts.alarms.title}</h1>
        <Segmented
          aria-label={texts.alarms.title}
          value={tab}
          onChange={(next) => go(next === "list" ? "/alarms" : `/alarms/${next}`)}
          options={[
            { value: "list", icon: <BellOutlined />, label: texts.alarms.list },
            { value: "journal", icon: <HistoryOutlined />, label: texts.alarms.journal },
            { value: "figures", icon: <BarChartOutlined />, label: texts.alarms.figures },
            { value: "rationalisation", icon: <FileTextOutlined />, label: texts.alarms.rationalisation },
            { value: "notices", icon: <MailOutlined />, label: texts.notices.tab },
          ]}
        />
        <span className="grow" />
        {can("configure") && (
          <Button icon={<PlusOutlined />} onClick={() => setTask({ do: "new" })}>{texts.alarms.define}</Button>
        )}
      </div>
      <Suspense fallback={<Waiting />}>
        {tab === "journal" ? <Journal />
          : tab === "figures" ? <Figures />
          : tab === "rationalisation" ? <Rationalisation />
          : tab === "notices" ? <Notices />
          : <AlarmList fresh={fresh} onTask={setTask} chosen={chosen} onChoose={setChosen} />}
      </Suspense>
      {task && <AlarmDefinition task={task} onClose={() => setTask(undefined)} onSaved={saved} />}
    </section>
  );
}
