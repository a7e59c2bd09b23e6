"""The one thread that settles: full buffers become segments, in one manifest after another."""

import contextlib
import logging
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import LineshaftError
from lineshaft.stores.parquet import manifest as manifests
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.latest import batch_of
from lineshaft.stores.parquet.log import file_name
from lineshaft.stores.parquet.manifest import LOGS, Manifest, Retired, Segment, Thinned
from lineshaft.stores.parquet.quarantine import GONE, Quarantine
from lineshaft.stores.parquet.rows import Buffer
from lineshaft.stores.parquet.segments import Shelf, Tidy, by_day, tidy
from lineshaft.stores.parquet.shape import unit_of
from lineshaft.stores.parquet.state import Deed, Promise, State, keep

log = logging.getLogger(__name__)

KEPT_S = 180
"""Seconds that a merged-away file stays for readers that still hold the older manifest."""
TICK_S = 1.0
TROUBLES = (OSError, duckdb.Error, pa.ArrowException)
"""What the disk, or a damaged file on it, makes of our calls."""
REMEDY = "Make room on the disk, or see to it; nothing was changed."


class Last(NamedTuple):
    """The file with the newest sample of each point."""

    file: str
    crc: int | None


def last_of(manifest: Manifest) -> Last:
    """The one that a manifest names."""
    return Last(manifest.last, manifest.last_crc)


