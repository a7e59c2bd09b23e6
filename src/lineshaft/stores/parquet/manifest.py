"""The manifest names the segments that count; what it does not name is not there.

`manifest.json` is put in place by one rename. Who reads the folder without us goes by it too:
a file that was merged into another stays on the disk some minutes longer, and would be read
twice by a pattern over names.
"""

import os
import zlib
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import msgspec
from msgspec.structs import replace

from lineshaft.core.errors import SettingsError
from lineshaft.stores.parquet.files import Files

VERSION = 2
"""Version of the folder's layout and of the segments' columns."""
MANIFEST = "manifest.json"
SEGMENTS = "segments"
LOGS = "log"
QUARANTINE = "quarantine"


class Rollup(msgspec.Struct, frozen=True, kw_only=True):
    """The roll-ups of a segment: one Parquet file with summaries by level; see `rollups`."""

    file: str
    """Name below the folder `segments`."""
    bytes: int
    crc: int


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One Parquet file, sorted by point and time; no two hold the same (point, time_ns)."""

    file: str
    """Name below the folder `segments`."""
    day: str
    """UTC day of its first row."""
    rows: int
    bytes: int
    time_min: int
    """Nanoseconds of the oldest row."""
    time_max: int
    """Nanoseconds of the newest row."""
    crc: int | None = None
    """CRC-32 of the whole file; none in folders written before it was kept."""
    tail_bytes: int = 0
    """How many bytes at its end, index and footer, `tail_crc` is the CRC-32 of."""
    tail_crc: int = 0
    version: int = 1
    """Version of its format; those of version 1 did not tell."""
    unit: str = "ns"
    """`ms` or `us` when it has the columns `time` in this unit and `nanos`; else `time_ns`."""
    rollup: Rollup | None = None
    """None when it is too small to need one, or was written before there were any."""

    branch: str | None = None
    """Of the rule that keeps all of its samples, if it was written for one."""

    def files(self) -> tuple[str, ...]:
        """Names of its files."""
        return (self.file, self.rollup.file) if self.rollup else (self.file,)


class Thinned(msgspec.Struct, frozen=True, kw_only=True):
    """A segment whose samples were deleted by retention, while its roll-ups stay."""

    day: str
    rows: int
    """How many samples it held."""
    time_min: int
    time_max: int
    rollup: Rollup


class Retired(msgspec.Struct, frozen=True, kw_only=True):
    """A file that counts no more; it is deleted when readers are done with it."""

    file: str
    since_ns: int


class Damaged(msgspec.Struct, frozen=True, kw_only=True):
    """A segment that could not be read and was put into the folder `quarantine`."""

    file: str
    rows: int
    """How many rows it held."""
    time_min: int
    time_max: int
    problem: str
    since_ns: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the folder holds, as of one generation."""

    version: int = VERSION
    store: str = ""
    """Tells this store from all others; its backups carry it too."""
    generation: int = 0
    """Rises with every change."""
    log_from: int = 1
    """Log files numbered below are in segments already."""
    last: str = ""
    """Name of the file with the newest sample of each point."""
    segments: tuple[Segment, ...] = ()
    retired: tuple[Retired, ...] = ()
    thinned: tuple[Thinned, ...] = ()
    last_crc: int | None = None
    """CRC-32 of the file `last`."""
    damaged: tuple[Damaged, ...] = ()
    """Segments that are missed; each until its file is taken out of the folder `quarantine`."""
    numbered: int = 0
    """The highest number that a file had, gone or not: a backup may know it still."""
    checksum: int = 0
    """CRC-32 of this document, without spaces, with 0 in this place."""

    def files(self) -> set[str]:
        """Names of all files in the folder `segments` that belong there."""
        names = {name for s in self.segments for name in s.files()}
        names |= {t.rollup.file for t in self.thinned}
        return names | {r.file for r in self.retired}


def number_of(file: str) -> int:
    """The number that a file in the folder `segments` is named by."""
    return int(file.partition(".")[0])


def without(manifest: Manifest, files: set[str]) -> Manifest:
    """The manifest that misses these files."""
    segments = [s for s in manifest.segments if s.file not in files]
    return replace(
        manifest,
        generation=manifest.generation + 1,
        segments=tuple(spared(s, files) for s in segments),
        thinned=tuple(t for t in manifest.thinned if t.rollup.file not in files),
    )


def spared(segment: Segment, files: set[str]) -> Segment:
    """The segment without its roll-ups, if their file is one of these."""
    if segment.rollup is None or segment.rollup.file not in files:
        return segment
    return replace(segment, rollup=None)


def load(folder: Path) -> Manifest:
    """The manifest of a folder, an empty one when there is none yet.

    Raises:
        SettingsError: it is of a newer version, or cannot be understood.
    """
    path = folder / MANIFEST
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        _refuse_headless(folder)
        return Manifest()
    try:
        known = msgspec.json.decode(data, type=_Versioned)
        newest = max([known.version, *(s.version for s in known.segments)])
        if newest > VERSION:
            raise SettingsError(
                f"store folder {folder} has version {newest}, this program knows {VERSION}",
                remedy="Run the newer Lineshaft that wrote it, or give the store another path.",
            )
        manifest = msgspec.json.decode(data, type=Manifest)
        sound = manifest.checksum in (0, checksum_of(data))
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"{path} is no manifest: {error}",
            remedy="Restore it from a backup; the segments beside it are unharmed.",
        ) from None
    if not sound:
        raise SettingsError(
            f"{path} does not fit its checksum: the disk, or somebody, has changed it",
            remedy="Restore it from a backup; the segments beside it are unharmed.",
        )
    # What is written from now on is of our version, whatever is there.
    return replace(manifest, version=VERSION)


def checksum_of(data: bytes) -> int:
    """What the field `checksum` of a manifest should be, whatever version wrote it."""
    return zlib.crc32(msgspec.json.encode(msgspec.json.decode(data) | {"checksum": 0}))


class _SegmentVersion(msgspec.Struct):
    version: int = 1


class _Versioned(msgspec.Struct):
    version: int
    segments: list[_SegmentVersion] = []


def _refuse_headless(folder: Path) -> None:
    """Segments without a manifest are a manifest that got lost, not an empty store."""
    if any((folder / SEGMENTS).glob("*.parquet")):
        raise SettingsError(
            f"store folder {folder} has segments but no {MANIFEST}",
            remedy="Restore the manifest from a backup, or give the store an empty path.",
        )


def commit(files: Files, folder: Path, manifest: Manifest) -> None:
    """Have the manifest on the disk; from now on it is what the folder holds."""
    manifest = replace(
        manifest, checksum=zlib.crc32(msgspec.json.encode(replace(manifest, checksum=0)))
    )
    files.write_whole(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))


def lock(folder: Path) -> int:
    """Descriptor of the folder's lock, which ends with the process that holds it.

    Raises:
        SettingsError: another process holds it.
    """
    path = folder / "lock"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise SettingsError(
            f"store folder {folder} cannot be written to: {error.strerror}",
            remedy="See that the disk is not read-only, and that this user may write there.",
        ) from error
    try:
        flock(fd, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(fd)
        raise SettingsError(
            f"store folder {folder} is in use by process {holder}",
            remedy="Stop that process, or give this store another path.",
        ) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd
