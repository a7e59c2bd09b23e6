"""What memory and how many open files a store takes, in a process of its own.

`memory` takes rows in, settles and asks for them in every way, and tells the most memory that the
process ever had. `files` asks a folder of many segments with few files allowed to be open.

    python benchmarks/bounds.py memory FOLDER [--rows N] [--json]
    python benchmarks/bounds.py files FOLDER [--files-max N] [--json]
"""

import argparse
import asyncio
import json
import resource
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.stores import Store
from workload import T0, reference

SETTINGS = {"memory_mb": 128, "cache_mb": 32, "buffer_rows_max": 200_000, "readers": 2}
"""What docs/guide/store.md names for a machine of 512 MiB."""
ALWAYS = (-(2**63), 2**63 - 1)
POINTS = 500


async def memory(folder: Path, rows: int) -> dict[str, float]:
    """Ingest and queries; the peak of the resident memory."""
    names = [f"acme/hall/line-{i // 100}/press-{i % 100}/signal" for i in range(POINTS)]
    dictionary = pa.array(names)
    store = build(Store, {"kind": "parquet", "path": str(folder), **SETTINGS})
    async with store.opened():
        done = 0
        part = 20
        for begin in range(0, rows // POINTS, part):
            point, time_ns, number, quality = reference(POINTS, part, seed=begin)
            time_ns = time_ns + begin * 5_000_000_000
            await store.append(Batch.of(dictionary, point, time_ns, number=number, quality=quality))
            done += len(point)
        await store.settle()
        async with asyncio.TaskGroup() as group:
            for i in range(4):
                group.create_task(store.read(names[i::8], *ALWAYS), name=f"read {i}")
        for name in names[:50]:
            await store.read([name], *ALWAYS)
        await store.read(names, T0, T0 + 600 * 1_000_000_000)
        await store.summaries(names, T0 + np.arange(0, 7200, 60) * 1_000_000_000)
        counted = await store.count(names, *ALWAYS)
        scanned = 0
        async for batch in store.scan(names, *ALWAYS):
            scanned += len(batch)
    return {"appended": done, "rows": counted, "scanned": scanned, "peak_mib": peak_mib()}


def peak_mib() -> int:
    """The most memory that this program ever had; `ru_maxrss` counts its parent's before `exec`."""
    status = Path("/proc/self/status").read_text()
    (line,) = (x for x in status.splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


async def files(folder: Path, files_max: int) -> dict[str, float]:
    """Questions to all segments; the most files that were open at once."""
    store = build(Store, {"kind": "parquet", "path": str(folder), **SETTINGS})
    most = 0
    ended = threading.Event()

    def look() -> None:
        nonlocal most
        while not ended.wait(0.002):
            most = max(most, sum(1 for _ in Path("/proc/self/fd").iterdir()))

    async with store.opened():
        resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
        names = sorted((await store.last()).points)
        watcher = threading.Thread(target=look)
        watcher.start()
        async with asyncio.TaskGroup() as group:
            reads = [
                group.create_task(store.read(names[i::4], *ALWAYS), name=f"read {i}")
                for i in range(4)
            ]
        one = await store.read(names[:1], *ALWAYS)
        counted = await store.count(names, *ALWAYS)
        await store.summaries(names, np.array([T0 - 2**60, T0 + 2**60]))
        ended.set()
        watcher.join()
    rows = sum(len(r.result()) for r in reads)
    return {"rows": rows, "one": len(one), "counted": counted, "most_open": most}


def main() -> None:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["memory", "files"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--files-max", type=int, default=256)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    given = parser.parse_args()
    work = (
        memory(given.folder, given.rows)
        if given.what == "memory"
        else files(given.folder, given.files_max)
    )
    found = asyncio.run(work)
    print(json.dumps(found) if given.json else "\n".join(f"{k}: {v}" for k, v in found.items()))


if __name__ == "__main__":
    main()
