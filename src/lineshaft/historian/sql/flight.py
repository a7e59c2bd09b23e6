"""An Arrow Flight SQL server: the same SQL, with the same rights, for ADBC and JDBC clients.

Nothing is kept between calls: what a handle stands for is the text of the query itself, which is
checked with the rights of who brings it each time.
"""

import asyncio
import base64
import binascii
import functools
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from pyarrow import flight

from lineshaft.core.access import Action, Authenticator, Identity
from lineshaft.core.errors import (
    Denied,
    Invalid,
    LineshaftError,
    Refused,
    Unavailable,
    Unknown,
)
from lineshaft.historian.sql import catalog, messages
from lineshaft.historian.sql.asking import Sql
from lineshaft.historian.sql.messages import Message
from lineshaft.historian.sql.serving import FlightSettings

T = TypeVar("T")

Login = Callable[[str, str, str], Awaitable[str]]
"""A session's identifier for name, password and address.

Raises:
    Unknown: they are wrong.
"""
CALL_S = 120.0
"""Seconds after which a call that is not answered by the plant is given up."""
_QUERIES = {"CommandStatementQuery", "CommandPreparedStatementQuery", "TicketStatementQuery"}


class FlightSql:
    """The server as a part of the plant."""

    def __init__(
        self, settings: FlightSettings, sql: Sql, authenticator: Authenticator, login: Login
    ) -> None:
        self.settings = settings
        self.port = 0
        """The port, once it listens."""
        self._sql = sql
        self._authenticator = authenticator
        self._login = login

    async def run(self, up: Callable[[], None] = lambda: None) -> None:
        """Serve until cancelled.

        Raises:
            Refused: the address or the certificate cannot be used.
        """
        calls = _Calls(asyncio.get_running_loop(), self._sql, self._authenticator, self._login)
        server = await asyncio.to_thread(self._made, calls)
        self.port = server.port
        try:
            up()
            await asyncio.Event().wait()
        finally:
            calls.close()
            await asyncio.shield(asyncio.to_thread(server.shutdown))

    def _made(self, calls: "_Calls") -> "_Server":
        settings = self.settings
        scheme = "grpc+tls" if settings.tls_certificate else "grpc"
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        options: dict[str, Any] = {}
        try:
            if settings.tls_certificate:
                pair = (Path(settings.tls_certificate), Path(settings.tls_key))
                options["tls_certificates"] = [tuple(p.read_bytes() for p in pair)]
            return _Server(calls, f"{scheme}://{host}:{settings.port}", **options)
        except (OSError, pa.ArrowException) as error:
            raise Refused(
                f"Flight SQL cannot listen on {settings.host}:{settings.port}: {error}",
                remedy="Set another port, or a certificate that fits, in the table [flight].",
            ) from error


class _Calls:
    """What gRPC's threads ask of the event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sql: Sql,
        authenticator: Authenticator,
        login: Login,
    ) -> None:
        self.sql = sql
        self.login = login
        self._loop = loop
        self._authenticator = authenticator
        self._lock = threading.Lock()
        self._open: set[Any] = set()
        self._closed = False

    def have(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of what the event loop does."""
        with self._lock:
            if self._closed:
                work.close()
                raise Unavailable("the plant is stopping", remedy="Connect again later.")
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._open.add(future)
        try:
            return future.result(CALL_S)
        except (TimeoutError, asyncio.CancelledError):
            future.cancel()
            raise Unavailable("the plant does not answer", remedy="Try again.") from None
        finally:
            with self._lock:
                self._open.discard(future)

    def close(self) -> None:
        """Give up what is still asked."""
        with self._lock:
            self._closed = True
            for future in self._open:
                future.cancel()

    def identify(self, credential: str, address: str) -> Identity:
        """Who brings the bearer token or the session that a login gave.

        Raises:
            Unknown: it is not valid.
            Denied: who it is may not look.
        """
        is_token = credential.startswith("ls_")
        who = self.have(
            self._authenticator.identify(
                token=credential if is_token else "",
                session="" if is_token else credential,
                address=address,
            )  # type: ignore[arg-type]
        )
        if who is None:
            raise Unknown("the call carries no valid session or token")
        if Action.LOOK not in who.actions:
            raise Denied(f"{who.name} may not do this: it needs the action 'look'")
        return who


class _Caller(flight.ServerMiddleware):  # type: ignore[misc]
    """Who calls, as far as the headers say, and what is sent back."""

    def __init__(self, credential: str) -> None:
        self.credential = credential

    def sending_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.credential}"} if self.credential else {}


