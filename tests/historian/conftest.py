"""History in either store, ready to be asked, with or without a server before it."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.path import is_under
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.historian import COLLECTIONS, Config, Historian
from lineshaft.historian.query import Query
from lineshaft.historian.query.answers import Answer
from lineshaft.historian.routes import handlers
from lineshaft.records import Records
from lineshaft.server import ServerSettings, app, served
from lineshaft.spines import Spine
from lineshaft.stores import Store

LOOK = frozenset({Action.OWN, Action.LOOK})


class People:
    """Two who may look: one at everything, one at a hall."""

    def __init__(self) -> None:
        self.who = {
            "ls_all": Identity(name="vera", actions=LOOK),
            "ls_hall": Identity(name="gina", actions=LOOK, branches=("hall-2",)),
        }

    async def identify(self, *, session: str, token: str, address: str) -> Identity | None:
        return self.who.get(token)

    def allows(self, who: Identity, action: Action, path: str = "") -> bool:
        return action in who.actions and any(is_under(path, b) for b in who.branches)


class History:
    """A historian that can be asked in one line."""

    def __init__(self, historian: Historian) -> None:
        self.historian = historian
        self.questions = historian.questions
        self.store = historian.store

    async def add(self, rows: Iterable[tuple], *, settle: bool = False) -> None:
        await self.historian.append(Batch.of_rows(rows))
        if settle:
            await self.store.settle()

    async def answer(self, query: Query, *, paged: bool = False) -> Answer:
        return await self.questions.ask(self.questions.plan(query), paged=paged)

    async def rows(self, query: Query) -> list[tuple]:
        """All rows: point, time_ns, value or text, quality; in wide answers as they are."""
        answer = await self.answer(query)
        return rows_of(await answer.table())


def rows_of(table) -> list[tuple]:
    columns = {n: table.column(n).to_pylist() for n in table.column_names if n != "time"}
    times = table.column("time").cast("int64").to_pylist()
    if "text" in columns:
        both = zip(columns.pop("value"), columns.pop("text"), strict=True)
        value = [v if t is None else t for v, t in both]
        return list(zip(columns["point"], times, value, columns["quality"], strict=True))
    return list(zip(times, *columns.values(), strict=True))


@asynccontextmanager
async def _made(kind: str, *points: Point, **settings) -> AsyncGenerator[History]:
    async with AsyncExitStack() as stack:
        table = {"kind": kind}
        if kind == "parquet":
            table["path"] = stack.enter_context(TemporaryDirectory())
        store = build(Store, table)
        records = build(Records, {"kind": "memory"})
        await stack.enter_async_context(store.opened())
        await stack.enter_async_context(records.opened(COLLECTIONS))
        spine = build(Spine, {"kind": "memory"})
        historian = Historian(Config(**settings), spine, store, records)
        historian.namespace.declare(points)
        yield History(historian)


@pytest.fixture(params=["memory", "parquet"])
def history(request):
    """Makes a history in one store after the other."""

    def make(*points: Point, **settings):
        return _made(request.param, *points, **settings)

    return make


@pytest.fixture(scope="session")
def made():
    """Makes a history in the store of a kind; for tests that make many."""
    return _made


@pytest.fixture
def server():
    """Serves a history; gives its address."""

    @asynccontextmanager
    async def serve(history: History) -> AsyncGenerator[str]:
        people = People()
        with TemporaryDirectory() as console:
            (Path(console) / "index.html").write_text("<!doctype html>")
            whole = app(
                {"historian": history.historian, "plant": None},
                handlers,
                authenticator=people,
                authorizer=people,
                console_folder=Path(console),
            )
            async with asyncio.timeout(50), served(whole, ServerSettings(port=0)) as url:
                yield url

    return serve
