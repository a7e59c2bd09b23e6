"""A Parquet store in a folder, and what its tests do with it."""

import asyncio
import shutil
from pathlib import Path

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.plugin import find
from lineshaft.stores.parquet.files import Files
from lineshaft.testing.oracle import Oracle

T0 = 1_760_000_000_000_000_000
DAY = 86_400_000_000_000
Parquet = find("stores", "parquet")


def make(folder: Path, files: Files | None = None, **table):
    config = Parquet.Config(path=str(folder), memory_mb=128, readers=2, **table)
    return Parquet("store", config, files=files)


def rows(point: str, *times: int, value: float = 1.0) -> list[Sample]:
    return [Sample(point, T0 + t, value + t) for t in times]


async def put(store, oracle: Oracle, samples: list[Sample]) -> None:
    await store.append(Batch.of_rows(samples))
    oracle.append(samples)


def crash(folder: Path) -> Path:
    """The folder as a power cut would leave it now."""
    copy = folder.with_name(folder.name + "-after")
    shutil.copytree(folder, copy)
    return copy


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)
