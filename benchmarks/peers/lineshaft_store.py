"""Lineshaft's own store, through its Python API in this process."""

import asyncio

import numpy as np
import pyarrow as pa

import lineshaft
from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.stores import Store
from peers import MINUTE_NS, Columns, Peer

MERGED_WITHIN_S = 600


class Lineshaft(Peer):
    """Every batch is in the log, on the disk, when it is acknowledged."""

    name = "Lineshaft"

    def version(self) -> str:
        return f"Lineshaft {lineshaft.__version__}, in process"

    def start(self) -> None:
        self._names = pa.array(self.points, pa.string())
        self._runner = asyncio.Runner()
        self.store: Store = build(Store, {"kind": "parquet", "path": str(self.folder / "store")})
        self._open = self.store.opened()
        self.run(self._open.__aenter__())

    def run(self, work):
        """The result of a coroutine."""
        return self._runner.run(work)

    def prepare(self, rows: Columns) -> Batch:
        return Batch.of(
            self._names, rows.point, rows.time_ns, number=rows.number, quality=rows.quality
        )

    def ingest(self, prepared: object) -> None:
        self.run(self.store.append(prepared))

    def settle(self) -> None:
        self.run(self._settle())

    async def _settle(self) -> None:
        await self.store.settle()
        steady, before = 0, -1.0
        async with asyncio.timeout(MERGED_WITHIN_S):
            while steady < 4:  # merging goes on by itself; wait until the files stay as they are
                await asyncio.sleep(1)
                now = self.store.health().figures["segments"]
                steady = steady + 1 if now == before else 0
                before = now

    def size(self) -> int:
        return int(self.store.health().figures["segment_bytes"])

    def last(self, point: int) -> int:
        return len(self.run(self.store.last([self.points[point]])))

    def raw(self, point: int, start_ns: int, stop_ns: int) -> int:
        return len(self.run(self.store.read([self.points[point]], start_ns, stop_ns)))

    def minutes(self, points: list[int] | None, start_ns: int, stop_ns: int) -> int:
        names = self.points if points is None else [self.points[p] for p in points]
        edges = np.arange(start_ns, stop_ns + 1, MINUTE_NS)
        columns = ("sum", "usable", "min", "max")
        return self.run(self.store.summaries(names, edges, columns=columns)).num_rows

    def stop(self) -> None:
        self.run(self._open.__aexit__(None, None, None))
        self._runner.close()