class Settler:
    """Moves frozen buffers into segments, oldest first; the only one that writes the manifest."""

    def __init__(
        self, state: State, files: Files, folder: Path, shelf: Shelf, quarantine: Quarantine
    ) -> None:
        self._state = state
        self._files = files
        self._folder = folder
        self._shelf = shelf
        self._quarantine = quarantine
        self._pins: Counter[str] = Counter()
        """Files that are being copied or checked, and that therefore stay."""
        self._stopping = False
        self._doing: list[Promise] = []
        """Whom the deed under way is for."""
        self._thread = threading.Thread(target=self._run, name="store settler", daemon=True)

    def start(self) -> None:
        """Begin to settle."""
        self._thread.start()

    def stop(self) -> None:
        """Settle what is frozen, as far as the disk lets it, and end the thread."""
        with self._state.lock:
            self._stopping = True
            self._state.changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._step():
                pass
        finally:
            with self._state.lock:
                self._state.settler_ended = True
                rest = [d.work for d in self._state.deeds if d.promise is None and d.work]
            for work in rest:
                work()
            # Reached by a defect too: the log keeps all, but somebody must look.
            if not self._stopping or self._doing:
                self._state.cannot_settle("the store's settler has ended; restart Lineshaft")
                keep(self._doing, "the store's settler has ended", "Restart Lineshaft.")

    def _step(self) -> bool:
        state = self._state
        with state.lock:
            deed = state.due()
            buffer = state.frozen[0] if state.frozen else None
        try:
            if deed is not None:
                self._perform(deed)
            elif buffer is not None:
                self._settle(buffer)
            elif not self._stopping and not self._tend():
                self._wait()
        except TROUBLES as error:
            self._failed(error)
            if self._stopping:
                return False
        with state.lock:
            return bool(state.frozen or state.deeds) or not self._stopping

    def _wait(self) -> None:
        """Until a buffer is frozen, or it is time to look around again."""
        with self._state.lock:
            if not (self._state.frozen or self._state.deeds or self._stopping):
                self._state.changed.wait(TICK_S)

    def at_once(self, work: Callable[[], object]) -> None:
        """Have work done before all else, and wait until it is; for other threads.

        When the settler has ended nothing is done: the folder may be another's by now.
        """
        if self._thread.ident is None:
            work()
            return
        done = threading.Event()

        def then() -> None:
            try:
                work()
            finally:
                done.set()

        with self._state.lock:
            if self._state.settler_ended:
                return
            self._state.deeds.appendleft(Deed(0, then, None))
            self._state.changed.notify_all()
        done.wait()

    def pin(self, files: Iterable[str]) -> None:
        """Have these files stay, merged away or not, until they are unpinned as often."""
        with self._state.lock:
            self._pins.update(files)

    def unpin(self, files: Iterable[str]) -> None:
        """One less holds these files."""
        with self._state.lock:
            self._pins.subtract(files)
            self._pins = +self._pins

    @contextlib.contextmanager
    def pinned(self, files: Iterable[str]) -> Iterator[None]:
        """The time in which these files stay."""
        held = tuple(files)
        self.pin(held)
        try:
            yield
        finally:
            self.unpin(held)

    def mend(self, error: Exception) -> None:
        """Put damaged segments aside; for other threads, which have met with one."""
        self.at_once(lambda: self.mended(error))

    def mended(self, error: Exception) -> bool:
        """Whether a damaged segment was in the way, and is no more."""
        if isinstance(error, OSError) and error.errno not in GONE:
            return False
        segments = self._state.manifest.segments
        try:
            found = self._quarantine.look(segments) or self._quarantine.look(segments, deep=True)
            self._quarantine.put_away(found)
        except OSError:
            return False
        return bool(found)

    def _failed(self, error: Exception) -> None:
        self._shelf.forget()
        if self.mended(error):
            return
        trouble = f"segments in {self._folder} cannot be written: {error}"
        if not self._state.settle_trouble:
            log.error("settling failed, the log keeps all", extra={"cause": str(error)})
        self._state.cannot_settle(trouble)
        with self._state.lock:
            if not self._stopping:
                self._state.changed.wait(TICK_S)

    def _perform(self, deed: Deed) -> None:
        """Do what was asked for; only the one who asked is told when it cannot be done."""
        promises = [deed.promise] if deed.promise else []
        self._doing = promises
        answer: Any = None
        trouble = ""
        try:
            answer = deed.work() if deed.work else None
        except LineshaftError as error:
            answer = error
        except TROUBLES as error:
            self._shelf.forget()
            trouble = f"{self._folder} cannot be changed: {error}"
        for promise in promises:
            promise.answer = answer
        keep(promises, trouble, REMEDY)
        self._doing = []

    # ---- a buffer becomes segments

    def _settle(self, buffer: Buffer) -> None:
        stored = 0
        gone: list[Segment] = []
        added: list[Segment] = []
        if buffer.rows:
            fresh = tidy(buffer.all(buffer.rows), self._state.names.paths)
            stored, gone, added = self._place(fresh)
        old = self._state.manifest
        last = self._write_latest(old) if buffer.rows else last_of(old)
        segments = [s for s in old.segments if s not in gone] + added
        new = self._next(old, segments, None, log_from=buffer.log + 1, last=last)
        self._state.settled(new, stored, buffer.rows - stored)
        self._files.delete(self._folder / LOGS / file_name(buffer.log))
        self._drop_latest(old)

    def _place(self, fresh: Tidy) -> tuple[int, list[Segment], list[Segment]]:
        """Write fresh rows beside the settled: how many keys are new, what goes, what comes."""
        keep = np.ones(len(fresh.time), dtype=np.bool_)
        fresh_keys = keep.copy()
        time_min, time_max = int(fresh.time.min()), int(fresh.time.max())
        gone: list[Segment] = []
        added: list[Segment] = []
        for segment in self._state.manifest.segments:
            if segment.time_max < time_min or segment.time_min > time_max:
                continue
            same, other = self._shelf.match(segment, fresh)
            keep[same] = False
            fresh_keys[same] = fresh_keys[other] = False
            if len(other):
                keys = fresh.table.take(pa.array(other)).select(["point", "time_ns"])
                gone.append(segment)
                rest = self._shelf.without(segment, keys)
                added += [rest] if rest else []
        for mask in by_day(fresh.time):
            part = fresh.table if keep.all() and mask.all() else fresh.table.filter(mask & keep)
            segment_new = self._shelf.write([part], unit_of(part.column("time_ns").to_numpy()))
            added += [segment_new] if segment_new else []
        return int(fresh_keys.sum()), gone, added

    def _write_latest(self, old: Manifest) -> Last:
        """Keep the newest sample of each point, so that opening needs no scan."""
        with self._state.lock:
            paths, rows = self._state.latest.look(self._state.names, None)
        return self._write_last(old, batch_of(paths, rows))

    def _write_last(self, old: Manifest, batch: Batch) -> Last:
        name = f"last-{old.generation + 1:012d}.arrow"
        data = batch.to_ipc()
        self._files.write_whole(self._folder / name, data)
        return Last(name, zlib.crc32(data))

    def _drop_latest(self, old: Manifest) -> None:
        """Delete the file of newest samples that an older manifest named."""
        if old.last and old.last != self._state.manifest.last:
            self._files.delete(self._folder / old.last)

    # ---- what others have it do, on its thread

    def exchange(
        self,
        gone: list[Segment],
        added: list[Segment],
        last: Batch | None = None,
        *,
        thinned: Sequence[Thinned] | None = None,
    ) -> None:
        """Have other segments in the manifest, and these newest samples if given.

        `thinned` are the segments of which the roll-ups stay; None leaves them as they are.

        Whoever holds the lock of the state afterwards must bring what it remembers in line.
        """
        old = self._state.manifest
        kept = last_of(old) if last is None else self._write_last(old, last)
        segments = [s for s in old.segments if s not in gone] + added
        new = self._next(old, segments, thinned, log_from=old.log_from, last=kept)
        with self._state.lock:
            self._state.manifest = new
        self._drop_latest(old)

    def _next(
        self,
        old: Manifest,
        segments: list[Segment],
        thinned: Sequence[Thinned] | None,
        *,
        log_from: int,
        last: Last,
    ) -> Manifest:
        """Have the next generation of the manifest on the disk."""
        now = now_ns()
        self._files.sync_path(self._shelf.folder)
        new = replace(
            old,
            generation=old.generation + 1,
            log_from=log_from,
            last=last.file,
            last_crc=last.crc,
            segments=tuple(sorted(segments, key=lambda s: (s.time_min, s.file))),
            thinned=old.thinned if thinned is None else tuple(thinned),
        )
        gone = sorted(old.files() - new.files())
        retired = tuple(Retired(file=f, since_ns=now) for f in gone)
        new = replace(new, retired=(*old.retired, *retired))
        # From here on the files may be named on the disk, even if the commit says it failed.
        self._shelf.named()
        manifests.commit(self._files, self._folder, new)
        return new

    # ---- when nothing is waiting

    def _tend(self) -> bool:
        """Delete files that no reader can hold any more; whether there were any."""
        self._state.figures["disk_free_bytes"] = self._files.free_bytes(self._folder)
        old = self._state.manifest
        done = self._forgotten(old)
        if done:
            self._forget(old, done)
        return bool(done)

    def _forgotten(self, old: Manifest) -> list[Retired]:
        """Retired files that nobody reads any more."""
        now = now_ns()
        with self._state.lock:
            pins = {file for file, times in self._pins.items() if times > 0}
        # A clock that was set back must not keep a file for ever, nor may it delete one early.
        return [
            r
            for r in old.retired
            if abs(now - r.since_ns) > KEPT_S * NS_PER_S and r.file not in pins
        ]

    def _forget(self, old: Manifest, done: list[Retired]) -> None:
        new = replace(
            old,
            generation=old.generation + 1,
            retired=tuple(r for r in old.retired if r not in done),
        )
        # A file that the manifest no longer names is deleted at the next opening at the latest.
        manifests.commit(self._files, self._folder, new)
        with self._state.lock:
            self._state.manifest = new
        for retired in done:
            self._files.delete(self._shelf.folder / retired.file)
