"""Asks a real Prometheus for the answers that `test_promql.py` compares ours with.

    python tests/historian/promql_make.py FOLDER

FOLDER holds `prometheus` and `promtool`, for instance those of Debian's package 2.42.0. The
answers go to `promql-answers.json` beside this file. Run it again after a change of the series
or of the expressions.
"""

import json
import math
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from promql_series import BASE_S, LENGTH_S, POINTS, series  # noqa: E402

from lineshaft.historian.prometheus.catalogue import labels_of  # noqa: E402

PORT = 19_190
RANGE = {"start": BASE_S - 60, "end": BASE_S + LENGTH_S + 600, "step": 193}
EXPRESSIONS = (HERE / "promql-expressions.txt").read_text("utf-8").splitlines()


def open_metrics() -> str:
    """All samples in the text that promtool takes."""
    lines = []
    samples = series()
    for point in sorted(POINTS, key=lambda p: labels_of(p)["__name__"]):
        labels = labels_of(point)
        name = labels.pop("__name__")
        inside = ",".join(f'{k}="{v}"' for k, v in labels.items())
        lines += [f"{name}{{{inside}}} {_text(v)} {ms / 1000:.3f}" for ms, v in samples[point.path]]
    return "\n".join([*lines, "# EOF", ""])


def _text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value).replace("inf", "Inf")


@contextmanager
def serving(tools: Path, folder: Path):
    """A Prometheus that holds the series."""
    text = folder / "series.txt"
    text.write_text(open_metrics())
    data = folder / "data"
    made = [tools / "promtool", "tsdb", "create-blocks-from", "openmetrics", text, data]
    subprocess.run(made, check=True)
    config = folder / "prometheus.yml"
    config.write_text("global:\n  evaluation_interval: 1m\n")
    started = subprocess.Popen(
        [
            tools / "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{PORT}",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                if httpx.get(f"http://127.0.0.1:{PORT}/-/ready").is_success:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        yield httpx.Client(base_url=f"http://127.0.0.1:{PORT}/api/v1")
    finally:
        started.terminate()
        started.wait()


def main(tools: Path) -> None:
    """Ask every expression, at one time and over the range, and write down what came."""
    answers = []
    with tempfile.TemporaryDirectory() as folder, serving(tools, Path(folder)) as http:
        source = http.get("/status/buildinfo").json()["data"]["version"]
        for text in EXPRESSIONS:
            if not text or text.startswith("#"):
                continue
            at = {"query": text, "time": BASE_S + 3000}
            asked = {"query": text, **RANGE}
            answers.append(
                {
                    "query": text,
                    "instant": http.get("/query", params=at).json(),
                    "range": http.get("/query_range", params=asked).json(),
                }
            )
    told = {"source": f"Prometheus {source}", "time": BASE_S + 3000, "range": RANGE}
    lines = ",\n".join(json.dumps(a, separators=(",", ":")) for a in answers)
    head = json.dumps(told)[:-1]
    (HERE / "promql-answers.json").write_text(f'{head}, "answers": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main(Path(sys.argv[1]))
