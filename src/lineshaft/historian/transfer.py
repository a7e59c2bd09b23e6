"""Export and import of whole stores: parts in a folder, which any store reads back.

A part is a Parquet file with the columns of a batch, no bit lost. `export.json` names the parts
with their rows and a checksum of the rows' content, whatever their order: so it is seen that what
came out went in, also when the other store is of another kind.
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import SCHEMA, Batch
from lineshaft.core.errors import Invalid, Refused
from lineshaft.stores import Store

PART_ROWS_MAX = 2_000_000
BATCH_ROWS = 50_000
LIST = "export.json"
ALWAYS = (-(2**63), 2**63 - 1)

Words = npt.NDArray[np.uint64]
Progress = Callable[[int], None]
"""Is told how many rows are done."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an export."""

    file: str
    rows: int
    checksum: int
    """Sum of a checksum of each row, modulo 2^64."""


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What an export holds."""

    version: int = 1
    points: int
    rows: int
    checksum: int
    start_ns: int
    stop_ns: int
    parts: tuple[Part, ...]


def checksum_of(batch: Batch) -> int:
    """A checksum of the rows that does not depend on their order, nor on how they are cut."""
    if not len(batch):
        return 0
    paths = np.array([zlib.crc32(p.encode()) for p in batch.points], dtype=np.uint64)
    number = np.where(batch.has_number, batch.number, 0.0)
    bits = np.where(np.isnan(number), np.nan, number).view(np.uint64)
    mixed = paths[batch.index]
    for column in (
        batch.time_ns.view(np.uint64),
        bits,
        batch.has_number.astype(np.uint64) << np.uint64(32) | batch.quality,
        _texts(batch),
    ):
        mixed = _mix(mixed ^ column)
    return int(np.sum(mixed, dtype=np.uint64))


def _texts(batch: Batch) -> Words:
    found = np.zeros(len(batch), dtype=np.uint64)
    has = batch.has_text
    if has.any():
        texts = batch.text.drop_null().to_pylist()
        found[has] = [1 << 32 | zlib.crc32(t.encode()) for t in texts]
    return found


def _mix(words: Words) -> Words:
    """Every bit of a word changes half of the others (the finaliser of SplitMix64)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ words >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ words >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return words ^ words >> np.uint64(31)


async def export(
    store: Store,
    folder: Path,
    *,
    points: Sequence[str] | None = None,
    span_ns: tuple[int, int] = ALWAYS,
    progress: Progress = lambda _: None,
) -> Export:
    """Write samples of an open store into an empty folder; of all points when None.

    Raises:
        Refused: the folder is not empty.
    """
    await asyncio.to_thread(_empty, folder)
    last = await store.last(points)
    names = sorted(last.points)
    parts: list[Part] = []
    batches: list[Batch] = []
    held = 0

    async def put() -> None:
        name = f"part-{len(parts) + 1:06d}.parquet"
        parts.append(await asyncio.to_thread(_write, folder / name, list(batches)))
        batches.clear()

    if names:
        async for batch in store.scan(names, *span_ns):
            batches.append(batch)
            held += len(batch)
            if sum(map(len, batches)) >= PART_ROWS_MAX:
                await put()
            progress(held)
    if batches:
        await put()
    made = Export(
        points=len(names),
        rows=held,
        checksum=sum(p.checksum for p in parts) % 2**64,
        start_ns=span_ns[0],
        stop_ns=span_ns[1],
        parts=tuple(parts),
    )
    # The list comes last: a folder without it is an export that was broken off.
    await asyncio.to_thread((folder / LIST).write_bytes, msgspec.json.encode(made))
    return made


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Refused(f"{folder} is not empty", remedy="Name a new folder for the export.")


def _write(path: Path, batches: list[Batch]) -> Part:
    checksum = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", write_page_checksum=True) as writer:
        for batch in batches:
            writer.write_batch(batch.arrow)
            checksum += checksum_of(batch)
    rows = sum(map(len, batches))
    return Part(file=path.name, rows=rows, checksum=checksum % 2**64)


def read_list(folder: Path) -> Export:
    """The list of an export.

    Raises:
        Invalid: there is none, or it is damaged.
    """
    try:
        return msgspec.json.decode((folder / LIST).read_bytes(), type=Export)
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid(
            f"{folder} is no whole export: {error}", remedy="Name a folder that export has written."
        ) from None


async def import_(store: Store, source: Path, progress: Progress = lambda _: None) -> int:
    """Bring an export, or one Parquet file of samples, into an open store; how many rows.

    What an interrupted import has brought is replaced, not doubled.

    Raises:
        Invalid: the source is damaged, or is none.
        Unavailable: the store takes nothing now.
    """
    if await asyncio.to_thread(source.is_file):
        return await _bring(store, source, None, 0, progress)
    made = await asyncio.to_thread(read_list, source)
    done = 0
    for part in made.parts:
        done += await _bring(store, source / part.file, part, done, progress)
    await store.settle()
    return done


async def _bring(store: Store, path: Path, part: Part | None, done: int, progress: Progress) -> int:
    rows, checksum = 0, 0
    if part is not None:  # all of it is looked at before any of it goes in
        for batch in await asyncio.to_thread(lambda: list(_batches(path))):
            rows += len(batch)
            checksum += checksum_of(batch)
        if (rows, checksum % 2**64) != (part.rows, part.checksum):
            raise Invalid(
                f"{path} does not hold the rows that were exported, {rows} of {part.rows}",
                remedy="Copy the export again.",
            )
    brought = 0
    parts = _batches(path)
    while (some := await asyncio.to_thread(next, parts, None)) is not None:
        await store.append(some)
        brought += len(some)
        progress(done + brought)
    return brought


def _batches(path: Path) -> Iterator[Batch]:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for part in file.iter_batches(batch_size=BATCH_ROWS):
                yield Batch.from_table(_samples(pa.Table.from_batches([part])))
    except (OSError, pa.ArrowException) as error:
        raise Invalid(f"{path} cannot be read: {error}") from None


def _samples(table: pa.Table) -> pa.Table:
    """The columns of a batch, also from a segment's own file, which has times in two columns."""
    if "nanos" not in table.schema.names:
        return table
    time = table.column("time").combine_chunks()
    unit = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[time.type.unit]
    ns = time.view(pa.int64()).to_numpy() * np.int64(unit) + table.column("nanos").to_numpy()
    return table.drop_columns(["time", "nanos"]).append_column("time_ns", pa.array(ns))


async def check(store: Store, made: Export) -> bool:
    """Whether the store gives back what was exported, and of these points nothing else."""
    rows, checksum = 0, 0
    names = sorted((await store.last()).points)
    async for batch in _scan(store, names, (made.start_ns, made.stop_ns)):
        rows += len(batch)
        checksum += await asyncio.to_thread(checksum_of, batch)
    return (rows, checksum % 2**64) == (made.rows, made.checksum)


async def _scan(store: Store, names: list[str], span_ns: tuple[int, int]) -> AsyncGenerator[Batch]:
    if names:
        async for batch in store.scan(names, *span_ns):
            yield batch
