"""A security on a real SQLite file, with a clock that tests move."""

from contextlib import AsyncExitStack

import pytest

from lineshaft.core.access import SYSTEM
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.security import COLLECTIONS, Config
from lineshaft.security.gate import Security

# Less than the settings allow, because many tests hash and none of them is attacked.
QUICK = {"hash_memory_mib": 1, "hash_rounds": 1}
START_NS = 1_800_000_000 * NS_PER_S


class Desk:
    """Opens securities on one records file; the last one opened is closed with the test."""

    def __init__(self, folder, stack):
        self.folder = folder
        self.stack = stack
        self.now_ns = START_NS
        self.told = []
        self.records = None
        self.first_password = ""

    def wait(self, seconds):
        """Let time pass."""
        self.now_ns += int(seconds * NS_PER_S)

    async def announce(self, event):
        self.told.append(event)

    async def open(self, **settings):
        """A security that has started, with its records open; an earlier one is closed."""
        await self.stack.aclose()
        table = {"kind": "sqlite", "path": str(self.folder / "records.db")}
        self.records = build(Records, table)
        await self.stack.enter_async_context(self.records.opened(COLLECTIONS))
        config = Config(**(QUICK | settings))
        security = Security(config, self.records, self.announce, clock=lambda: self.now_ns)
        self.first_password = await security.start()
        return security

    async def kinds(self, kind="access"):
        return [e.event.kind for e in await self.records.events(kind=kind, limit=1000)]


@pytest.fixture
async def desk(tmp_path):
    async with AsyncExitStack() as stack:
        yield Desk(tmp_path, stack)


ADDRESS = "10.0.0.7"
PASSWORD = "four quiet green lathes"


@pytest.fixture
async def security(desk):
    """The security after the administrator's first login, with three users."""
    security = await desk.open()
    _, admin = await security.login("admin", desk.first_password, address=ADDRESS)
    await security.accounts.set_password(admin, desk.first_password, PASSWORD, ADDRESS)
    return security


@pytest.fixture
def join(security):
    """Makes a user whose password is `PASSWORD`; returns cookie and identity."""

    async def make(name, role="viewer", branches=("",)):
        once = await security.accounts.create(name, role, branches, by=SYSTEM, address=ADDRESS)
        _, who = await security.login(name, once, address=ADDRESS)
        await security.accounts.set_password(who, once, PASSWORD, ADDRESS)
        return await security.login(name, PASSWORD, address=ADDRESS)

    return make
