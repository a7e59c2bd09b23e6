/** The visible span as a file: every sample, or just what is drawn. */
import { DownloadOutlined } from "@ant-design/icons";
import { App, Button, Dropdown } from "antd";
import { FILE_NAMES, fileOfDrawn, rawFile, type FileFormat } from "../../history";
import { saveAs } from "../../http";
import { useFormat } from "../../format";
import { explain } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { windowOf, type TrendState } from "./trend-state";

const FORMATS = Object.keys(FILE_NAMES) as FileFormat[];

export function ExportMenu({ state, interval }: { state: TrendState; interval: string }) {
  const texts = useTexts();
  const format = useFormat();
  const { message } = App.useApp();
  const { points, aggregate } = state;
  // Made when the menu is opened, so that a trend that follows gives what is seen now.
  const items = () => {
    const [start, stop] = windowOf(state);
    const drawn = async (file: FileFormat) => {
      const close = message.loading(texts.trend.exporting, 0);
      try {
        const name = `trend-${new Date(start).toISOString().slice(0, 19).replaceAll(":", "")}.${file}`;
        saveAs(await fileOfDrawn(points, { start, stop }, aggregate, interval, file), name);
      } catch (error) {
        const { sentence, remedy } = explain(error, texts);
        void message.error(`${sentence} ${remedy}`);
      }
      close();
    };
    return [
      {
        type: "group" as const,
        label: texts.trend.exportWhat(format.time(start), format.time(stop)),
        children: [],
      },
      {
        type: "group" as const,
        label: texts.trend.rawValues,
        children: FORMATS.map((file) => ({
          key: `raw ${file}`,
          label: <a href={rawFile(points, { start, stop }, file)} download>{FILE_NAMES[file]}</a>,
        })),
      },
      {
        type: "group" as const,
        label: texts.trend.shownValues,
        children: FORMATS.map((file) => ({
          key: `drawn ${file}`,
          label: FILE_NAMES[file],
          onClick: () => void drawn(file),
        })),
      },
    ];
  };
  return (
    <Dropdown trigger={["click"]} disabled={!points.length} menu={{ items: items() }}>
      <Button icon={<DownloadOutlined />}>{texts.trend.export}</Button>
    </Dropdown>
  );
}
