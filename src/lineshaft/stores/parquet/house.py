"""The folder of a store while it is open: its lock, its threads, and what was found in it."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid, SettingsError
from lineshaft.core.flow import assert_off_loop
from lineshaft.stores import Health, Question
from lineshaft.stores._sql import Relations
from lineshaft.stores.parquet import manifest as manifests
from lineshaft.stores.parquet import sql
from lineshaft.stores.parquet.deleting import Deleter
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.log import replay
from lineshaft.stores.parquet.manifest import LOGS, SEGMENTS
from lineshaft.stores.parquet.nearest import Nearest
from lineshaft.stores.parquet.queries import Readers, engine
from lineshaft.stores.parquet.reading import Library
from lineshaft.stores.parquet.rows import Buffer, Rows, concat, rows_of
from lineshaft.stores.parquet.segments import Shelf
from lineshaft.stores.parquet.settler import Settler
from lineshaft.stores.parquet.shape import rows_of as settled_rows
from lineshaft.stores.parquet.state import State
from lineshaft.stores.parquet.summing import Summing
from lineshaft.stores.parquet.writer import Writer


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
                (self._folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"store folder {self._folder} cannot be made: {error.strerror}",
                remedy="Give the store a path that this user may write to.",
            ) from error
        self._lock = manifests.lock(self._folder)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, self._lock)
            self._open(limits, memory_mb, cache_mb)
            undo.pop_all()

    def _open(self, limits: tuple[int, float], memory_mb: int, cache_mb: int) -> None:
        folder = self._folder
        manifest = manifests.load(folder)
        if not (folder / manifests.MANIFEST).exists():
            # Before the first segment, so that segments without a manifest always mean a loss.
            manifests.commit(self._files, folder, manifest)
        self._engine = engine(folder, memory_mb)
        self.state = State(manifest)
        self.state.figures["disk_free_bytes"] = self._files.free_bytes(folder)
        shelf = Shelf(self._files, folder, self._engine)
        shelf.serial = self._clear()
        self._library = Library(folder / SEGMENTS, self.state.names, cache_mb << 20)
        self.readers = Readers(self.state, folder, self._engine, self._library)
        self.nearest = Nearest(self.state, self.readers)
        self.summing = Summing(self.readers)
        self.writer = Writer(self.state, self._files, folder / LOGS, limits)
        self._settler = Settler(self.state, self._files, folder, shelf)
        self.deleter = Deleter(self.state, shelf, self._settler)
        self._recall()
        next_log = self._replay()
        self._settler.start()
        self.writer.start(next_log)

    def close(self) -> None:
        """Settle what is buffered, as far as the disk lets it, and give the folder back."""
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

    def relations(self, question: Question) -> Relations:
        """What a SELECT may name."""
        return sql.relations(self.state, self._folder, question)

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
            return Health(ok=not state.log_trouble, problem=problem, figures=figures)

    # ---- what was found

    def _clear(self) -> int:
        """Delete what a crash left half done; the highest number of a segment that stays."""
        manifest = self.state.manifest
        known = {s.file for s in manifest.segments} | {r.file for r in manifest.retired}
        missing = [s.file for s in manifest.segments if not (self._segment(s.file)).exists()]
        if missing:
            raise SettingsError(
                f"store folder {self._folder} lacks {len(missing)} segments that its manifest"
                f" names, the first is {missing[0]}",
                remedy="Restore the folder from a backup as a whole.",
            )
        for path in (self._folder / SEGMENTS).iterdir():
            if path.name not in known:
                path.unlink()
        for path in self._folder.glob("last-*.arrow*"):
            if path.name != manifest.last:
                path.unlink()
        for path in (self._folder / "tmp").iterdir():
            path.unlink()
        return max((int(name.partition(".")[0]) for name in known), default=0)

    def _segment(self, name: str) -> Path:
        return self._folder / SEGMENTS / name

    def _recall(self) -> None:
        """Fill the newest samples from their file, or from the segments when it is damaged."""
        state = self.state
        if not state.manifest.segments:
            return
        try:
            batch = Batch.from_ipc((self._folder / state.manifest.last).read_bytes())
        except (OSError, Invalid):
            batch = self._newest_of_segments()
        if len(batch):
            ids = state.names.of_dictionary(batch.arrow.column(0).dictionary)
            state.latest.update(rows_of(ids[batch.index], batch), len(state.names))

    def _newest_of_segments(self) -> Batch:
        reader = f"({settled_rows(self.state.manifest.segments, self._folder / SEGMENTS)})"
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
                path.unlink()
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
        kept.write_bytes(path.read_bytes())
        self._files.sync_path(kept)
        self.state.notes.append(
            f"log file {path.name} is broken at byte {corrupt_at}; {torn_bytes} bytes behind it"
            f" were set aside in {kept}: check the disk, then move that file away"
        )
        figures = self.state.figures
        figures["log_corrupt_bytes"] = figures.get("log_corrupt_bytes", 0) + torn_bytes
        return 0
