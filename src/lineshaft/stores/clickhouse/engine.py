"""Talking to ClickHouse: one client a thread, since a session is a lock and mixes up parameters."""

import contextlib
import threading
from typing import Any

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError

from lineshaft.core.batch import SCHEMA, Batch
from lineshaft.core.errors import SettingsError, Unavailable
from lineshaft.core.flow import assert_off_loop

ARROW = {
    "output_format_arrow_low_cardinality_as_dictionary": 1,
    "output_format_arrow_use_signed_indexes_for_dictionary": 1,
}
"""How rows come: paths once, and numbers for them."""


class Engine:
    """A server, a cluster, or ClickHouse in this process (`chdb://`)."""

    def __init__(self, dsn: str, password: str, timeout_s: float) -> None:
        self._dsn = dsn
        self._password = password
        self._timeout_s = timeout_s
        self._here = threading.local()
        self._lock = threading.Lock()
        self._all: list[Any] = []

    def open(self) -> None:
        """Connect once, to see that it can be done.

        Raises:
            SettingsError: it cannot.
        """
        try:
            self._client().command("SELECT 1")
        except (ClickHouseError, RuntimeError, OSError) as error:
            raise SettingsError(
                f"store: ClickHouse at {_shown(self._dsn)} cannot be opened: {_line(error)}",
                remedy="See that the server runs and the user may log in; with chdb:// one process"
                " holds one folder, and a process holds no second one.",
            ) from error

    def close(self) -> None:
        """Let go of all clients."""
        with self._lock:
            clients, self._all = self._all, []
        for client in clients:
            with contextlib.suppress(ClickHouseError, RuntimeError, OSError):
                client.close()

    def _client(self) -> Any:  # noqa: ANN401 - the library's class is not typed
        assert_off_loop()
        client = getattr(self._here, "client", None)
        if client is None:
            more: dict[str, Any] = {}
            if not self._dsn.startswith("chdb:"):
                more = {
                    "send_receive_timeout": self._timeout_s,
                    "autogenerate_session_id": False,
                }
                if self._password:
                    more["password"] = self._password
            client = clickhouse_connect.get_client(dsn=self._dsn, **more)
            self._here.client = client
            with self._lock:
                self._all.append(client)
        return client

    # ---- statements

    def do(self, statement: str) -> None:
        """Carry out a statement without an answer.

        Raises:
            Unavailable: ClickHouse did not.
        """
        with _told():
            self._client().command(statement)

    def table(self, query: str) -> pa.Table:
        """The answer to a SELECT.

        Raises:
            Unavailable: ClickHouse did not answer.
        """
        with _told():
            return self._client().query_arrow(query, settings=ARROW)

    def value(self, query: str) -> int:
        """The answer to a SELECT of one number.

        Raises:
            Unavailable: ClickHouse did not answer.
        """
        return int(self.table(query).column(0)[0].as_py() or 0)

    def rows(self, query: str) -> Batch:
        """The answer to a SELECT of the columns of samples.

        Raises:
            Unavailable: ClickHouse did not answer.
        """
        return batch_of(self.table(query))

    def insert(self, table: str, rows: pa.Table, settings: dict[str, int | str]) -> None:
        """Bring in rows; done when it returns.

        Raises:
            Unavailable: ClickHouse did not take them, or only some.
        """
        database, _, own = table.replace("`", "").partition(".")
        with _told():
            self._client().insert_arrow(own, rows, database=database, settings=settings)


@contextlib.contextmanager
def _told() -> Any:  # noqa: ANN401
    try:
        yield
    except (ClickHouseError, RuntimeError, OSError) as error:
        raise Unavailable(
            f"ClickHouse: {_line(error)}",
            remedy="See the server's log; it is tried again with the next batch.",
        ) from error


def _line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:300]


def _shown(dsn: str) -> str:
    """The address without the password that may stand in it."""
    before, at, after = dsn.rpartition("@")
    scheme, _, user = before.partition("://")
    return f"{scheme}://{user.partition(':')[0]}@{after}" if at else dsn


def batch_of(table: pa.Table) -> Batch:
    """The rows as a batch."""
    table = table.select(SCHEMA.names)
    if not table.num_rows:
        return Batch.empty()
    if pa.types.is_dictionary(table.schema.field("point").type):
        table = table.unify_dictionaries()
    return Batch.concat([Batch(b) for b in table.combine_chunks().to_batches()])
