"""The folder of a store while it is open: its lock, its threads, and what was found in it."""

import contextlib
import itertools
import logging
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from lineshaft.core.batch import Batch, Indices, Ints
from lineshaft.core.clock import uuid7
from lineshaft.core.errors import Invalid, SettingsError, Unavailable
from lineshaft.core.flow import assert_off_loop
from lineshaft.stores import Health, Question, Verified
from lineshaft.stores._sql import Relations
from lineshaft.stores.parquet import manifest as manifests
from lineshaft.stores.parquet import sql
from lineshaft.stores.parquet.backups import Copy, check_target
from lineshaft.stores.parquet.deleting import Deleter
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.log import replay
from lineshaft.stores.parquet.manifest import LOGS, SEGMENTS, Manifest, Segment, Thinned
from lineshaft.stores.parquet.merging import Merger, Swap
from lineshaft.stores.parquet.nearest import Nearest
from lineshaft.stores.parquet.quarantine import GONE, Quarantine
from lineshaft.stores.parquet.queries import Readers, Span, engine
from lineshaft.stores.parquet.reading import Library
from lineshaft.stores.parquet.retaining import Keeper
from lineshaft.stores.parquet.rows import Buffer, Rows, concat, rows_of
from lineshaft.stores.parquet.segments import Shelf
from lineshaft.stores.parquet.settler import TROUBLES, Settler
from lineshaft.stores.parquet.shape import rows_of as settled_rows
from lineshaft.stores.parquet.sidecars import Sidecars
from lineshaft.stores.parquet.state import State
from lineshaft.stores.parquet.summing import Summing
from lineshaft.stores.parquet.verifying import Check
from lineshaft.stores.parquet.writer import Writer

T = TypeVar("T")
log = logging.getLogger(__name__)

ATTEMPTS_MAX = 3