class _Callers(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Reads the header `authorization` of each call."""

    def __init__(self, calls: _Calls) -> None:
        super().__init__()
        self._calls = calls

    def start_call(self, info: Any, headers: dict[str, list[str]]) -> _Caller:  # noqa: ANN401
        values = next((v for k, v in headers.items() if k.lower() == "authorization"), [""])
        kind, _, rest = values[0].partition(" ")
        if kind.lower() == "basic":
            with _told():
                return _Caller(self._logged_in(rest.strip()))
        return _Caller(rest.strip() if kind.lower() == "bearer" else "")

    def _logged_in(self, encoded: str) -> str:
        try:
            # Some clients leave out the padding.
            padded = encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4)
            name, _, word = base64.b64decode(padded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Unknown("the header authorization is ill-formed") from None
        if word.startswith("ls_"):  # a token in the place of a password, whatever the name
            return word
        return self._calls.have(self._calls.login(name, word, ""))  # type: ignore[arg-type]


class _Handshake(flight.ServerAuthHandler):  # type: ignore[misc]
    """Lets the handshake pass: the header tells who it is, and each call is checked."""

    def authenticate(self, outgoing: Any, incoming: Any) -> None:  # noqa: ANN401
        pass

    def is_valid(self, token: bytes) -> str:
        return ""


class _told:  # noqa: N801 - reads as a sentence: `with _told():`
    """Has errors of ours reach the client with their sentence and remedy."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if not isinstance(error, LineshaftError):
            return
        sentence = f"{error}. {error.remedy}" if error.remedy else str(error)
        kinds: dict[type[LineshaftError], type[Exception]] = {
            Invalid: pa.ArrowInvalid,
            Unknown: flight.FlightUnauthenticatedError,
            Denied: flight.FlightUnauthorizedError,
            Unavailable: flight.FlightUnavailableError,
        }
        made = next((m for k, m in kinds.items() if isinstance(error, k)), flight.FlightServerError)
        raise made(sentence) from error


def _telling(call: Callable[..., T]) -> Callable[..., T]:
    @functools.wraps(call)
    def wrapped(*args: Any, **options: Any) -> T:  # noqa: ANN401
        with _told():
            return call(*args, **options)

    return wrapped


class _Server(flight.FlightServerBase):  # type: ignore[misc]
    """Answers calls on threads of gRPC."""

    def __init__(self, calls: _Calls, location: str, **options: Any) -> None:  # noqa: ANN401
        self._calls = calls
        super().__init__(
            location,
            auth_handler=_Handshake(),
            middleware={"caller": _Callers(calls)},
            **options,
        )

    def _who(self, context: Any) -> Identity:  # noqa: ANN401
        return self._calls.identify(context.get_middleware("caller").credential, context.peer())

    @_telling
    def get_flight_info(self, context: Any, descriptor: Any) -> Any:  # noqa: ANN401
        """Columns of an answer, and the ticket for its rows."""
        who = self._who(context)
        message = messages.read(descriptor.command or b"")
        told = catalog.answer(message)
        if told is not None:
            schema, ticket = told.schema, descriptor.command
        else:
            text = _text(message)
            schema = self._calls.have(self._calls.sql.columns(text, who))
            ticket = messages.write("TicketStatementQuery", {1: text.encode()})
        endpoint = flight.FlightEndpoint(flight.Ticket(ticket), [])
        return flight.FlightInfo(schema, descriptor, [endpoint], -1, -1)

    @_telling
    def get_schema(self, context: Any, descriptor: Any) -> Any:  # noqa: ANN401
        """Columns of an answer."""
        return flight.SchemaResult(self.get_flight_info(context, descriptor).schema)

    @_telling
    def do_get(self, context: Any, ticket: Any) -> Any:  # noqa: ANN401
        """Rows of an answer."""
        who = self._who(context)
        message = messages.read(ticket.ticket)
        told = catalog.answer(message)
        if told is not None:
            return flight.RecordBatchStream(told)
        answer = self._calls.sql.ask(_text(message), who)
        first = self._calls.have(_next(answer))
        if first is None:
            raise Unavailable("the query gave no answer", remedy="Try again.")
        return flight.GeneratorStream(first.schema, self._rows(context, answer))

    def _rows(self, context: Any, answer: Any) -> Iterator[pa.RecordBatch]:  # noqa: ANN401
        rows = 0
        most = self._calls.sql.limits.sql_rows_max
        try:
            while not context.is_cancelled():
                with _told():
                    batch = self._calls.have(_next(answer))
                    if batch is None:
                        return
                    rows += batch.num_rows
                    if rows > most:
                        raise Unavailable(
                            f"the answer has more than {most} rows",
                            remedy="Ask for less, or raise sql_rows_max in [historian].",
                        )
                yield batch
        finally:
            with _told():
                self._calls.have(answer.aclose())

    @_telling
    def do_action(self, context: Any, action: Any) -> Iterator[Any]:  # noqa: ANN401
        """Prepare a query; to close one, nothing needs to be done."""
        who = self._who(context)
        match action.type:
            case "CreatePreparedStatement":
                text = messages.read(action.body.to_pybytes()).text(1) or ""
                schema = self._calls.have(self._calls.sql.columns(text, who))
                fields = {1: text.encode(), 2: schema.serialize().to_pybytes()}
                body = messages.write("ActionCreatePreparedStatementResult", fields)
                return iter([flight.Result(body)])
            case "ClosePreparedStatement" | "CloseSession":
                return iter(())
        raise Invalid(
            f"the action {action.type!r} is not offered", remedy="Queries in SQL can be read only."
        )

    def list_actions(self, context: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        """What `do_action` takes."""
        return [
            ("CreatePreparedStatement", "Check a query and tell its columns."),
            ("ClosePreparedStatement", "Forget a query."),
        ]


async def _next(answer: Any) -> pa.RecordBatch | None:  # noqa: ANN401
    return await anext(answer, None)


def _text(message: Message) -> str:
    if message.name not in _QUERIES:
        raise Invalid(f"{message.name} is not offered", remedy="Queries in SQL can be read only.")
    return message.text(1) or ""
