"""Settings to a running plant: the one place where the parts meet."""

import asyncio
import importlib
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec

import lineshaft
from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.clock import now_ns, to_iso
from lineshaft.core.errors import Invalid, LineshaftError, Missing, SettingsError
from lineshaft.core.event import Event
from lineshaft.core.flow import Fault, root_cause, supervise
from lineshaft.drivers import Driver
from lineshaft.gather import COLLECTIONS as GATHER_COLLECTIONS
from lineshaft.gather import DEVICES
from lineshaft.gather.calling import Caller
from lineshaft.gather.devices import Devices
from lineshaft.gather.routes import Reloaded
from lineshaft.gather.writing import Writer
from lineshaft.historian import COLLECTIONS as HISTORIAN_COLLECTIONS
from lineshaft.historian import DURABLE, Historian
from lineshaft.machines import Machines, Methods
from lineshaft.meanings import contributors
from lineshaft.operations.running import COLLECTIONS as OPERATIONS_COLLECTIONS
from lineshaft.operations.running import Operations
from lineshaft.operations.tables import TABLES
from lineshaft.records import Append, Delete, Put, Records
from lineshaft.security import COLLECTIONS as SECURITY_COLLECTIONS
from lineshaft.security.gate import Security
from lineshaft.server import ServerSettings, app, served
from lineshaft.settings import (
    Loaded,
    build_at,
    check_homes,
    check_secrets,
    check_together,
    differences,
    driver,
    load,
    tables_in_records,
)
from lineshaft.spines import Spine
from lineshaft.stores import Store
from lineshaft.twins.living.life import COLLECTIONS as TWIN_COLLECTIONS
from lineshaft.twins.living.life import Life
from lineshaft.web.front import Front

log = logging.getLogger(__name__)

SLICES = ("gather", "historian", "operations", "security", "twins")
COLLECTIONS = (
    *GATHER_COLLECTIONS,
    *HISTORIAN_COLLECTIONS,
    *OPERATIONS_COLLECTIONS,
    *SECURITY_COLLECTIONS,
    *TWIN_COLLECTIONS,
)
WAITING_MAX = 1024
"""Batches that may wait for the store before their drivers do."""
RETRY_S = 1.0
"""Seconds after which an address that was lost is asked for again."""
LIVE_TABLES = {"drivers", "writes", "calls", "server"} | TABLES
"""Tables of the settings file that take effect without a new start of the process."""


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """What a plant says when it is up."""

    url: str
    """Address of the console and the API."""
    password: str
    """One-time password of the administrator; empty but for the first start."""


class Plant:
    """All parts of one process, put together by its settings."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.name = loaded.file.plant.name
        self.started = to_iso(now_ns())
        file, data = loaded.file, loaded.data
        self.spine: Spine = build_at(Spine, file.spine, data)
        self.store: Store = build_at(Store, file.store, data)
        self.records: Records = build_at(Records, file.records, data)
        self.security = Security(file.security, self.records, self.spine.announce)
        self.spine.durable(DURABLE, "data.>", size_max=WAITING_MAX)
        self.historian = Historian(file.historian, self.spine, self.store, self.records)
        self.devices = Devices(file.gather, self.spine, self.historian.namespace)
        authorizer, audit = self.security.authorizer, self.security.audit
        self.writer = Writer(file.gather, self.devices, self.historian, authorizer, audit)
        self.writer.allow(file.writes)
        self.caller = Caller(self.devices, self.historian, authorizer, audit)
        self.caller.allow(file.calls)
        self.operations = Operations(
            plant=self.name,
            machines=self.devices,
            names=self.historian.namespace,
            latest=self.historian,
            store=self.store,
            records=self.records,
            spine=self.spine,
            authorizer=authorizer,
            audit=audit,
        )
        self.historian.aside.append(self.operations.engine.kept_aside)
        self.devices.alarms = self.operations.foreign
        self.historian.aside.append(self.operations.frames.take)
        self.life = self._life()
        self._stop = asyncio.Event()
        self._server_changed = asyncio.Event()
        self._server_trouble = ""
        self._flight_trouble = ""
        self.flight_port = 0
        """Port of Flight SQL, once it is served."""
        self._turn = asyncio.Lock()

    def _life(self) -> Life:
        """The twins, and what makes them live."""
        config, authorizer = self.loaded.file.twins, self.security.authorizer
        audit = self.security.audit
        machines = Machines(self.devices, self.writer, self.caller)
        return Life(
            config,
            plant=self.name,
            folder=self.loaded.data / "twin-files",
            records=self.records,
            spine=self.spine,
            authorizer=authorizer,
            audit=audit,
            connect=self,
            names=self.historian.namespace,
            latest=self.historian,
            history=self.store,
            machines=machines,
            contributors=(Methods(self.caller), *contributors(self.operations, self.historian)),
        )

    # ---- life

    async def run(self, up: Callable[[Started], None] = lambda _: None) -> None:
        """Run until `stop`; `up` is told each time the server listens.

        Raises:
            SettingsError: a part cannot start as the settings ask.
        """
        async with self._opened() as password:
            for made in await self._all_drivers():
                self.devices.add(made, file=made.name in self._names_in_file())
            async with one_error(), asyncio.TaskGroup() as group:
                parts = [
                    group.create_task(self.security.run(), name="security"),
                    group.create_task(self.historian.run(), name="historian"),
                    group.create_task(self.operations.run(), name="operations"),
                    group.create_task(self.devices.run(), name="devices"),
                    group.create_task(self.life.run(), name="twins"),
                ]
                if self.loaded.file.flight.on:
                    parts.append(group.create_task(self._flight(), name="flight"))
                try:
                    await self._serve(password, up)
                finally:
                    # Sources first, so that nothing comes in while the rest winds down.
                    for part in reversed(parts):
                        part.cancel()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[str]:
        """Store and records open, the administrator there; yields a first password if any."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.store.opened())
            await stack.enter_async_context(self.records.opened(COLLECTIONS))
            password = await self.security.start()
            await self.historian.start()
            await self.operations.start(self.loaded.file)
            await self.life.start()
            yield password

    async def _serve(self, password: str, up: Callable[[Started], None]) -> None:
        """Serve, and serve anew when the table [server] has changed.

        A changed table that cannot be served leaves the old one in force: machines are not
        given up for it.

        Raises:
            SettingsError: the table that the plant starts with cannot be served.
        """
        good: ServerSettings | None = None
        bad: ServerSettings | None = None
        while not self._stop.is_set():
            self._server_changed.clear()
            asked = self.loaded.file.server
            wanted = good if good is not None and asked == bad else asked
            try:
                async with served(self._app(), wanted) as url:
                    if wanted is asked:
                        self._server_trouble = ""
                    up(Started(url=url, password=password))
                    good, bad, password = wanted, None if wanted is asked else bad, ""
                    await _first(self._stop, self._server_changed)
            except SettingsError as error:
                if good is None:
                    raise
                if wanted is not asked:  # nor can the old one be served now
                    await asyncio.sleep(RETRY_S)
                bad = asked
                self._server_trouble = f"{error}; the table before it is in force"
                log.error("server not changed", extra={"cause": str(error)})  # noqa: TRY400 - the sentence says it all

    async def _flight(self) -> None:
        """Serve SQL as Arrow Flight SQL, until cancelled."""
        made = importlib.import_module("lineshaft.historian.sql.flight").FlightSql(
            self.loaded.file.flight, self.historian.sql, self.security, self._session
        )

        def up() -> None:
            self._flight_trouble = ""
            self.flight_port = made.port

        def faulted(_: Fault, error: BaseException) -> None:
            self._flight_trouble = f"flight: {error}"

        await supervise("flight", lambda: made.run(up), faulted=faulted)

    async def _session(self, name: str, password: str, address: str) -> str:
        return (await self.security.login(name, password, address=address))[0]

    def _app(self) -> Front:
        return app(
            self._services(),
            _handlers(),
            authenticator=self.security,
            authorizer=self.security.authorizer,
            denied=self.security.denied,
            mounts=_mounts(),
        )

    def problems(self) -> list[str]:
        """What is wrong with the plant as a whole."""
        return [t for t in (self._server_trouble, self._flight_trouble) if t]

    def stop(self) -> None:
        """Ask the plant to end."""
        self._stop.set()

    def _services(self) -> dict[str, object]:
        return {
            "plant": self,
            "devices": self.devices,
            "writer": self.writer,
            "historian": self.historian,
            "security": self.security,
            "records": self.records,
            "spine": self.spine,
            "store": self.store,
            **self.operations.given(),
            **self.life.given(),
        }

    # ---- the two homes of configuration: the file, and the records

    async def reload(self, who: Identity = SYSTEM) -> Reloaded:
        """Read the settings file again; only what changed is restarted.

        Raises:
            SettingsError: the file is wrong; nothing has changed then.
        """
        async with self._turn:
            fresh = load(self.loaded.path)
            changed = differences(self.loaded.file, fresh.file)
            kept = [d for d in await self._drivers_in_records() if d.name]
            check_homes(fresh.drivers, kept)
            old = {t["name"]: t for t in self.loaded.file.drivers}
            new = {t["name"]: t for t in fresh.file.drivers}
            gone = [n for n in old if n not in new]
            other = [n for n in new if n in old and new[n] != old[n]]
            added = [n for n in new if n not in old]
            await self.operations.reload(fresh.file, who)
            for name in (*gone, *other):
                await self.devices.remove(name)
            for made in fresh.drivers:
                if made.name in other or made.name in added:
                    self.devices.add(made)
            self.writer.allow(fresh.file.writes)
            self.caller.allow(fresh.file.calls)
            self.loaded = fresh
            if "server" in changed:
                self._server_changed.set()
            done = Reloaded(
                changed=(*other, *sorted(changed & (LIVE_TABLES - {"drivers"}))),
                added=tuple(added),
                removed=tuple(gone),
                restart_needed=tuple(sorted(changed - LIVE_TABLES)),
            )
        await self.security.audit.note(
            Event(kind="plant.reloaded", actor=who.name, data=msgspec.to_builtins(done))
        )
        return done

    async def connect(self, who: Identity, table: Mapping[str, Any]) -> str:
        """Add a connection from its settings table, and keep it.

        Raises:
            SettingsError: the table is wrong.
            Invalid: its name is taken, or it holds a secret as text.
        """
        async with self._turn:
            made = driver(table)
            check_secrets(table)
            check_together((*(d.driver for d in self.devices.all()), made))
            await self.records.commit(
                Put(
                    collection=DEVICES.name,
                    key=made.name,
                    data=msgspec.json.encode(dict(table)),
                    expected=0,
                ),
                Append(event=Event(kind="device.connected", path=made.name, actor=who.name)),
            )
            self.devices.add(made, file=False)
        return made.name

    def connected(self, name: str) -> bool:
        """Whether there is a connection of that name, up or not."""
        return any(d.name == name for d in self.devices.all())

    async def disconnect(self, who: Identity, name: str) -> None:
        """Remove a connection that was made at run time.

        Raises:
            Missing: there is none of that name.
            Invalid: it stands in the settings file.
        """
        async with self._turn:
            if name in self._names_in_file():
                raise Invalid(
                    f"{name} stands in the settings file", remedy="Take it out there, then reload."
                )
            if await self.records.get(DEVICES.name, name) is None:
                raise Missing(f"there is no device {name!r}")
            await self.records.commit(
                Delete(collection=DEVICES.name, key=name),
                Append(event=Event(kind="device.disconnected", path=name, actor=who.name)),
            )
            await self.devices.remove(name)

    async def _all_drivers(self) -> list[Driver]:
        kept = await self._drivers_in_records()
        check_homes(self.loaded.drivers, kept)
        return [*self.loaded.drivers, *kept]

    async def _drivers_in_records(self) -> list[Driver]:
        return [driver(t) for t in await tables_in_records(self.records)]

    def _names_in_file(self) -> set[str]:
        return {d.name for d in self.loaded.drivers}

    def about(self) -> dict[str, str]:
        """Name, version and start of this plant."""
        return {"plant": self.name, "version": lineshaft.__version__, "started": self.started}


def _handlers() -> list[Any]:
    """The routes of every slice that has some."""
    return [h for s in SLICES for h in importlib.import_module(f"lineshaft.{s}.routes").handlers]


def _mounts() -> list[Any]:
    """The applications that slices have mounted."""
    routes = [importlib.import_module(f"lineshaft.{s}.routes") for s in SLICES]
    return [m for r in routes for m in getattr(r, "mounts", ())]


@asynccontextmanager
async def one_error() -> AsyncGenerator[None]:
    """Has the error that tells what is wrong come out, not the group that it came in."""
    try:
        yield
    except BaseExceptionGroup as group:
        cause = root_cause(group)
        if isinstance(cause, LineshaftError):
            raise cause from None
        raise


async def _first(*events: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(e.wait()) for e in events]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
