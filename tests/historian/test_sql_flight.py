"""Arrow Flight SQL, asked by the ADBC driver, which is nobody of ours."""

import asyncio
import contextlib
import threading

import pyarrow as pa
import pytest
from pyarrow import flight

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid, Refused, Unknown
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.historian import COLLECTIONS
from lineshaft.historian.namespace import Namespace
from lineshaft.historian.sql import messages
from lineshaft.historian.sql.asking import Limits, Sql
from lineshaft.historian.sql.flight import FlightSql
from lineshaft.historian.sql.serving import FlightSettings
from lineshaft.records import Records
from lineshaft.stores import Store

dbapi = pytest.importorskip("adbc_driver_flightsql.dbapi")
HEADER = "adbc.flight.sql.authorization_header"
NOON = 1_780_000_000 * NS_PER_S
LOOK = frozenset({Action.LOOK})


class People:
    known = {
        "ls_all": Identity(name="alma", actions=LOOK),
        "ls_b": Identity(name="ben", actions=LOOK, branches=("works/b",)),
        "ls_none": Identity(name="nils"),
        "s-alma": Identity(name="alma", actions=LOOK),
    }

    async def identify(self, *, session: str, token: str, address: str) -> Identity | None:
        return self.known.get(token or session)

    async def login(self, name: str, password: str, address: str) -> str:
        if password != "right":
            raise Unknown("name or password is wrong")
        return f"s-{name}"


@pytest.fixture
async def url():
    store = build(Store, {"name": "s", "kind": "memory"})
    records = build(Records, {"name": "r", "kind": "memory"})
    people = People()
    async with store.opened(), records.opened(COLLECTIONS):
        rows = [(f"works/{b}/oil", NOON + i * NS_PER_S, float(i)) for b in "ab" for i in range(10)]
        await store.append(Batch.of_rows(rows))
        namespace = Namespace(records, points_max=10)
        namespace.declare([Point(path="works/a/oil", unit="Cel")])
        sql = Sql(store, namespace, Limits(sql_concurrent=4))
        server = FlightSql(FlightSettings(on=True, port=0), sql, people, people.login)
        up = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(server.run(up.set))
            await up.wait()
            yield f"grpc://127.0.0.1:{server.port}"
            task.cancel()


def connected(url: str, token: str = "ls_all", **more):
    options = more or {HEADER: f"Bearer {token}"}
    return dbapi.connect(url, db_kwargs=options, autocommit=True)


def asked(url: str, text: str, token: str = "ls_all", **more) -> list[tuple]:
    with connected(url, token, **more) as link, link.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall()


async def test_a_query_is_answered(url):
    text = "SELECT point, time_ns, number FROM samples WHERE number >= 8 ORDER BY 1, 2"
    rows = await asyncio.to_thread(asked, url, text)
    assert rows == [(f"works/{b}/oil", NOON + i * NS_PER_S, float(i)) for b in "ab" for i in (8, 9)]


async def test_a_login_with_name_and_password_is_remembered(url):
    for word in ("right", "ls_all"):
        person = {"username": "alma", "password": word}
        assert await asyncio.to_thread(asked, url, "SELECT 1", **person) == [(1,)]
    with pytest.raises(dbapi.Error, match="(?i)wrong|unauthenticated"):
        await asyncio.to_thread(asked, url, "SELECT 1", username="alma", password="no")


async def test_rights_are_those_of_the_caller(url):
    text = "SELECT DISTINCT point FROM samples UNION SELECT point FROM points"
    assert await asyncio.to_thread(asked, url, text, "ls_b") == [("works/b/oil",)]
    for token in ("ls_none", "ls_wrong", ""):
        with pytest.raises(dbapi.Error):
            await asyncio.to_thread(asked, url, "SELECT 1", token)


async def test_what_is_wrong_is_told_with_its_remedy(url):
    for text, told in (
        ("SELECT * FROM 'x.parquet'", "The views are"),
        ("COPY samples TO 'x'", "one SELECT"),
        ("SELECT nothing FROM samples", "Binder error"),
        ("SELECT 'x'::INT", "Conversion error"),
    ):
        with pytest.raises(dbapi.Error, match=told):
            await asyncio.to_thread(asked, url, text)


async def test_tools_find_the_views_and_their_columns(url):
    def look():
        with connected(url) as link:
            objects = link.adbc_get_objects(depth="all").read_all().to_pylist()
            info = link.adbc_get_info()
            types = link.adbc_get_table_types()
            return objects, info, types, link.adbc_get_table_schema("samples")

    objects, info, types, schema = await asyncio.to_thread(look)
    tables = [
        t
        for o in objects
        for s in o["catalog_db_schemas"] or ()
        for t in s["db_schema_tables"] or ()
    ]
    assert sorted(t["table_name"] for t in tables) == [
        "points", "rollup_10m", "rollup_1h", "rollup_1m", "rollup_1s", "samples",
    ]  # fmt: skip
    assert info["vendor_name"] == "Lineshaft"
    assert types == ["VIEW"]
    assert schema.names == ["point", "time", "time_ns", "number", "text", "quality"]


async def test_several_clients_ask_at_the_same_time(url):
    text = "SELECT count(*) FROM samples, range(1000)"
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(asyncio.to_thread(asked, url, text, token))
            for token in ("ls_all", "ls_b", "ls_all")
        ]
    assert [t.result() for t in tasks] == [[(20_000,)], [(10_000,)], [(20_000,)]]


async def test_a_large_answer_comes_in_parts(url):
    def read():
        with connected(url) as link, link.cursor() as cursor:
            cursor.execute("SELECT range FROM range(200000)")
            return [b.num_rows for b in cursor.fetch_record_batch()]

    sizes = await asyncio.to_thread(read)
    assert sum(sizes) == 200_000
    assert len(sizes) > 1


async def test_a_call_that_is_no_flight_sql_is_refused(url):
    def call():
        client = flight.FlightClient(url)
        options = flight.FlightCallOptions(headers=[(b"authorization", b"Bearer ls_all")])
        with contextlib.closing(client):
            for data in (b"", b"x", b"\xff" * 50, messages.write("CommandStatementUpdate", {})):
                with pytest.raises((pa.ArrowInvalid, flight.FlightError)):
                    client.get_flight_info(flight.FlightDescriptor.for_command(data), options)
                with pytest.raises((pa.ArrowInvalid, flight.FlightError)):
                    client.do_get(flight.Ticket(data), options).read_all()

    await asyncio.to_thread(call)


async def test_an_address_in_use_is_refused(url):
    port = int(url.rpartition(":")[2])
    people = People()
    server = FlightSql(FlightSettings(on=True, port=port), None, people, people.login)
    with pytest.raises(Refused, match="cannot listen"):
        await server.run()


def test_a_message_is_read_as_it_was_written():
    data = messages.write("CommandStatementQuery", {1: b"SELECT 1", 2: b"x" * 300})
    message = messages.read(data)
    assert (message.name, message.text(1)) == ("CommandStatementQuery", "SELECT 1")
    for end in range(1, len(data)):
        with contextlib.suppress(Invalid):
            messages.read(data[:end])


def test_threads_are_gone_when_the_server_is():
    assert not [t for t in threading.enumerate() if t.name.startswith("sql")]
