"""Backup: a second folder of the same layout, brought up to date by the files that are new.

Segments never change, so a file that is there already with the same checksum stays. The
manifest comes last: a backup that was broken off is the one before it. A backup is a store
folder without logs, as all that was acknowledged is settled first.
"""

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from lineshaft.core.errors import Refused, SettingsError
from lineshaft.core.flow import assert_off_loop
from lineshaft.stores import Finding, Verified
from lineshaft.stores.parquet import manifest as manifests
from lineshaft.stores.parquet.files import Files, checksum
from lineshaft.stores.parquet.manifest import (
    LOGS,
    MANIFEST,
    SEGMENTS,
    Manifest,
    Rollup,
    Segment,
    without,
)
from lineshaft.stores.parquet.quarantine import parts
from lineshaft.stores.parquet.verifying import Check, nothing

MARK = "restoring"
"""Stands in a folder while a backup is brought into it."""
CHUNK_BYTES = 4 << 20


class Copy:
    """Brings one folder up to the state of another."""

    def __init__(
        self, files: Files, source: Path, target: Path, step: Callable[[], None] = nothing
    ) -> None:
        """`step` is called before each file; by raising it breaks the copy off."""
        assert_off_loop()
        self.damaged: dict[str, str] = {}
        """Files of the source that are not what its manifest says."""
        self._files = files
        self._source = source
        self._target = target
        self._step = step
        self._copied: list[int] = []
        for part in (SEGMENTS, LOGS):
            files.make_folder(target / part)

    def bring(self, manifest: Manifest, last: bytes) -> Verified:
        """Have the target hold what the manifest names, and the file of newest samples.

        Raises:
            Refused: the target holds the files of another history.
            OSError: a disk does not take it; the target is as before.
        """
        before = _manifest(self._target)
        if before and before.store and before.store != manifest.store:
            raise Refused(
                f"{self._target} is the backup of another store",
                remedy="Give the backup an empty folder.",
            )
        known = {p.file: p for p in _parts(before)} if before else {}
        sums: dict[str, int] = {}
        for part in _parts(manifest):
            self._step()
            crc = self._part(part, known.get(part.file))
            if crc is not None:
                sums[part.file] = crc
        self._files.sync_path(self._target / SEGMENTS)
        if manifest.last:
            self._files.write_whole(self._target / manifest.last, last)
        new = without(manifest, {p.file for p in _parts(manifest) if p.file not in sums})
        new = replace(
            new,
            generation=manifest.generation,
            segments=tuple(replace(s, crc=sums[s.file]) for s in new.segments),
            retired=(),
            damaged=(),
        )
        manifests.commit(self._files, self._target, new)
        self._tidy(new)
        findings = [
            Finding(file=f"{SEGMENTS}/{file}", problem=problem)
            for file, problem in self.damaged.items()
        ]
        return Verified(files=len(self._copied), bytes=sum(self._copied), findings=tuple(findings))

    def _part(self, segment: Segment | Rollup, known: Segment | Rollup | None) -> int | None:
        """Checksum of the file that is in the target now; None when the source has lost it."""
        old, new = (f / SEGMENTS / segment.file for f in (self._source, self._target))
        try:
            crc = segment.crc if segment.crc is not None else checksum(old)[1]
        except FileNotFoundError:
            self.damaged[segment.file] = "is missing"
            return None
        if known is not None and (known.crc, known.bytes) != (crc, segment.bytes):
            raise Refused(
                f"{new} is of another history than {old}",
                remedy="Give the backup an empty folder.",
            )
        if known is not None and new.exists() and new.stat().st_size == segment.bytes:
            return crc
        fresh = new.with_name(new.name + ".new")
        self._files.delete(fresh)
        try:
            with old.open("rb") as data, self._files.sink(fresh) as sink:
                while chunk := data.read(CHUNK_BYTES):
                    sink.write(chunk)
        except FileNotFoundError:
            self.damaged[segment.file] = "is missing"
            return None
        if (sink.size, sink.crc) != (segment.bytes, crc):
            self._files.delete(fresh)
            self.damaged[segment.file] = "does not fit its checksum: bits of it have changed"
            return None
        self._files.sync_path(fresh)
        self._files.rename(fresh, new)
        self._copied.append(sink.size)
        return crc

    def _tidy(self, manifest: Manifest) -> None:
        """Delete what the target holds no more."""
        named = manifest.files()
        gone = [p for p in (self._target / SEGMENTS).iterdir() if p.name not in named]
        gone += [p for p in self._target.glob("last-*.arrow*") if p.name != manifest.last]
        for path in gone:
            self._files.delete(path)


def _parts(manifest: Manifest) -> list[Segment | Rollup]:
    """All files in the folder `segments` that hold something."""
    return list(parts((*manifest.segments, *manifest.thinned)))


def check_target(store: Path, target: Path) -> None:
    """See that a backup may go into the folder.

    Raises:
        Refused: it is the store's own, or holds something else.
    """
    store, target = store.resolve(), target.resolve()
    if store == target or store in target.parents or target in store.parents:
        raise Refused(
            f"{target} cannot hold the backup of {store}, one being in the other",
            remedy="Give the backup a folder of its own, best on another disk.",
        )
    strange = {p.name for p in target.iterdir()} if target.is_dir() else set()
    strange -= {SEGMENTS, LOGS, "lock", "tmp"}
    begun = all(n.startswith(("last-", MANIFEST)) for n in strange)
    if MANIFEST not in strange and not begun:
        raise Refused(
            f"{target} holds something else, {min(strange)!r} to begin with",
            remedy="Give the backup an empty folder.",
        )
    if any((target / LOGS).glob("*.log")):
        raise Refused(
            f"{target} is a store in use, not a backup: it has logs",
            remedy="Give the backup an empty folder.",
        )


def _manifest(target: Path) -> Manifest | None:
    """The manifest of the backup so far."""
    if not (target / MANIFEST).exists():
        return None
    try:
        return manifests.load(target)
    except SettingsError as error:
        raise Refused(str(error), remedy="Give the backup an empty folder.") from None


def restore(files: Files, backup: Path, folder: Path) -> Verified:
    """Verify a backup, then bring it into an empty folder.

    When findings come back nothing was restored.

    Raises:
        Refused: the folder is not empty.
        OSError: a disk does not take it.
    """
    assert_off_loop()
    found = {p.name for p in folder.iterdir()} - {"lock"} if folder.is_dir() else set()
    if found and MARK not in found:
        raise Refused(
            f"{folder} is not empty, {min(found)!r} is there",
            remedy="Move what is there away first; nothing is overwritten.",
        )
    check = Check(backup)
    manifest = check.manifest()
    verified = check.of(manifest) if manifest else check.result()
    if manifest is None or verified.findings:
        return verified
    files.make_folder(folder)
    files.write_whole(folder / MARK, b"a backup is being restored here\n")
    last = (backup / manifest.last).read_bytes() if manifest.last else b""
    done = Copy(files, backup, folder).bring(manifest, last)
    files.delete(folder / MARK)
    files.sync_path(folder)
    return done
