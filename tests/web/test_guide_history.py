"""The guide `your history in pandas, Polars and SQL` runs, and prints what it says it prints."""

import ast
import asyncio
import re
from pathlib import Path

import numpy as np

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, from_iso, to_iso

PAGE = Path(__file__).parents[2] / "docs/guide/history.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
START = "2026-03-02T06:00:00Z"
SAMPLES = 1440
PERIOD_NS = 5 * NS_PER_S
BAD = 0x808A_0000


def press() -> list[Batch]:
    """Two hours of a press: it works every other ten minutes, its oil warms up slowly."""
    time_ns = from_iso(START) + np.arange(SAMPLES) * PERIOD_NS
    minute = np.arange(SAMPLES) // 12
    working = minute // 10 % 2 == 0
    quality = np.zeros(SAMPLES, dtype=np.uint32)
    quality[[100, 900, 901]] = BAD
    values = {
        "oil_temperature": 60 + np.linspace(0, 4.7, SAMPLES),
        "strokes": np.cumsum(working),
        "mode": working,
    }
    return [
        Batch.of(
            [f"acme/hall-1/press-7/{name}"],
            np.zeros(SAMPLES, dtype=np.int32),
            time_ns,
            number=number.astype(float),
            quality=quality if name == "oil_temperature" else 0,
        )
        for name, number in values.items()
    ]


def run(url: str, token: str) -> list[tuple[str, object, object]]:
    """Run the blocks in order: of each the text, what its last line gave, and what it said."""
    stop = to_iso(from_iso(START) + SAMPLES * PERIOD_NS)
    names = {"url": url, "token": token, "start": START, "stop": stop}
    found = []
    for text in BLOCK.findall(PAGE.read_text("utf-8")):
        tree = ast.parse(text)
        last = tree.body.pop()
        exec(compile(tree, str(PAGE), "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), str(PAGE), "eval"), names)
            said = ast.literal_eval(text.rstrip().rpartition("\n# ")[2])
            found.append((text, value, said))
        else:
            exec(compile(ast.Module([last], []), str(PAGE), "exec"), names)
    names["client"].close()
    return found


async def test_the_guide_gives_what_it_says(plant):
    for batch in press():
        await plant.historian.append(batch)
    found = await asyncio.to_thread(run, plant.url, "ls_viewer")
    assert len(found) >= 8
    for text, value, said in found:
        assert value == said, text
