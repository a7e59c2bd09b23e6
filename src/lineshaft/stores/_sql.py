"""Answers a SELECT in a process of its own: bounded in time and memory, without files or network.

Stores hand over what can be named; whatever the text says, nothing else can be reached. Who asks
has checked the text already: this is the second wall. See `_sql_worker` for the third.
"""

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

import msgspec
import pyarrow as pa

from lineshaft.core.errors import Invalid, LineshaftError, Unavailable
from lineshaft.core.flow import assert_off_loop
from lineshaft.core.quality import Quality
from lineshaft.core.summary import LEVELS_NS, SUMMARY_SCHEMA
from lineshaft.stores import Question, _sql_worker
from lineshaft.stores._sql_worker import Failure, Request, receive, send

log = logging.getLogger(__name__)

T = TypeVar("T")

ROLLUPS = dict(zip(("rollup_1s", "rollup_1m", "rollup_10m", "rollup_1h"), LEVELS_NS, strict=True))
"""Length of the intervals of each view of roll-ups, in ns."""
THREADS = max(1, min(4, (os.cpu_count() or 1) // 2))
"""Half of the machine at most: the other half takes data in."""
IDLE_S = 600.0
"""Seconds that a process waits for the next query."""
IDLE_MAX = 2
START_S = 30.0
"""Seconds that a process may take to start, on a machine that is busy."""
_TIME = "make_timestamptz(time_ns // 1000)"


class Relations(NamedTuple):
    """What a question may name, and what that is made of."""

    views: Mapping[str, str]
    """A SELECT for each view; columns of samples: point, time_ns, number, text, quality."""
    tables: Mapping[str, pa.Table]
    """What these SELECTs name, beside files; a name begins with `__lineshaft_`."""
    files: Sequence[Path] = ()
    """The only files that can be read."""


class Engine:
    """Runs questions, each in a process that runs nothing else meanwhile."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        self._ending: set[asyncio.Future[None]] = set()
        self._open = False

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """The time in which questions are answered."""
        self._open = True
        try:
            yield
        finally:
            self._open = False
            if self._ending:
                await asyncio.wait(self._ending)
            while self._idle:
                await asyncio.to_thread(self._idle.pop().end)

    async def answer(
        self, question: Question, look: Callable[[], Relations]
    ) -> AsyncGenerator[pa.RecordBatch]:
        """Answer the question over what `look`, called off the loop, finds.

        Raises:
            Invalid: DuckDB does not understand the text.
            Unavailable: time or memory ran out, or a file cannot be read.
        """
        loop = asyncio.get_running_loop()
        run = _Run(question, look, self._waiting())
        # A thread of its own: a query that takes long keeps nobody else's question waiting.
        pool = ThreadPoolExecutor(1, "sql")
        watchdog = loop.call_later(START_S, run.stop)
        try:
            await _off(pool, run, run.start)
            watchdog.cancel()
            watchdog = loop.call_later(question.timeout_s, run.stop)
            yield await _off(pool, run, run.open)
            while (batch := await _off(pool, run, run.next)) is not None:
                yield batch
        finally:
            watchdog.cancel()
            if not run.finished:
                run.stop()
            # After whatever its thread still does: a process may be starting there.
            ending = asyncio.wrap_future(pool.submit(lambda: None))
            pool.shutdown(wait=False)
            self._ending.add(ending)
            ending.add_done_callback(lambda done: self._ended(done, run))
            await asyncio.shield(ending)

    def _ended(self, ending: "asyncio.Future[None]", run: "_Run") -> None:
        self._ending.discard(ending)
        self._keep(run.worker)

    def _waiting(self) -> "_Worker | None":
        """A process that waits for a question, and is alive."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive():
                return worker
            worker.end()
        return None

    def _keep(self, worker: "_Worker | None") -> None:
        """Let a process that is well wait for the next question."""
        if worker is None:
            return
        if not self._open or worker.killed or len(self._idle) >= IDLE_MAX:
            worker.end()
            return
        self._idle.append(worker)
        asyncio.get_running_loop().call_later(IDLE_S, self._retire, worker)

    def _retire(self, worker: "_Worker") -> None:
        if worker in self._idle:
            self._idle.remove(worker)
            worker.end()


async def _off(pool: ThreadPoolExecutor, run: "_Run", step: Callable[[], T]) -> T:
    """The result of a step on the query's thread; when cancelled, the step is broken off."""
    future = asyncio.wrap_future(pool.submit(step))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        run.stop()
        future.add_done_callback(lambda f: f.cancelled() or f.exception())
        raise


class _Worker:
    """A process that runs queries, one after another."""

    def __init__(self) -> None:
        assert_off_loop()
        # No settings of ours, no secrets: what runs there could look at its environment.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, _sql_worker.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            cwd="/",
        )
        self.killed = False

    @property
    def asks(self) -> IO[bytes]:
        """Where requests go."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe, as asked for
        return self._process.stdin

    @property
    def tells(self) -> IO[bytes]:
        """Where answers come from."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe, as asked for
        return self._process.stdout

    def alive(self) -> bool:
        """Whether nobody else has ended it."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self.killed = True
        self._process.kill()

    def end(self) -> None:
        """End it, and let go of its pipes."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not written yet is no longer wanted
                    continue


class _Run:
    """One query: all but `stop` is called on one thread."""

    def __init__(
        self, question: Question, look: Callable[[], Relations], worker: _Worker | None
    ) -> None:
        self.question = question
        self.worker = worker
        self.finished = False
        """Whether the process has said its last word on this."""
        self._look = look
        self._schema: pa.Schema | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Break off what runs."""
        with self._lock:
            self._stopped = True
            if self.worker is not None and not self.finished:
                self.worker.kill()

    def start(self) -> None:
        """Have a process that is ready."""
        assert_off_loop()
        if self.worker is None:
            worker = _Worker()
            with self._lock:
                self.worker = worker
                if self._stopped:
                    worker.kill()
            try:
                receive(worker.tells)
            except (EOFError, OSError):
                raise Unavailable(
                    "no process can be started for the query", remedy="See the server's log."
                ) from None

    def open(self) -> pa.RecordBatch:
        """Begin; returns a batch without rows that tells the columns."""
        assert_off_loop()
        relations = self._look()
        try:
            self._send(relations)
        except OSError:
            raise self._gone() from None
        letter, body = self._frame()
        assert letter == b"S", letter  # noqa: S101 - `_frame` raises on a failure
        self._schema = pa.ipc.read_schema(pa.py_buffer(body))
        return pa.RecordBatch.from_pylist([], schema=self._schema)

    def _send(self, relations: Relations) -> None:
        assert self.worker is not None  # noqa: S101 - made by `open`
        if self._stopped:
            raise self._late()
        question = self.question
        tables = {**relations.tables, **question.tables}
        request = Request(
            text=question.text,
            views=dict(relations.views),
            tables=list(tables),
            files=[str(f) for f in relations.files],
            memory_mb=question.memory_mb,
            threads=THREADS,
            timeout_s=question.timeout_s,
        )
        send(self.worker.asks, b"Q", msgspec.json.encode(request))
        for table in tables.values():
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            send(self.worker.asks, b"T", memoryview(sink.getvalue()))

    def next(self) -> pa.RecordBatch | None:
        """The next rows; None when there are no more."""
        letter, body = self._frame()
        if letter == b"D":
            return None
        return pa.ipc.read_record_batch(pa.py_buffer(body), self._schema)

    def _frame(self) -> tuple[bytes, bytes]:
        assert self.worker is not None  # noqa: S101 - made by `open`
        try:
            letter, body = receive(self.worker.tells)
        except (EOFError, OSError):
            raise self._gone() from None
        if letter in (b"D", b"E"):
            with self._lock:
                self.finished = True
        if letter == b"E":
            raise self._failure(msgspec.json.decode(body, type=Failure))
        return letter, body

    def _gone(self) -> Unavailable:
        return self._late() if self._stopped else self._too_large()

    def _late(self) -> Unavailable:
        return Unavailable(
            f"the query took more than {self.question.timeout_s:g} s",
            remedy="Ask for less time, for fewer points, or for a view of roll-ups.",
        )

    def _too_large(self) -> Unavailable:
        return Unavailable(
            f"the query needs more than {self.question.memory_mb} MB of memory",
            remedy="Ask for less time or fewer points, or group before you join and sort.",
        )

    def _failure(self, failure: Failure) -> LineshaftError:
        """What a person is told of an error of the engine."""
        if failure.kind == "Out of Memory":
            return self._too_large()
        if failure.kind in ("IO", "Permission", "FATAL", "INTERNAL", ""):
            log.error("query failed", extra={"cause": failure.message})
            return Unavailable("the query failed in the engine", remedy="See the server's log.")
        return Invalid(
            f"{failure.kind} error: {failure.message}",
            remedy="Compare with GET /api/v1/sql/schema.",
        )


def samples_view(question: Question, source: str) -> str:
    """The SELECT of the view `samples` over a relation with its columns but `time`."""
    times = f"time_ns >= {question.start_ns} AND time_ns < {question.stop_ns}"
    return (
        f"SELECT point, {_TIME} AS time, time_ns, number, text, quality"  # noqa: S608
        f" FROM ({source}) WHERE {times}"
    )


def rollup_view(source: str) -> str:
    """The SELECT of a view of roll-ups over a relation with the columns of `SUMMARY_SCHEMA`."""
    columns = ", ".join(f'"{n}"' for n in SUMMARY_SCHEMA.names[1:])
    return f"SELECT point, {_TIME} AS time, {columns} FROM ({source})"  # noqa: S608


def summed_up(source: str, level_ns: int) -> str:
    """A SELECT that sums up samples per interval, with the columns of `SUMMARY_SCHEMA`."""
    usable = f"(number IS NOT NULL AND NOT isnan(number) AND quality < {int(Quality.BAD)})"
    start = f"(time_ns - ((time_ns % {level_ns}) + {level_ns}) % {level_ns})"
    held = "CASE WHEN usable AND next_ns IS NOT NULL THEN"
    sloped = "CASE WHEN next_usable THEN (number + next_number) / 2 ELSE number END"
    seconds = "(next_ns - time_ns) / 1e9"
    good = "FILTER (WHERE usable)"
    return f"""
        SELECT point, begins AS time_ns, count(*) AS count, count(*) {good} AS usable,
            max(quality) AS quality, min(time_ns) AS begin_ns, max(time_ns) AS end_ns,
            min(number) {good} AS min, arg_min(time_ns, (number, time_ns)) {good} AS min_ns,
            max(number) {good} AS max, arg_max(time_ns, (number, -time_ns)) {good} AS max_ns,
            arg_min(number, time_ns) {good} AS first, min(time_ns) {good} AS first_ns,
            arg_max(number, time_ns) {good} AS last, max(time_ns) {good} AS last_ns,
            sum(number) {good} AS sum,
            sum({held} number * {seconds} END) AS stepped,
            sum({held} {sloped} * {seconds} END) AS sloped,
            coalesce(sum({held} next_ns - time_ns END), 0)::BIGINT AS known_ns
        FROM (
            SELECT *, lead(time_ns) OVER w AS next_ns, lead(number) OVER w AS next_number,
                coalesce(lead(usable) OVER w, false) AS next_usable
            FROM (SELECT *, {usable} AS usable, {start} AS begins FROM ({source}))
            WINDOW w AS (PARTITION BY point, begins ORDER BY time_ns)
        )
        GROUP BY point, begins
    """  # noqa: S608 - integers and names of our own
