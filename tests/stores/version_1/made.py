"""What the folder in `store.tar.gz` was filled with, by the program that wrote version 1.

Four settlings over three days, among them a late row and a replaced one, and a log that was not
settled when the power went. Run by that program, this file makes the archive.
"""

import asyncio
import sys
import tarfile
import tempfile
from pathlib import Path

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.plugin import build
from lineshaft.stores import Store

T0 = 1_760_000_000_000_000_000
DAY = 86_400_000_000_000
S = 1_000_000_000


def batches() -> list[list[Sample]]:
    """Five batches: four were settled one by one, the last stands in the log."""
    names = [f"acme/hall/line-{i % 2}/press-{i}" for i in range(6)]
    first = [Sample(n, T0 + i * 5 * S, i + 0.25 * len(n)) for n in names for i in range(200)]
    first += [Sample(names[1], T0 + 2001 * S + i * 5 * S + i * 1000, i / 8) for i in range(50)]
    second = [Sample(n, T0 + DAY + i * S + i * 7, float(i)) for n in names[:3] for i in range(100)]
    second += [
        Sample("t/state", T0 + DAY, "überall 汉字 ' \\"),
        Sample("t/state", T0 + DAY + 1, None, 0x8005_0000),
        Sample("t/big", T0 + DAY, 2**60 + 1),
        Sample("t/edges", -(2**63), 1.0),
        Sample("t/edges", 2**63 - 2, 2.0),
        Sample("t/nan", T0, float("nan")),
        Sample("t/codes", T0, 1.0, 0xFFFF_FFFF),
        Sample("t/codes", T0 + 1, 2.0, 0x4000_0000),
    ]
    late = [Sample(names[0], T0 + 7 * S, -1.0), Sample(names[0], T0 + 5 * S, -2.0)]
    fourth = [Sample(n, T0 + 2 * DAY + i * 5 * S, 1.0) for n in names for i in range(20)]
    hot = [Sample(names[0], T0 + 2 * DAY + 5 * S, "now text"), Sample("hot", T0 + 2 * DAY, 9.0)]
    return [first, second, late, fourth, hot]


async def _fill(archive: Path) -> None:
    folder = Path(tempfile.mkdtemp()) / "store"
    store = build(Store, {"kind": "parquet", "path": str(folder)})
    async with store.opened():
        *settled, hot = batches()
        for batch in settled:
            await store.append(Batch.of_rows(batch))
            await store.settle()
        await store.append(Batch.of_rows(hot))
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(folder, "store")


if __name__ == "__main__":
    asyncio.run(_fill(Path(sys.argv[1])))
