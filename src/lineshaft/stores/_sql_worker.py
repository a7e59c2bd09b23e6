"""The process in which a SELECT runs: what it takes too much of, it takes from itself alone.

DuckDB's memory limit does not count every text, and some of its functions cannot be interrupted;
so the limits of the operating system hold here, and whoever started this process may kill it.

On stdin come requests, on stdout go answers, both as frames: a letter, 8 bytes of length, a body.
"""

import os
import re
import resource
import signal
import struct
import sys
from typing import IO

import duckdb
import msgspec
import pyarrow as pa

HEAD = struct.Struct("<cQ")
ROWS_MAX = 50_000
"""Rows of a batch."""
NICE = 5
"""Behind whoever takes data in."""
SPARE_BYTES = 256 << 20
"""Room for what is not DuckDB's: stacks of threads, rows on their way."""
GRACE_S = 10
"""Seconds after the time is up until the process ends itself, should nobody have killed it."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A query to run."""

    text: str
    views: dict[str, str]
    tables: list[str]
    """Names of the tables that follow, each in a frame of its own."""
    files: list[str]
    memory_mb: int
    threads: int
    timeout_s: float


class Failure(msgspec.Struct, frozen=True):
    """Why there is no answer."""

    kind: str
    message: str


def send(pipe: IO[bytes], letter: bytes, body: bytes | memoryview) -> None:
    """Write a frame."""
    pipe.write(HEAD.pack(letter, len(body)))
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[bytes, bytes]:
    """Read a frame.

    Raises:
        EOFError: the other side is gone.
    """
    head = pipe.read(HEAD.size)
    if len(head) < HEAD.size:
        raise EOFError
    letter, length = HEAD.unpack(head)
    body = pipe.read(length)
    if len(body) < length:
        raise EOFError
    return letter, body


def main() -> None:
    """Answer requests until stdin ends."""
    asks, tells = sys.stdin.buffer, sys.stdout.buffer
    os.nice(NICE)
    send(tells, b"R", b"")
    while True:
        try:
            _, body = receive(asks)
            request = msgspec.json.decode(body, type=Request)
            tables = {}
            for name in request.tables:
                tables[name] = pa.ipc.open_stream(receive(asks)[1]).read_all()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, request.timeout_s + GRACE_S)
        _bound(request.memory_mb)
        try:
            _answer(request, tables, tells)
            send(tells, b"D", b"")
        except (duckdb.Error, OSError, MemoryError, pa.ArrowException) as error:
            send(tells, b"E", msgspec.json.encode(failure(error)))
        signal.setitimer(signal.ITIMER_REAL, 0)


def _bound(memory_mb: int) -> None:
    """Let this process take so much more memory."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no path of ours
        data = int(file.read().split()[5]) * resource.getpagesize()
    room = data + 2 * (memory_mb << 20) + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (room, resource.RLIM_INFINITY))


def _answer(request: Request, tables: dict[str, pa.Table], tells: IO[bytes]) -> None:
    engine = _engine(request, tables)
    try:
        reader = engine.sql(request.text).to_arrow_reader(ROWS_MAX)
        send(tells, b"S", memoryview(reader.schema.serialize()))
        for batch in reader:
            send(tells, b"B", memoryview(batch.serialize()))
    finally:
        engine.close()


def _engine(request: Request, tables: dict[str, pa.Table]) -> duckdb.DuckDBPyConnection:
    """A DuckDB in which the views exist and nothing else can be reached."""
    engine = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{request.memory_mb}MB",
            "threads": request.threads,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )
    for setting in ("python_enable_replacements = false", "TimeZone = 'UTC'"):
        engine.execute(f"SET {setting}")
    for name, table in tables.items():
        engine.register(name, table)
    for name, query in request.views.items():
        engine.execute(f"CREATE TEMP VIEW {name} AS {query}")
    allowed = ", ".join("'" + f.replace("'", "''") + "'" for f in request.files)
    engine.execute(f"SET allowed_paths = [{allowed}]")
    engine.execute("SET enable_external_access = false")
    engine.execute("SET lock_configuration = true")
    return engine


def failure(error: Exception) -> Failure:
    """The kind and the first sentences of a message as `Binder Error: …`."""
    text = str(error)
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException | pa.ArrowMemoryError):
        return Failure("Out of Memory", "")
    if "std::bad_alloc" in text:
        return Failure("Out of Memory", "")
    found = re.search(r"(?:^|: )((?:\w+ ){0,3}\w+) Error: ", text)
    if found is None:
        return Failure("", text)
    return Failure(found.group(1), text[found.end() :].partition("\n\nLINE ")[0].strip())


if __name__ == "__main__":
    main()
