"""The one thread that acknowledges: all appends that wait share one write and one sync."""

import threading
import time
from collections import deque
from pathlib import Path

from lineshaft.core.batch import Batch
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.log import LogFile
from lineshaft.stores.parquet.rows import Buffer, Rows, rows_of
from lineshaft.stores.parquet.state import Deed, Promise, State, Work, keep

GROUP_ROWS_MAX = 200_000
"""Rows in one commit; more wait for the next, so that the first are not kept waiting."""
BUFFERS_MAX = 4
"""Appends wait once this many times `buffer_rows_max` is buffered."""
TEXT_BYTES_MAX = 64 << 20
PROBE_S = 1.0
"""Seconds between looks whether a full disk has room again."""
Asked = tuple[Batch | Work | None, Promise]
"""A batch, or what shall be done when all before it is settled, None being just that."""
REMEDY = "Make room on the disk; the store goes on by itself."


class Writer:
    """Takes batches from the event loop, and keeps their promises when the disk has them."""

    def __init__(self, state: State, files: Files, folder: Path, limits: tuple[int, float]) -> None:
        """`limits` are the rows and the seconds after which a buffer is settled."""
        self._state = state
        self._files = files
        self._folder = folder
        self._rows_max, self._age_s_max = limits
        self._queue: deque[Asked] = deque()
        self._taken: list[Asked] = []
        """What is being committed."""
        self._wake = threading.Condition()
        self._stopping = False
        self._log: LogFile | None = None
        self._next = state.manifest.log_from
        self._began = 0.0
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)

    def start(self, first_log: int) -> None:
        """Begin to take batches; the next log file has this number."""
        self._next = first_log
        self._thread.start()

    def put(self, batch: Batch | Work | None, promise: Promise) -> None:
        """Queue a batch, or the wish to settle what was queued before it, and then do work."""
        with self._wake:
            if not self._stopping:
                self._queue.append((batch, promise))
                self._wake.notify()
                return
        keep([promise], "the store is closed, it cannot take a batch now", "Open it first.")

    def stop(self) -> None:
        """Commit what is queued, freeze the buffer and end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        is_defect = True
        try:
            while self._step():
                pass
            is_defect = False
        finally:
            # Reached by a defect too: then nobody may be left waiting for an answer.
            with self._wake:
                self._stopping = True
                rest = [promise for _, promise in (*self._taken, *self._queue)]
                self._queue.clear()
            keep(rest, "the store's writer has ended", "Restart Lineshaft.")
            with self._state.lock:
                if rest or is_defect:
                    self._state.log_trouble = "the store's writer has ended; restart Lineshaft"
                self._rotate()

    def _step(self) -> bool:
        """One commit, one rotation or one wait; False when all is done and it shall stop."""
        with self._wake:
            if not self._queue and not self._stopping:
                self._wake.wait(self._patience_s())
            group = self._taken = self._group()
            done = not self._queue and self._stopping
        batches = [(b, p) for b, p in group if isinstance(b, Batch)]
        if batches:
            self._commit([b for b, _ in batches], [p for _, p in batches])
        elif not group and self._state.log_trouble:
            self._probe()
        wishes = [(b, p) for b, p in group if not isinstance(b, Batch)]
        if wishes or (self._log and time.monotonic() - self._began >= self._age_s_max):
            self._settle(wishes)
        self._taken = []
        return bool(group) or not done

    def _patience_s(self) -> float | None:
        if self._state.log_trouble:
            return PROBE_S
        if self._log is None:
            return None
        return max(self._began + self._age_s_max - time.monotonic(), 0.0)

    def _group(self) -> list[Asked]:
        """The batches of the next commit: until a wish to settle, or until it is large enough."""
        group: list[Asked] = []
        rows = 0
        while self._queue:
            batch = self._queue[0][0]
            size = len(batch) if isinstance(batch, Batch) else 0
            if group and rows + size > GROUP_ROWS_MAX:
                break
            group.append(self._queue.popleft())
            if not isinstance(batch, Batch):
                break
            rows += size
        return group

    def _commit(self, batches: list[Batch], promises: list[Promise]) -> None:
        total = sum(len(b) for b in batches)
        trouble = self._wait_for_room(total)
        if trouble:
            self._state.full_trouble = trouble
            keep(promises, trouble, REMEDY)
            return
        names = self._state.names
        places = [names.of_dictionary(b.arrow.column(0).dictionary) for b in batches]
        rows = [rows_of(p[b.index], b) for p, b in zip(places, batches, strict=True)]
        try:
            buffer = self._buffer_for(total)
            assert self._log is not None  # noqa: S101 - the buffer came with it
            self._log.commit(names, places, rows)
        except OSError as error:
            self._refuse(promises, error)
            return
        self._take(buffer, rows)
        keep(promises)

    def _take(self, buffer: Buffer, rows: list[Rows]) -> None:
        self._state.take(buffer, rows)
        if self._log is not None:
            self._state.figures["log_bytes"] = self._log.size
        self._state.log_trouble = self._state.full_trouble = ""
        if buffer.text_bytes > TEXT_BYTES_MAX:
            with self._state.lock:
                self._rotate()

    def _refuse(self, promises: list[Promise], error: OSError) -> None:
        trouble = f"the log in {self._folder} cannot be written: {error.strerror or error}"
        self._state.log_trouble = trouble
        self._state.figures["refused"] = self._state.figures.get("refused", 0) + len(promises)
        keep(promises, trouble, REMEDY)

    def _wait_for_room(self, rows: int) -> str:
        """Hold back until the settler has caught up; what is wrong when it cannot."""
        state = self._state
        with state.lock:
            while state.frozen and state.buffered() + rows > BUFFERS_MAX * self._rows_max:
                if state.settle_trouble:
                    return f"the buffer is full, because {state.settle_trouble}"
                state.changed.wait(PROBE_S)
        return ""

    def _buffer_for(self, rows: int) -> Buffer:
        """The active buffer, when it has room; else a new one with a log file of its own."""
        state = self._state
        with state.lock:
            active = state.active
            if active is not None and active.rows + rows <= active.capacity:
                return active
            self._rotate()
        # A number that failed is not tried again: the disk may have kept a file of that name.
        number, self._next = self._next, self._next + 1
        self._log = LogFile(self._files, self._folder, number)
        self._began = time.monotonic()
        buffer = Buffer(self._log.number, max(rows, self._rows_max))
        with state.lock:
            state.active = buffer
        return buffer

    def _rotate(self) -> None:
        """Close the log file and freeze its buffer. The lock of the state is held."""
        if self._log is not None:
            self._log.close()
            self._log = None
        self._state.freeze()

    def _settle(self, wishes: list[tuple[Work | None, Promise]]) -> None:
        state = self._state
        with state.lock:
            self._rotate()
            last = state.frozen[-1].log if state.frozen else 0
            ended = state.settler_ended
            if not ended:
                state.deeds += [Deed(last, work, p) for work, p in wishes]
                state.changed.notify_all()
        if ended:
            keep([p for _, p in wishes], "the store's settler has ended", "Restart Lineshaft.")

    def _probe(self) -> None:
        """See by a record without content whether the disk takes writes again."""
        try:
            self._buffer_for(0)
            assert self._log is not None  # noqa: S101 - the buffer came with it
            self._log.probe()
        except OSError:
            return
        self._state.log_trouble = ""