class House:
    """Opens a folder: locks it, clears what a crash left, reads the log back, starts threads."""

    def __init__(
        self, files: Files, path: str, *, limits: tuple[int, float], memory_mb: int, cache_mb: int
    ) -> None:
        """`limits` are the rows and the seconds after which a buffer is settled.

        Raises:
            SettingsError: the folder cannot be used.
        """
        assert_off_loop()
        if not path:
            raise SettingsError("the store has no path", remedy='Give it a folder: path = "data"')
        self._files = files
        self._folder = Path(path).absolute()
        try:
            for part in (SEGMENTS, LOGS, "tmp"):
                files.make_folder(self._folder / part)
        except OSError as error:
            raise SettingsError(
                f"store folder {self._folder} cannot be made: {error.strerror}",
                remedy="Give the store a path that this user may write to.",
            ) from error
        self._lock = manifests.lock(self._folder)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, self._lock)
            try:
                self._open(limits, memory_mb, cache_mb)
            except OSError as error:
                raise SettingsError(
                    f"store folder {self._folder} cannot be opened: {error.strerror or error}",
                    remedy="See that the disk works, has room and may be written to.",
                ) from error
            undo.pop_all()

    def _open(self, limits: tuple[int, float], memory_mb: int, cache_mb: int) -> None:
        folder = self._folder
        manifest = manifests.load(folder)
        if not manifest.store:
            manifest = replace(manifest, store=uuid7())
        if not (folder / manifests.MANIFEST).exists():
            # Before the first segment, so that segments without a manifest always mean a loss.
            manifests.commit(self._files, folder, manifest)
        self._engine = engine(folder, memory_mb)
        self.state = State(manifest)
        self.state.figures["disk_free_bytes"] = self._files.free_bytes(folder)
        shelf = Shelf(self._files, folder, self._engine)
        self.quarantine = Quarantine(self.state, self._files, folder)
        self.quarantine.open()
        shelf.numbers = itertools.count(self._clear() + 1)
        self._library = Library(folder / SEGMENTS, self.state.names, cache_mb << 20)
        self.readers = Readers(self.state, folder, self._engine, self._library)
        self.nearest = Nearest(self.state, self.readers)
        sidecars = Sidecars(folder / SEGMENTS, self.state.names.ids)
        self.summing = Summing(self.state, self.readers, sidecars)
        self.writer = Writer(self.state, self._files, folder / LOGS, limits)
        self._settler = Settler(self.state, self._files, folder, shelf, self.quarantine)
        self.deleter = Deleter(self.state, shelf, self._settler)
        self.merger = Merger(self._swap(shelf))
        self.keeper = Keeper(self._swap(shelf), self.merger, sidecars)
        self._recall()
        self._learn(sidecars)
        next_log = self._replay()
        self._settler.start()
        self.writer.start(next_log)
        self.merger.start()

    def _swap(self, like: Shelf) -> Swap:
        """What another thread changes segments with: on a shelf of its own."""
        shelf = Shelf(self._files, self._folder, self._engine)
        shelf.numbers = like.numbers
        return Swap(self.state, self._settler, shelf)

    def close(self) -> None:
        """Settle what is buffered, as far as the disk lets it, and give the folder back."""
        self.merger.stop()
        self.writer.stop()
        self._settler.stop()
        self._library.close()
        self._engine.close()
        os.close(self._lock)

    def latest(self, points: Sequence[str] | None) -> tuple[list[str], Rows]:
        """The newest rows and their paths, from memory."""
        state = self.state
        with state.lock:
            if points is None:
                return state.latest.look(state.names, None)
            ids = state.names.ids
            found = [ids[p] for p in dict.fromkeys(points) if p in ids]
            return state.latest.look(state.names, np.array(found, dtype=np.int32))

    def answered(self, question: Callable[[], T], span: Span | None = None) -> T:
        """The answer to a question, asked again when a damaged file was in its way.

        Raises:
            OSError, duckdb.Error, pa.ArrowException: as the question does, for another reason.
        """
        for _ in range(ATTEMPTS_MAX):
            generation = self.state.manifest.generation
            try:
                return question()
            except TROUBLES as error:
                # Who held an old manifest for long may have missed files that were merged away.
                moved = self.state.manifest.generation != generation
                if not self.mend(error, span) and not moved:
                    raise
        return question()

    def mend(self, error: Exception, span: Span | None = None) -> bool:
        """After a question failed: put aside what is damaged; whether anything was.

        Raises:
            OSError: it cannot be told now.
        """
        if isinstance(error, duckdb.InterruptException | duckdb.OutOfMemoryException):
            return False
        if isinstance(error, OSError) and error.errno not in (None, *GONE):
            return False
        snapshot = self.state.snapshot()
        among: list[Segment | Thinned] = [*snapshot.segments, *snapshot.thinned]
        if span is not None:
            start, stop = span.start_ns, span.stop_ns
            among = [s for s in among if s.time_max >= start and s.time_min < stop]
        quarantine = self.quarantine
        found = quarantine.look(among) or quarantine.look(among, deep=True)
        if found:
            self._settler.at_once(lambda: quarantine.put_away(found))
        return bool(found)

    # ---- looking after the folder as a whole

    def verify(self) -> Verified:
        """Check every file; damaged segments are put aside."""
        manifest = self.state.manifest
        with self._settler.pinned(manifest.files()):
            check = Check(self._folder, self._step)
            check.manifest()
            found = check.of(manifest)
        # Another reader, or a merge, may have come upon it first.
        if check.damaged:
            self._settler.at_once(lambda: self.quarantine.put_away(check.damaged))
        return found

    def begin_backup(self) -> tuple[Manifest, bytes]:
        """All that is settled now; its files stay until `end_backup`. On the settler's thread."""
        manifest = self.state.manifest
        try:
            last = (self._folder / manifest.last).read_bytes() if manifest.last else b""
        except OSError:
            last = b""
        if manifest.last_crc not in (None, zlib.crc32(last)):
            # A restored store finds the newest samples in the segments; damaged ones, nobody takes.
            last = b""
        if not last:
            manifest = replace(manifest, last="", last_crc=None)
        self._settler.pin(manifest.files())
        return manifest, last

    def backup(self, folder: Path, manifest: Manifest, last: bytes) -> Verified:
        """Copy what is settled to a folder.

        Raises:
            Refused: the folder cannot hold it.
            OSError: a disk does not take it.
        """
        check_target(self._folder, folder)
        self._files.make_folder(folder)
        lock = manifests.lock(folder)
        try:
            copy = Copy(self._files, self._folder, folder, self._step)
            done = copy.bring(manifest, last)
        finally:
            os.close(lock)
        if copy.damaged:
            self._settler.at_once(lambda: self.quarantine.put_away(copy.damaged))
        return done

    def end_backup(self, manifest: Manifest) -> None:
        """Its files need not stay longer."""
        self._settler.unpin(manifest.files())

    def _step(self) -> None:
        if self.state.closing:
            raise Unavailable("the store is closing", remedy="Do it again when it is open.")

    def relations(self, question: Question) -> Relations:
        """What a SELECT may name."""
        return sql.relations(self.state, self._folder, question)

    def storage(self, ids: Indices) -> Iterator[tuple[Indices, Ints, Ints, Ints, Ints]]:
        """Of each segment which of the points it holds; their rows, bytes, first and last time."""
        for segment in self.state.snapshot().segments:
            index = self._library.index(segment)
            places = index.find(ids)
            held = np.flatnonzero(places >= 0)
            at = places[held]
            rows = index.starts[at + 1] - index.starts[at]
            size = segment.bytes + (segment.rollup.bytes if segment.rollup else 0)
            yield ids[held], rows, rows * size // segment.rows, index.first[at], index.last[at]

    def health(self) -> Health:
        """Whether appends are acknowledged, and what else is wrong."""
        state = self.state
        with state.lock:
            figures = (
                state.figures
                | self._library.figures()
                | {
                    "segments": len(state.manifest.segments),
                    "segment_bytes": sum(s.bytes for s in state.manifest.segments),
                    "settled_rows": sum(s.rows for s in state.manifest.segments),
                    "buffered_rows": state.buffered(),
                    "points": len(state.names),
                }
            )
            troubles = [t for t in (state.log_trouble, state.settle_trouble) if t]
            problem = "; ".join([*troubles, *state.notes])
            ok = not (state.log_trouble or state.full_trouble)
            return Health(ok=ok, problem=problem, figures=figures)

    # ---- what was found

    def _clear(self) -> int:
        """Delete what a crash left half done; the highest number of a segment that stays."""
        manifest = self.state.manifest
        known = manifest.files()
        strays = [p for p in (self._folder / SEGMENTS).iterdir() if p.name not in known]
        strays += [p for p in self._folder.glob("last-*.arrow*") if p.name != manifest.last]
        for path in (*strays, *(self._folder / "tmp").iterdir()):
            self._files.delete(path)
        known |= {d.file for d in manifest.damaged}
        return max([manifest.numbered, *map(manifests.number_of, known)])

    def _segment(self, name: str) -> Path:
        return self._folder / SEGMENTS / name

    def _recall(self) -> None:
        """Fill the newest samples from their file, or from the segments when it is damaged."""
        state = self.state
        if not (state.manifest.segments or state.manifest.last):
            return
        try:
            batch = Batch.from_ipc((self._folder / state.manifest.last).read_bytes())
        except (OSError, Invalid):
            batch = self.answered(self._newest_of_segments)
        if len(batch):
            ids = state.names.of_dictionary(batch.arrow.column(0).dictionary)
            state.latest.update(rows_of(ids[batch.index], batch), len(state.names))

    def _learn(self, sidecars: Sidecars) -> None:
        """Number the points of which only roll-ups are left: no newest sample tells of them."""
        for thinned in self.state.manifest.thinned:
            try:
                paths = sidecars.paths(thinned.rollup.file)
            except (OSError, pa.ArrowException, KeyError) as error:
                file = thinned.rollup.file
                log.warning("roll-up not read", extra={"file": file, "cause": str(error)})
            else:
                self.state.names.of(paths)

    def _newest_of_segments(self) -> Batch:
        segments = self.state.snapshot().segments
        if not segments:
            return Batch.empty()
        reader = f"({settled_rows(segments, self._folder / SEGMENTS)})"
        table = self._engine.sql(
            f"SELECT s.* FROM {reader} s JOIN"  # noqa: S608 - our own files
            f" (SELECT point, max(time_ns) AS time_ns FROM {reader} GROUP BY point)"
            " USING (point, time_ns)"
        ).to_arrow_table()
        batches = [Batch(b) for b in table.combine_chunks().to_batches()]
        return Batch.concat(batches)

    def _replay(self) -> int:
        """Read back what is in logs and not in segments; the number of the next log file."""
        state = self.state
        next_log = state.manifest.log_from
        torn = 0
        for path in sorted((self._folder / LOGS).glob("*.log")):
            number = int(path.stem)
            next_log = max(next_log, number + 1)
            if number < state.manifest.log_from:
                self._files.delete(path)
                continue
            found = replay(path, number, state.names)
            torn += self._set_aside(path, found.torn_bytes, found.corrupt_at)
            rows = concat(found.rows)
            buffer = Buffer(number, len(rows.id))
            if len(rows.id):
                state.take(buffer, [rows])
            state.frozen.append(buffer)
        state.figures["log_torn_bytes"] = torn
        state.figures["log_replayed_rows"] = state.accepted
        return next_log

    def _set_aside(self, path: Path, torn_bytes: int, corrupt_at: int | None) -> int:
        """Keep a copy of a log with a broken record in its middle; how many bytes were torn."""
        if corrupt_at is None:
            return torn_bytes
        kept = path.with_suffix(".corrupt")
        self._files.write_whole(kept, path.read_bytes())
        self.state.notes.append(
            f"log file {path.name} is broken at byte {corrupt_at}; {torn_bytes} bytes behind it"
            f" were set aside in {kept}: check the disk, then move that file away"
        )
        figures = self.state.figures
        figures["log_corrupt_bytes"] = figures.get("log_corrupt_bytes", 0) + torn_bytes
        return 0
