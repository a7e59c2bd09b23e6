"""Answers a SELECT in a DuckDB of its own: bounded in time and memory, without files or network.

Stores hand over what can be named; whatever the text says, nothing else can be reached. Who asks
has checked the text already: this is the second wall.
"""

import asyncio
import logging
import os
import re
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import duckdb
import pyarrow as pa

from lineshaft.core.errors import Invalid, LineshaftError, Unavailable
from lineshaft.core.flow import assert_off_loop
from lineshaft.core.quality import Quality
from lineshaft.core.summary import LEVELS_NS, SUMMARY_SCHEMA
from lineshaft.stores import Question

log = logging.getLogger(__name__)

T = TypeVar("T")

ROWS_MAX = 50_000
"""Rows of a batch."""
AGAIN_S = 0.25
"""Seconds after which a query that was told to stop is told again."""
ROLLUPS = dict(zip(("rollup_1s", "rollup_1m", "rollup_10m", "rollup_1h"), LEVELS_NS, strict=True))
"""Length of the intervals of each view of roll-ups, in ns."""
THREADS = max(1, min(4, (os.cpu_count() or 1) // 2))
"""Half of the machine at most: the other half takes data in."""
_TIME = "make_timestamptz(time_ns // 1000)"
_SECRET = "__lineshaft_"


class Relations(NamedTuple):
    """What a question may name, and what that is made of."""

    views: Mapping[str, str]
    """A SELECT for each view; columns of samples: point, time_ns, number, text, quality."""
    tables: Mapping[str, pa.Table]
    """What these SELECTs name, beside files; a name begins with `__lineshaft_`."""
    files: Sequence[Path] = ()
    """The only files that can be read."""


async def answer(
    question: Question, look: Callable[[], Relations]
) -> AsyncGenerator[pa.RecordBatch]:
    """Answer the question over what `look`, called off the loop, finds.

    Raises:
        Invalid: DuckDB does not understand the text.
        Unavailable: time or memory ran out, or a file cannot be read.
    """
    loop = asyncio.get_running_loop()
    run = _Run(question, look)
    # A thread of its own: a query that takes long keeps nobody else's question waiting.
    pool = ThreadPoolExecutor(1, "sql")
    watchdog = loop.call_later(question.timeout_s, run.stop, loop)
    try:
        yield await _off(pool, run, run.open)
        while (batch := await _off(pool, run, run.next)) is not None:
            yield batch
    finally:
        watchdog.cancel()
        run.stop(loop)
        closing = pool.submit(run.close)
        pool.shutdown(wait=False)
        await _told(closing, run)


async def _off(pool: ThreadPoolExecutor, run: "_Run", step: Callable[[], T]) -> T:
    """The result of a step on the query's thread; when cancelled, the step is broken off."""
    future = asyncio.wrap_future(pool.submit(step))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        run.stop(asyncio.get_running_loop())
        future.add_done_callback(lambda f: f.cancelled() or f.exception())
        raise


async def _told(closing: "Future[None]", run: "_Run") -> None:
    """Wait for the end, but not for ever: a query deep in one function does not hear us."""
    _, late = await asyncio.wait([asyncio.wrap_future(closing)], timeout=4 * AGAIN_S)
    if late:
        log.warning("a query goes on after its end", extra={"text": run.question.text[:500]})


class _Run:
    """One query: all but `stop` is called on one thread."""

    def __init__(self, question: Question, look: Callable[[], Relations]) -> None:
        self.question = question
        self._look = look
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._reader: pa.RecordBatchReader | None = None
        self._stopped = False
        self._done = False
        self._lock = threading.Lock()

    def stop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Break off what runs; said again until it is heard."""
        with self._lock:
            self._stopped = True
            if self._done:
                return
            if self._engine is not None:
                self._engine.interrupt()
        if not loop.is_closed():
            loop.call_later(AGAIN_S, self.stop, loop)

    def open(self) -> pa.RecordBatch:
        """Begin; returns a batch without rows that tells the columns."""
        assert_off_loop()
        try:
            relations = self._look()
            self._check()
            engine = _engine(self.question, relations)
            with self._lock:
                self._engine = engine
            self._check()
            self._reader = engine.sql(self.question.text).to_arrow_reader(ROWS_MAX)
            return pa.RecordBatch.from_pylist([], schema=self._reader.schema)
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            raise self._failure(error) from error

    def next(self) -> pa.RecordBatch | None:
        """The next rows; None when there are no more."""
        assert self._reader is not None  # noqa: S101 - made by `open`
        try:
            self._check()
            return self._reader.read_next_batch()
        except StopIteration:
            return None
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._done = True
            engine, self._engine = self._engine, None
        self._reader = None
        if engine is not None:
            engine.close()

    def _check(self) -> None:
        if self._stopped:
            raise self._late()

    def _late(self) -> Unavailable:
        return Unavailable(
            f"the query took more than {self.question.timeout_s:g} s",
            remedy="Ask for less time, for fewer points, or for a view of roll-ups.",
        )

    def _failure(self, error: Exception) -> LineshaftError:
        """What a person is told of an error of the engine."""
        kind, message = _told_by(error)
        if self._stopped or kind == "INTERRUPT":
            return self._late()
        if kind == "Out of Memory":
            return Unavailable(
                f"the query needs more than {self.question.memory_mb} MB of memory",
                remedy="Ask for less time or fewer points, or group before you join and sort.",
            )
        if kind in ("IO", "Permission", "FATAL", "INTERNAL", ""):
            log.error("query failed", extra={"cause": str(error)})
            return Unavailable("the query failed in the engine", remedy="See the server's log.")
        return Invalid(f"{kind} error: {message}", remedy="Compare with GET /api/v1/sql/schema.")


def _told_by(error: Exception) -> tuple[str, str]:
    """The kind and the first sentence of a message as `Binder Error: …`."""
    found = re.search(r"(?:^|: )((?:\w+ ){0,3}\w+) Error: ", str(error))
    if isinstance(error, duckdb.OutOfMemoryException):
        return "Out of Memory", ""
    if found is None:
        return "", str(error)
    message = str(error)[found.end() :].split("\n\nLINE ")[0].strip()
    return found.group(1), message.replace(_SECRET, "")


def _engine(question: Question, relations: Relations) -> duckdb.DuckDBPyConnection:
    """A DuckDB in which the views exist and nothing else can be reached."""
    engine = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{question.memory_mb}MB",
            "threads": THREADS,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )
    for setting in ("python_enable_replacements = false", "TimeZone = 'UTC'"):
        engine.execute(f"SET {setting}")
    for name, table in {**relations.tables, **question.tables}.items():
        engine.register(name, table)
    for name, query in relations.views.items():
        engine.execute(f"CREATE TEMP VIEW {name} AS {query}")
    allowed = ", ".join(literal(str(f)) for f in relations.files)
    engine.execute(f"SET allowed_paths = [{allowed}]")
    engine.execute("SET enable_external_access = false")
    engine.execute("SET lock_configuration = true")
    return engine


def literal(text: str) -> str:
    """The text as SQL."""
    return "'" + text.replace("'", "''") + "'"


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
