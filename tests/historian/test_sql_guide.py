"""The guide to SQL is run as a notebook would be, against a plant."""

import asyncio
import re
from pathlib import Path

import pytest

import lineshaft
from lineshaft.cli import parser
from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.point import Point
from lineshaft.plant import Plant
from lineshaft.settings import load_text

GUIDE = (Path(__file__).parent.parent.parent / "docs/guide/sql.md").read_text("utf-8")
BLOCK = re.compile(r"^```(python|sql)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SETTINGS = '[flight]\non = true\nport = 0\n[server]\nport = 0\n[store]\nkind = "parquet"\n'
PASSWORD = "a long enough password"


@pytest.fixture
async def plant(tmp_path):
    """A plant with a press; yields it, its address, and a token."""
    made = Plant(await asyncio.to_thread(load_text, SETTINGS, folder=tmp_path))
    up = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(made.run(lambda told: up.done() or up.set_result(told)))
        started = await up
        _, who = await made.security.login("admin", started.password, address="here")
        await made.security.accounts.set_password(who, started.password, PASSWORD, "here")
        _, who = await made.security.login("admin", PASSWORD, address="here")
        _, token = await made.security.tokens.create(who, "notebook", address="here")
        now = now_ns()
        rows = [("hall/press/oil_temperature", now - i * NS_PER_S, 40 + i / 10) for i in range(99)]
        rows += [("hall/press/pressure", now - i * NS_PER_S, float(i)) for i in range(0, 90, 10)]
        made.historian.namespace.declare(
            [Point(path="hall/press/oil_temperature", unit="Cel", low=0.0, high=45.0)]
        )
        await made.historian.append(Batch.of_rows(rows))
        yield made, started.url, token
        made.stop()


async def test_every_block_of_the_guide_runs(plant):
    _, url, token = plant
    blocks = BLOCK.findall(GUIDE)

    def run():
        known = {"lineshaft": lineshaft, "url": url, "token": token}
        with lineshaft.connect(url, token) as client:
            for kind, text in blocks:
                if kind == "python":
                    exec(text, known)
                else:
                    assert len(client.sql(text)), text
        return known

    known = await asyncio.to_thread(run)
    assert [kind for kind, _ in blocks].count("python") == 3
    assert len(known["rows"]) >= 9
    assert 0 < len(known["warm"]) < len(known["rows"])
    assert known["smooth"].notna().any()


async def test_the_command_line_asks_too(plant, tmp_path, capsys):
    _, url, token = plant
    text = "SELECT point, count(*) AS n FROM samples GROUP BY point ORDER BY point"
    there = ["--url", url, "--token", token]
    out = tmp_path / "out.csv"

    def call(*words):
        args = parser("sql").parse_args(["sql", text, *there, *words])
        return args.call(args)

    assert await asyncio.to_thread(call) == 0
    assert "hall/press/pressure" in capsys.readouterr().out
    assert await asyncio.to_thread(call, "-o", str(out)) == 0
    assert out.read_text().splitlines()[1:] == [
        '"hall/press/oil_temperature",99',
        '"hall/press/pressure",9',
    ]


async def test_the_plant_serves_flight_sql(plant):
    dbapi = pytest.importorskip("adbc_driver_flightsql.dbapi")
    made, _, token = plant

    def ask(**options):
        address = f"grpc://127.0.0.1:{made.flight_port}"
        link = dbapi.connect(address, db_kwargs=options, autocommit=True)
        with link, link.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM samples")
            return cursor.fetchall()

    while not made.flight_port:
        await asyncio.sleep(0.01)
    for options in (
        {"adbc.flight.sql.authorization_header": f"Bearer {token}"},
        {"username": "admin", "password": PASSWORD},
        {"username": "token", "password": token},
    ):
        assert await asyncio.to_thread(ask, **options) == [(108,)]
    with pytest.raises(dbapi.Error, match="(?i)unauthenticated"):
        await asyncio.to_thread(ask, username="admin", password="wrong")
