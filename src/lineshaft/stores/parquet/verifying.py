"""Verifying: every file of a folder is read and held against what the manifest says of it."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid, SettingsError
from lineshaft.core.flow import assert_off_loop
from lineshaft.stores import Finding, Verified
from lineshaft.stores.parquet import manifest as manifests
from lineshaft.stores.parquet.files import checksum
from lineshaft.stores.parquet.log import replay
from lineshaft.stores.parquet.manifest import (
    LOGS,
    MANIFEST,
    QUARANTINE,
    SEGMENTS,
    Manifest,
    Rollup,
    Segment,
)
from lineshaft.stores.parquet.quarantine import parts, problem_of
from lineshaft.stores.parquet.rows import Names
from lineshaft.stores.parquet.shape import NS, time_columns


def nothing() -> None:
    """Go on."""


class Check:
    """One look at all files of a folder, as of one manifest."""

    def __init__(self, folder: Path, step: Callable[[], None] = nothing) -> None:
        """`step` is called before each file; by raising it breaks the check off."""
        self.damaged: dict[str, str] = {}
        """Files of segments and roll-ups that are not what the manifest says, and why."""
        self._folder = folder
        self._step = step
        self._files = 0
        self._bytes = 0
        self._findings: list[Finding] = []

    def result(self) -> Verified:
        """What was found."""
        findings = tuple(sorted(self._findings, key=lambda f: f.file))
        return Verified(files=self._files, bytes=self._bytes, findings=findings)

    def of(self, manifest: Manifest) -> Verified:
        """Look at all that the manifest names, at the logs, and at what was put aside."""
        assert_off_loop()
        for part in parts((*manifest.segments, *manifest.thinned)):
            self._step()
            self._part(part)
        if manifest.last:
            self._last(manifest)
        for path in sorted((self._folder / LOGS).glob("*")):
            self._step()
            self._log(path, manifest.log_from)
        for damaged in manifest.damaged:
            self._found(Path(QUARANTINE, damaged.file), f"was put aside: it {damaged.problem}")
        return self.result()

    def manifest(self) -> Manifest | None:
        """The manifest on the disk; None when it cannot be used."""
        path = self._folder / MANIFEST
        if not path.exists():
            self._found(Path(MANIFEST), "is missing")
            return None
        self._count(path)
        try:
            return manifests.load(self._folder)
        except SettingsError as error:
            self._found(Path(MANIFEST), str(error))
            return None

    def _part(self, part: Segment | Rollup) -> None:
        path = self._folder / SEGMENTS / part.file
        problem = problem_of(path, part, deep=True)
        if not problem and isinstance(part, Segment):
            problem = _footer(path, part)
        if problem:
            self.damaged[part.file] = problem
            self._found(Path(SEGMENTS, part.file), problem)
        self._count(path)

    def _last(self, manifest: Manifest) -> None:
        path = self._folder / manifest.last
        try:
            data = path.read_bytes()
            Batch.from_ipc(data)
        except FileNotFoundError:
            # It is made anew with every settling, and at opening.
            if manifests.load(self._folder).last == manifest.last:
                self._found(Path(manifest.last), "is missing; the next opening makes it anew")
            return
        except Invalid as error:
            self._found(Path(manifest.last), f"{error}; the next opening makes it anew")
            return
        _, crc = checksum(path)
        if manifest.last_crc not in (None, crc):
            self._found(Path(manifest.last), "does not fit its checksum")
        self._count(path)

    def _log(self, path: Path, log_from: int) -> None:
        if path.suffix == ".corrupt":
            self._found(Path(LOGS, path.name), "was put aside, a record in it being broken")
        elif path.suffix == ".log" and int(path.stem) >= log_from:
            try:
                found = replay(path, int(path.stem), Names())
            except FileNotFoundError:
                return  # settled meanwhile
            except SettingsError as error:
                self._found(Path(LOGS, path.name), str(error))
                return
            if found.corrupt_at is not None:
                self._found(Path(LOGS, path.name), f"is broken at byte {found.corrupt_at}")
            self._count(path)

    def _count(self, path: Path) -> None:
        self._files += 1
        self._bytes += path.stat().st_size if path.exists() else 0

    def _found(self, file: Path, problem: str) -> None:
        self._findings.append(Finding(file=str(file), problem=problem))


def _footer(path: Path, segment: Segment) -> str:
    """What in a file's footer does not fit the manifest."""
    try:
        meta = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        return f"cannot be read: {error}"
    if meta.num_rows != segment.rows:
        return f"has {meta.num_rows} rows, wanted {segment.rows}"
    names = [meta.schema.column(i).path for i in range(meta.num_columns)]
    at = names.index(time_columns(names)[0])
    stats = [meta.row_group(i).column(at).statistics for i in range(meta.num_row_groups)]
    if not stats or any(s is None or not s.has_min_max for s in stats):
        return ""
    # What the column of nanoseconds adds is less than one of its units.
    unit = NS[segment.unit]
    span = min(s.min_raw for s in stats), max(s.max_raw for s in stats)
    wanted = segment.time_min // unit, segment.time_max // unit
    if span == wanted:
        return ""
    return (
        f"holds times from {span[0]} to {span[1]} {segment.unit}, wanted {wanted[0]}, {wanted[1]}"
    )
