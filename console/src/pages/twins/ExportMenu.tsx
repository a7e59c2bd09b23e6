/** A shell with its submodels, or a submodel, as a file. */
import { DownloadOutlined } from "@ant-design/icons";
import { App, Button, Dropdown } from "antd";
import { useState } from "react";
import { saveAs } from "../../http";
import { explain } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { twins, type TwinFormat } from "./twins-api";

const FORMATS: readonly TwinFormat[] = ["aasx", "json", "xml"];

export function ExportMenu(props: { ids: readonly string[]; name: string }) {
  const texts = useTexts();
  const t = texts.twins;
  const { message } = App.useApp();
  const [busy, setBusy] = useState(false);
  const save = async (format: TwinFormat) => {
    setBusy(true);
    try {
      saveAs(await twins.exported(props.ids, format), `${props.name}.${format}`);
    } catch (error) {
      void message.error(explain(error, texts).sentence);
    }
    setBusy(false);
  };
  return (
    <Dropdown
      trigger={["click"]}
      menu={{ items: FORMATS.map((f) => ({ key: f, label: t.formats[f] })), onClick: ({ key }) => void save(key as TwinFormat) }}
    >
      <Button icon={<DownloadOutlined />} loading={busy}>{t.export}</Button>
    </Dropdown>
  );
}
