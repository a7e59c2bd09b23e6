/** Event frames: batches, cycles, stops, excursions; found, looked into, compared, defined. */
import { BlockOutlined, PlusOutlined, UnorderedListOutlined } from "@ant-design/icons";
import { Button, Segmented } from "antd";
import { lazy, Suspense, useState } from "react";
import type { PageProps } from "../../page";
import { Waiting } from "../../parts/Notice";
import { go } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { FrameList } from "./FrameList";

const One = lazy(() => import("./FramePage"));
const Compare = lazy(() => import("./FrameCompare"));
const Templates = lazy(() => import("./FrameTemplates"));
const Form = lazy(() => import("./FrameForm"));

export default function Frames({ rest }: PageProps) {
  const texts = useTexts();
  const { can } = useSession();
  const [defining, setDefining] = useState(false);
  return (
    <section className="page" aria-label={texts.frames.title}>
      <div className="page-head">
        <h1>{texts.frames.title}</h1>
        <Segmented
          aria-label={texts.frames.title}
          value={rest === "templates" ? "templates" : "list"}
          onChange={(next) => go(next === "list" ? "/frames" : "/frames/templates")}
          options={[
            { value: "list", icon: <UnorderedListOutlined />, label: texts.frames.list },
            { value: "templates", icon: <BlockOutlined />, label: texts.frames.templates },
          ]}
        />
        <span className="grow" />
        {can("configure") && <Button icon={<PlusOutlined />} onClick={() => setDefining(true)}>{texts.frames.define}</Button>}
      </div>
      <Suspense fallback={<Waiting />}>
        {rest === "one" ? <One /> : rest === "compare" ? <Compare /> : rest === "templates" ? <Templates /> : <FrameList />}
        {defining && <Form onClose={() => setDefining(false)} />}
      </Suspense>
    </section>
  );
}
