"""Quarantine: a damaged segment is put aside and named, and the rest is served.

The file goes into the folder `quarantine`; for one that is gone, a note takes its place there.
The manifest names what is missed until somebody has taken that file or note away.
"""

import errno
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from lineshaft.core.clock import now_ns, to_iso
from lineshaft.stores.parquet import manifest as manifests
from lineshaft.stores.parquet.files import Files, checksum
from lineshaft.stores.parquet.manifest import (
    QUARANTINE,
    SEGMENTS,
    Damaged,
    Rollup,
    Segment,
    Thinned,
    without,
)
from lineshaft.stores.parquet.state import State

MAGIC = b"PAR1"
GONE = {errno.EIO, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ESTALE, errno.EUCLEAN}
"""What the kernel says of a file that is damaged or gone, rather than of a machine in need."""


def problem_of(path: Path, segment: Segment | Rollup, *, deep: bool = False) -> str:
    """What is wrong with the file of a segment or of its roll-ups; empty when nothing is found.

    Not deep looks at its size and both ends only; deep reads all of it.

    Raises:
        OSError: it cannot be told now.
    """
    try:
        return _ends(path, segment) or (_content(path, segment) if deep else "")
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        if error.errno in GONE:
            return f"cannot be read: {error.strerror}"
        raise


def _ends(path: Path, segment: Segment | Rollup) -> str:
    with path.open("rb") as file:
        head = file.read(len(MAGIC))
        size = file.seek(0, 2)
        file.seek(max(size - len(MAGIC), 0))
        tail = file.read()
        if size != segment.bytes:
            return f"has {size} bytes, wanted {segment.bytes}"
        if not head == tail == MAGIC:
            return "is no Parquet file"
        # A footer with one wrong bit may end the process that reads by it.
        if isinstance(segment, Segment) and segment.tail_bytes:
            file.seek(-segment.tail_bytes, os.SEEK_END)
            if zlib.crc32(file.read()) != segment.tail_crc:
                return "has a damaged footer"
    return ""


def _content(path: Path, segment: Segment | Rollup) -> str:
    if isinstance(segment, Rollup) or segment.crc is not None:
        _, crc = checksum(path)
        return "" if crc == segment.crc else "does not fit its checksum: bits of it have changed"
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            rows = sum(b.num_rows for b in file.iter_batches())
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, *GONE):
            raise
        return f"cannot be decoded: {error}"
    return "" if rows == segment.rows else f"has {rows} rows, wanted {segment.rows}"


class Quarantine:
    """Puts damaged segments aside."""

    def __init__(self, state: State, files: Files, folder: Path) -> None:
        self._state = state
        self._files = files
        self._folder = folder / QUARANTINE
        self._segments = folder / SEGMENTS

    def look(self, among: Iterable[Segment | Thinned], *, deep: bool = False) -> dict[str, str]:
        """The damaged ones among the files of these, and what is wrong with each.

        Raises:
            OSError: it cannot be told now.
        """
        found = {p.file: problem_of(self._segments / p.file, p, deep=deep) for p in parts(among)}
        return {file: problem for file, problem in found.items() if problem}

    def open(self) -> None:
        """Put aside what is plainly damaged, and tell what is still missed from before."""
        state = self._state
        for damaged in state.manifest.damaged:
            # One that was missing and came back: newer rows may have taken its place by now.
            if (self._segments / damaged.file).exists():
                self._set_aside(damaged)
                self._files.delete(_note(self._folder / damaged.file))
        missed = tuple(d for d in state.manifest.damaged if self._is_there(d.file))
        state.manifest = replace(state.manifest, damaged=missed)
        for damaged in missed:
            self._tell(damaged)
        self.put_away(self.look((*state.manifest.segments, *state.manifest.thinned)))

    def put_away(self, found: dict[str, str]) -> None:
        """Take damaged files out of the manifest. Only who writes the manifest calls this.

        Roll-ups whose samples are there are given up: merging makes them anew.

        When the disk takes no change they are passed over nevertheless, until the next opening.
        """
        state = self._state
        damaged = self._damaged(found)
        spoilt = [s.rollup.file for s in state.manifest.segments if s.rollup]
        spoilt = [file for file in spoilt if file in found]
        if not (damaged or spoilt):
            return
        with state.lock:
            fresh = [d for d in damaged if d.file not in state.skipped]
            state.skipped |= {d.file for d in damaged} | set(spoilt)
        for one in fresh:
            self._tell(one)
        new = without(state.manifest, {d.file for d in damaged} | set(spoilt))
        new = replace(new, damaged=(*new.damaged, *damaged))
        for one in damaged:
            self._set_aside(one)
        manifests.commit(self._files, self._folder.parent, new)
        with state.lock:
            state.manifest = new
            state.skipped -= {d.file for d in damaged} | set(spoilt)
            if spoilt:
                spoilt_before = state.figures.get("damaged_rollups", 0)
                state.figures["damaged_rollups"] = spoilt_before + len(spoilt)
        for file in spoilt:
            self._files.delete(self._segments / file)

    def _damaged(self, found: dict[str, str]) -> list[Damaged]:
        """The segments, and roll-ups without samples, among damaged files."""
        manifest, now = self._state.manifest, now_ns()
        named: list[tuple[str, Segment | Thinned]] = [(s.file, s) for s in manifest.segments]
        named += [(t.rollup.file, t) for t in manifest.thinned]
        return [
            Damaged(
                file=file,
                rows=part.rows,
                time_min=part.time_min,
                time_max=part.time_max,
                problem=found[file],
                since_ns=now,
            )
            for file, part in named
            if file in found
        ]

    def _set_aside(self, damaged: Damaged) -> None:
        self._files.make_folder(self._folder)
        old, new = self._segments / damaged.file, self._folder / damaged.file
        if old.exists():
            self._files.move(old, new)
        elif not new.exists():
            self._files.write_whole(_note(new), f"{_sentence(damaged)}\n".encode())

    def _is_there(self, name: str) -> bool:
        path = self._folder / name
        return path.exists() or _note(path).exists()

    def _tell(self, damaged: Damaged) -> None:
        state = self._state
        with state.lock:
            state.notes.append(
                f"{_sentence(damaged)}: check the disk, bring its rows back from a backup with"
                f" `lineshaft store import`, then take it out of {self._folder}"
            )
            for name, more in (("damaged_segments", 1), ("damaged_rows", damaged.rows)):
                state.figures[name] = state.figures.get(name, 0) + more


def parts(among: Iterable[Segment | Thinned]) -> Iterator[Segment | Rollup]:
    """What has a file of its own."""
    for one in among:
        if isinstance(one, Segment):
            yield one
        if one.rollup is not None:
            yield one.rollup


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".missing")


def _sentence(damaged: Damaged) -> str:
    first, last = _iso(damaged.time_min), _iso(damaged.time_max)
    return (
        f"segment {damaged.file} with {damaged.rows} rows from {first} to {last} {damaged.problem}"
    )


def _iso(time_ns: int) -> str:
    try:
        return to_iso(time_ns)
    except (ValueError, OverflowError):
        return f"{time_ns} ns"
