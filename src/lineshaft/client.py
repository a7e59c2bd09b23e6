"""The Python client: `lineshaft.connect(url, token)` reads, watches and brings in data."""

import functools
import io
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
import pyarrow as pa
import websockets.sync.client
from websockets.asyncio.client import connect as _connect_async
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid, LineshaftError, LinkLost, Unavailable, Unknown
from lineshaft.core.flow import wait_s
from lineshaft.core.point import Point
from lineshaft.core.point import Value as Bare
from lineshaft.historian import files
from lineshaft.historian.files import Mapping
from lineshaft.historian.imports import Import
from lineshaft.historian.last import Value
from lineshaft.historian.query import Query
from lineshaft.operations.client import Operations
from lineshaft.twins.client import Twins
from lineshaft.web.problem import Problem, failure
from lineshaft.web.watching import Live, Watching

TIMEOUT_S = 60.0
TRIES_MAX = 30
"""How often an import tries to send a chunk while the plant takes nothing."""

T = TypeVar("T")
Time = int | str
"""Nanoseconds since the epoch, RFC 3339, or relative: `now`, `-1h`."""


class History:
    """Raw samples as a table: point, time (UTC), value, text, quality."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def arrow(self) -> pa.Table:
        """As an Arrow table."""
        return self._table

    def pandas(self) -> Any:  # noqa: ANN401 - pandas has no types here
        """As a pandas DataFrame; needs `pip install 'lineshaft[pandas]'`."""
        return self._table.to_pandas()

    def polars(self) -> Any:  # noqa: ANN401 - polars is not always installed
        """As a Polars DataFrame; needs `pip install 'lineshaft[polars]'`."""
        try:
            import polars  # noqa: PLC0415 - an extra
        except ModuleNotFoundError:
            raise Invalid(
                "polars is not installed", remedy="pip install 'lineshaft[polars]'"
            ) from None
        return polars.from_arrow(self._table)


class _Page(msgspec.Struct):
    items: list[Point]
    cursor: str


class _Items(msgspec.Struct):
    items: list[Value]


class Client(Operations):
    """A connection to a plant. Every error is one of `lineshaft.core.errors`, with a remedy."""

    def __init__(self, url: str, token: str = "", *, verify: str | bool = True) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Invalid(f"{url!r} is no address", remedy="Write it as http://host:8080.")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        context = httpx.create_ssl_context(verify) if parts.scheme == "https" else None
        self._context = context
        self._http = httpx.Client(
            base_url=self.url + "/api/v1",
            headers=self._headers,
            timeout=TIMEOUT_S,
            verify=context or True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    # ---- reading

    def points(self, search: str = "", branch: str = "") -> list[Point]:
        """Points by words in path, description, unit or source, below a branch."""
        found: list[Point] = []
        cursor = ""
        while True:
            ask = {"search": search, "branch": branch, "cursor": cursor, "limit": 1000}
            page = self._get("/points", _Page, params=ask)
            found += page.items
            cursor = page.cursor
            if not cursor:
                return found

    def last(self, points: Sequence[str] = (), *, branch: str | None = None) -> list[Value]:
        """The newest samples of points, or of all below a branch."""
        ask: dict[str, Any] = {"points": list(points)}
        return self._get("/last", _Items, params=_given(ask | {"branch": branch})).items

    def history(self, points: Sequence[str], start: Time = "-1h", stop: Time = "now") -> History:
        """All samples of points with `start <= time < stop`."""
        return self.query(points, start=str(start), stop=str(stop))

    def query(self, points: Sequence[str] | Query = (), **asked: Any) -> History:  # noqa: ANN401 - fields of Query
        """The answer to a question to history; fields of `Query` are given by name."""
        with self._batches(_question(points, asked)) as (schema, batches):
            return History(pa.Table.from_batches(batches, schema=schema))

    def batches(
        self,
        points: Sequence[str] | Query = (),
        **asked: Any,  # noqa: ANN401 - fields of Query
    ) -> Iterator[pa.RecordBatch]:
        """The same, part after part, for answers that do not fit into memory."""
        with self._batches(_question(points, asked)) as (_, batches):
            yield from batches

    @contextmanager
    def _batches(self, asked: Query) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        with self.download(asked, "arrow") as answer, _stream(answer) as stream:
            yield stream.schema, iter(stream)

    def sql(self, text: str, *, limit: int | None = None) -> History:
        """The rows that one SELECT gives, over the views of `GET /sql/schema`."""
        with self.sql_download(text, "arrow", limit=limit) as answer, _stream(answer) as stream:
            return History(stream.read_all())

    @contextmanager
    def sql_download(
        self, text: str, kind: str, *, limit: int | None = None
    ) -> Iterator[httpx.Response]:
        """The same in a format (csv, parquet, arrow, json), to be read part by part."""
        asked = {"text": text, "format": kind, "limit": limit}
        with self._answer("POST", "/sql", json=asked) as answer:
            yield answer

    @contextmanager
    def download(self, asked: Query, kind: str) -> Iterator[httpx.Response]:
        """The answer in a format (csv, parquet, arrow, json, ndjson), to be read part by part."""
        with self._answer("POST", "/query", params={"format": kind},
                          json=msgspec.to_builtins(asked)) as answer:  # fmt: skip
            yield answer

    def devices(self) -> list[dict[str, Any]]:
        """Every device with its state."""
        return list(self._json("GET", "/devices")["items"])

    def system(self) -> dict[str, Any]:
        """How the plant fares."""
        return dict(self._json("GET", "/system"))

    # ---- watching

    def live(self, points: Sequence[str] = (), *, branch: str | None = None) -> Iterator[Live]:
        """Live values, the last ones first, until the caller stops or the link breaks."""
        watch = Watching(points, branch)
        try:
            with websockets.sync.client.connect(
                self._live_url(),
                additional_headers=self._headers,
                compression=None,
                ssl=self._context,
            ) as socket:
                for text in watch.hello():
                    socket.send(text)
                for item in socket:
                    yield from watch.values(item)
                    if isinstance(item, bytes):
                        socket.send('{"credit": 1}')
        except (OSError, InvalidHandshake, ConnectionClosed) as error:
            raise self._lost(error) from error

    async def live_async(
        self, points: Sequence[str] = (), *, branch: str | None = None
    ) -> AsyncGenerator[Live]:
        """The same as `live`, for programs with an event loop."""
        watch = Watching(points, branch)
        try:
            async with _connect_async(
                self._live_url(),
                additional_headers=self._headers,
                compression=None,
                ssl=self._context,
            ) as socket:
                for text in watch.hello():
                    await socket.send(text)
                async for item in socket:
                    for value in watch.values(item):
                        yield value
                    if isinstance(item, bytes):
                        await socket.send('{"credit": 1}')
        except (OSError, InvalidHandshake, ConnectionClosed) as error:
            raise self._lost(error) from error

    def _live_url(self) -> str:
        return "ws" + self.url.removeprefix("http") + "/api/v1/live"

    def _lost(self, error: Exception) -> LineshaftError:
        if isinstance(error, InvalidHandshake):
            return Unknown(
                f"{self.url} does not let this token watch: {error}",
                remedy="Make a token on the account page of the console.",
            )
        return LinkLost(f"the connection to {self.url} broke: {error}", remedy="Connect again.")

    @functools.cached_property
    def twins(self) -> Twins[History]:
        """Digital twins: shells, submodels, elements and their values."""
        return Twins(self._http, self.history)

    # ---- bringing in

    def append(self, batch: Batch | pa.Table) -> int:
        """Keep samples; returns how many once the plant's store has confirmed them all."""
        whole = batch if isinstance(batch, Batch) else Batch.from_table(batch)
        done = 0
        for start in range(0, len(whole), files.ROWS_MAX):
            part = whole.slice(start, min(start + files.ROWS_MAX, len(whole)))
            done += int(self._json("POST", "/samples", content=part.to_ipc())["accepted"])
        return done

    def import_file(
        self,
        path: str | Path,
        mapping: Mapping | None = None,
        progress: Callable[[Import], None] | None = None,
    ) -> Import:
        """Bring in a CSV or Parquet file; a broken-off import of the same file is resumed.

        Raises:
            Invalid: the file does not fit the mapping.
            Missing: there is no such file.
        """
        mapping, path = mapping or Mapping(), Path(path)
        new = {
            "name": path.name,
            "fingerprint": files.fingerprint(path, mapping),
            "rows_total": files.rows_estimate(path, mapping),
            "estimate": True,
        }
        state = self._import("/imports", json=new)
        done = 0
        for batch in files.batches(path, mapping):
            done += len(batch)
            if done > state.rows_done:
                state = self._chunk(state, done - len(batch), batch)
                if progress:
                    progress(state)
        return self._import("/imports", json=new | {"rows_total": done, "estimate": False})

    def _chunk(self, state: Import, offset: int, batch: Batch) -> Import:
        """Send a chunk, however often it takes: what came twice is counted once."""
        url = f"/imports/{state.id}/chunks"
        content = batch.to_ipc()
        for attempt in range(1, TRIES_MAX):
            try:
                return self._import(url, params={"offset": offset}, content=content)
            except (LinkLost, Unavailable):
                time.sleep(wait_s(attempt))
        return self._import(url, params={"offset": offset}, content=content)

    def _import(self, path: str, **options: Any) -> Import:  # noqa: ANN401
        with self._answer("POST", path, **options) as answer:
            return msgspec.json.decode(answer.read(), type=Import)

    # ---- writing to machines

    def prepare_write(self, point: str, value: Bare) -> dict[str, Any]:
        """Ask to write a value; shows what would happen and writes nothing yet."""
        return dict(self._json("POST", "/writes", json={"point": point, "value": value}))

    def confirm_write(self, ticket: str, reason: str = "") -> dict[str, Any]:
        """Write what was prepared; returns the value that was read back as proof."""
        return dict(self._json("POST", f"/writes/{ticket}/confirm", json={"reason": reason}))

    def cancel_write(self, ticket: str) -> None:
        """Forget what was prepared."""
        self._json("DELETE", f"/writes/{ticket}")

    def write(self, point: str, value: Bare, *, reason: str = "") -> dict[str, Any]:
        """Prepare and confirm in one; for programs that know what they do."""
        return self.confirm_write(self.prepare_write(point, value)["id"], reason)

    def _get(self, path: str, wanted: type[T], *, params: dict[str, Any]) -> T:
        with self._answer("GET", path, params=params) as answer:
            return msgspec.json.decode(answer.read(), type=wanted)

    def look_after_store(self, verb: str, **options: object) -> dict[str, Any]:
        """Have the plant `verify`, `backup` or `retain` (`dry` or not) its store; what it found."""
        given = {k: str(v).lower() for k, v in options.items()}
        return self._json("POST", f"/store/{verb}", params=given, timeout=None)

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        with self._answer(method, path, **options) as answer:
            return msgspec.json.decode(answer.read() or b"{}", type=dict[str, Any])

    @contextmanager
    def _answer(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:  # noqa: ANN401
        """The answer, not read yet, once it is known to be good."""
        try:
            with self._http.stream(method, path, **options) as answer:
                if answer.is_success:
                    yield answer
                    return
                raise _failure(answer.status_code, answer.read())
        except httpx.TransportError as error:
            raise LinkLost(
                f"{self.url} does not answer: {error}",
                remedy="Check the address, and that the plant runs.",
            ) from error


@contextmanager
def _stream(answer: httpx.Response) -> Iterator[pa.RecordBatchReader]:
    """The batches of an answer in Arrow's format."""
    try:
        yield pa.ipc.open_stream(io.BufferedReader(_Body(answer.iter_bytes())))
    except (pa.ArrowInvalid, OSError, httpx.RemoteProtocolError) as error:
        raise LinkLost(f"the answer broke off: {error}", remedy="Ask again.") from error


class _Body(io.RawIOBase):
    """The body of an answer as a file to read from."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts = parts
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:  # noqa: ANN401 - any buffer
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        size = min(len(into), len(self._rest))
        into[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _question(points: Sequence[str] | Query, asked: dict[str, Any]) -> Query:
    if isinstance(points, Query):
        return msgspec.structs.replace(points, **asked)
    return Query(points=tuple(points), **asked)


def connect(url: str = "http://127.0.0.1:8080", token: str = "", **options: Any) -> Client:  # noqa: ANN401
    """A client of the plant at this address, with an API token made in the console."""
    return Client(url, token, **options)


def _given(ask: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in ask.items() if v is not None}


def _failure(status: int, body: bytes) -> LineshaftError:
    try:
        return failure(msgspec.json.decode(body, type=Problem))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Unavailable(
            f"the answer has status {status} and is no answer of a plant",
            remedy="Check the address; is there a proxy between?",
        )
