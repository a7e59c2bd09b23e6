"""A historian behind a real server on loopback, with users that need no password."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from blockbuster import blockbuster_ctx

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.path import is_under
from lineshaft.core.plugin import build
from lineshaft.historian import COLLECTIONS, DURABLE, Config, Historian
from lineshaft.historian.routes import handlers
from lineshaft.records import Records
from lineshaft.server import ServerSettings, app, served
from lineshaft.spines import Spine
from lineshaft.stores import Store

LOOK = frozenset({Action.OWN, Action.LOOK})
ENGINEER = LOOK | {Action.WRITE, Action.CONFIGURE}


class People:
    """Knows a table of tokens; the session cookie `s-NAME` stands for `ls_NAME`."""

    def __init__(self) -> None:
        self.tokens = {
            "ls_viewer": Identity(name="vera", actions=LOOK),
            "ls_engineer": Identity(name="emil/laptop", actions=ENGINEER),
            "ls_guest": Identity(name="gina", actions=ENGINEER, branches=("acme/hall-2",)),
            "ls_point": Identity(name="paul", actions=LOOK, branches=("acme/hall-1/press/oil",)),
        }
        self.refusals: list[tuple[str, Action, str, str]] = []

    async def identify(self, *, session: str, token: str, address: str) -> Identity | None:
        return self.tokens.get(token or session.replace("s-", "ls_"))

    def allows(self, who: Identity, action: Action, path: str = "") -> bool:
        return action in who.actions and any(is_under(path, b) for b in who.branches)

    def denied(self, who: Identity, action: Action, path: str, address: str) -> None:
        self.refusals.append((who.name, action, path, address))


class About:
    """What a plant says of itself."""

    def about(self) -> dict[str, str]:
        return {"plant": "works", "version": "1", "started": "2026-01-01T00:00:00Z"}


class Plant:
    """All that runs, and how to reach it."""

    def __init__(self, url: str, historian: Historian, spine: Spine, people: People) -> None:
        self.url = url
        self.historian = historian
        self.spine = spine
        self.people = people

    async def publish(self, *rows: tuple) -> None:
        """Bring rows in the way a driver does; returns once the store has them."""
        now = now_ns()
        full = [(r[0], now, *r[1:]) for r in rows]
        await self.spine.publish("data.test", Batch.of_rows(full))

    def http(self, token: str = "ls_engineer", **options) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.url + "/api/v1", headers=headers, **options)


@asynccontextmanager
async def run(
    settings: ServerSettings, console: Path, extra: Sequence = ()
) -> AsyncGenerator[Plant]:
    spine = build(Spine, {"kind": "memory"})
    store = build(Store, {"kind": "memory"})
    records = build(Records, {"kind": "memory"})
    people = People()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(store.opened())
        await stack.enter_async_context(records.opened(COLLECTIONS))
        historian = Historian(Config(), spine, store, records)
        spine.durable(DURABLE, "data.>", size_max=64)
        await historian.start()
        made = app(
            {"historian": historian, "plant": About()},
            [*handlers, *extra],
            authenticator=people,
            authorizer=people,
            denied=people.denied,
            console_folder=console,
        )
        group = await stack.enter_async_context(asyncio.TaskGroup())
        work = group.create_task(historian.run())
        url = await stack.enter_async_context(served(made, settings))
        yield Plant(url, historian, spine, people)
        work.cancel()


@pytest.fixture
def running():
    """Starts a plant with settings of the test's own."""
    return run


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncGenerator[Plant]:
    console = tmp_path / "console"
    (console / "assets").mkdir(parents=True)
    (console / "docs").mkdir()
    (console / "index.html").write_text("<!doctype html><title>console</title>")
    (console / "assets" / "index-AbCd1234.js").write_text("console.log(1);" * 100)
    (console / "docs" / "index.html").write_text("<!doctype html><title>docs</title>")
    # A blocking call of ours on the loop fails the test that made it.
    async with run(ServerSettings(port=0), console) as plant:
        with blockbuster_ctx("lineshaft"):
            yield plant
