"""The demo as a whole: the hall with its machines, and a plant that watches it."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from lineshaft.core.access import SYSTEM, Action, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import LineshaftError, SettingsError
from lineshaft.core.quality import is_good
from lineshaft.demo import faults, plant_file
from lineshaft.demo.hall import DEVICES, Hall, held, opened
from lineshaft.demo.history import DAYS
from lineshaft.demo.machines import PLACES, SPECS
from lineshaft.demo.timeline import DAY_S
from lineshaft.plant import Plant, Started
from lineshaft.security import accounts
from lineshaft.settings import load

Say = Callable[[str], None]

PORT = 8080
"""Port of the console when none is asked for, if it is free."""
TOKEN = "demo-history"  # noqa: S105 - the token's name
PROGRESS_S = 3.0
"""How often the progress of an import is said."""
STDERR_KEPT = 2000
"""Characters of a failed process's last words that are repeated."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How the demo is to be run."""

    folder: Path
    seed: int = 1
    port: int | None = None
    faults: bool = False
    days: int = DAYS
    """How many days of made-up past to load."""
    fresh: bool = False


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """How far the made-up past has come, from one start to the next."""

    stop_ns: int
    """Where it ends and the live values begin."""
    done: bool = False


class Demo:
    """One run of the demo."""

    def __init__(self, wish: Wish, hall: Hall, plant: Plant, say: Say) -> None:
        self.wish = wish
        self.hall = hall
        self.plant = plant
        self.say = say
        self._begun = asyncio.get_running_loop().time()
        self._url = ""
        self._is_first = False
        self._up = asyncio.Event()
        self._live = asyncio.Event()

    async def run(self) -> None:
        """Run until the plant is told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.plant.stop)
        extras = [self._say_password(), self._say_first_values()]
        if self.wish.days:
            extras.append(self._load_history())
        if self.wish.faults:
            extras.append(faults.haunt(self.hall, self.wish.seed, self.say))
        async with _beside(extras):
            await self.plant.run(self._greet)
        self.say("stopping")

    def _greet(self, started: Started) -> None:
        """Say where it is, and how to get in."""
        self._url = started.url
        self.say(f"console: {started.url}")
        if started.password:
            self.say(f"log in as admin with the one-time password {started.password}")
        self.say("Ctrl-C stops the demo.")
        self._is_first = bool(started.password)
        self._up.set()

    async def _say_password(self) -> None:
        """On a later start: a new one-time password, if nobody has taken up the first."""
        await self._up.wait()
        if self._is_first:
            return
        known = self.plant.security.accounts
        if known.named(accounts.FIRST_NAME).must_change:
            wish = accounts.Wish(reset_password=True)
            _, word = await known.change(accounts.FIRST_NAME, wish, by=SYSTEM, address="demo")
            self.say(f"log in as admin with the one-time password {word}")
        else:
            self.say("log in as admin with your password (lost? begin anew with --fresh)")

    async def _say_first_values(self) -> None:
        """Say when the first live value of each protocol has come."""
        loop = asyncio.get_running_loop()
        protocols = {m: d.protocol for d in DEVICES.values() for m in d.machines}
        missing = {protocols[m] for m in PLACES}
        async with self.plant.spine.subscribe("data.>", name="demo") as batches:
            async for batch in batches:
                for machine in PLACES:
                    value = _value_of(batch, machine) if protocols[machine] in missing else ""
                    if value:
                        missing.discard(protocols[machine])
                        after = loop.time() - self._begun
                        self.say(
                            f"first live value after {after:.1f} s: {value} ({protocols[machine]})"
                        )
                        self._live.set()
                if not missing:
                    return

    # ---- the past

    async def _load_history(self) -> None:
        """Have the past made up and loaded, beside everything else, once in a folder's life."""
        await self._up.wait()
        await self._live.wait()
        path = self.wish.folder / "factory" / "history.json"
        if path.exists():
            past = msgspec.json.decode(path.read_bytes(), type=Past)
        else:
            past = Past(stop_ns=now_ns() // NS_PER_S * NS_PER_S)
            path.write_bytes(msgspec.json.encode(past))
        if past.done:
            return
        async with self._token() as word:
            if not await self._tell(past, word):
                return
        rows = sum(i.rows_done for i in await self.plant.historian.imports.latest())
        await self._look_back(past)
        self.say(f"history: all is loaded, {rows:,} samples")
        path.write_bytes(msgspec.json.encode(msgspec.structs.replace(past, done=True)))
        await asyncio.to_thread(shutil.rmtree, path.with_suffix(""), ignore_errors=True)

    async def _look_back(self, past: Past) -> None:
        """Have derived points and states worked out over the past, in the background."""
        operations = self.plant.operations
        start_ns = past.stop_ns - self.wish.days * int(DAY_S) * NS_PER_S
        for view in operations.derived.views(SYSTEM):
            try:
                await operations.engine.recompute(view.definition.point, start_ns, now_ns())
            except LineshaftError as error:
                self.say(f"history: {view.definition.point} is not worked out: {error}")

    async def _tell(self, past: Past, word: str) -> bool:
        """Have the files written, and each imported once it is whole; True if all went well."""
        self.say(f"history: loading {self.wish.days} days in the background")
        folder = str(self.wish.folder / "factory")
        words = ["lineshaft.demo.history", "--folder", folder, "--stop", str(past.stop_ns)]
        words += ["--days", str(self.wish.days), "--parent", str(os.getpid())]
        async with _process(*words) as telling:
            assert telling.stdout  # noqa: S101 - it is a pipe
            async for line in telling.stdout:
                if not await self._import(line.decode().strip(), word):
                    return False
            return await telling.wait() == 0

    async def _import(self, path: str, word: str) -> bool:
        """Import a file as any user would, saying how far it has come; True if it went well."""
        words = ["lineshaft.demo.aside", str(os.getpid()), "import", path, "--url", self._url]
        async with _process(*words, token=word) as importing, asyncio.TaskGroup() as group:
            saying = group.create_task(self._say_progress())
            assert importing.stderr  # noqa: S101 - it is a pipe
            problem = (await importing.stderr.read()).decode()[-STDERR_KEPT:]
            code = await importing.wait()
            saying.cancel()
        if code:
            self.say(f"history: not all is loaded, the next start goes on: {problem.strip()}")
        return code == 0

    async def _say_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            for state in await self.plant.historian.imports.latest(1):
                total = f" of {state.rows_total:,}" if state.rows_total else ""
                self.say(f"history: {state.rows_done:,}{total} rows of {state.name}")

    @asynccontextmanager
    async def _token(self) -> AsyncGenerator[str]:
        """A token that may import, for as long as it is needed."""
        tokens = self.plant.security.tokens
        who = Identity(
            name="admin", actions=frozenset({Action.LOOK, Action.CONFIGURE}), session="demo"
        )
        for old in tokens.of(who.name):
            if old.name == TOKEN:
                await tokens.delete(who, old.id, address="demo")
        made, word = await tokens.create(
            who,
            TOKEN,
            actions=[Action.LOOK.value, Action.CONFIGURE.value],
            expires_days=1,
            address="demo",
        )
        try:
            yield word
        finally:
            await tokens.delete(who, made.id, address="demo")


@asynccontextmanager
async def _process(*words: str, token: str = "") -> AsyncGenerator[asyncio.subprocess.Process]:
    """A Python module run in a process of its own, which does not outlast the body."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LINESHAFT_TOKEN": token},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _value_of(batch: Batch, machine: str) -> str:
    """One good value that a machine has measured, as people read it, or nothing."""
    own = {f"{PLACES[machine]}/{s.name}" for s in SPECS[machine]}
    for row in batch.rows():
        if row.point in own and is_good(row.quality):
            return f"{row.point} = {row.value}"
    return ""


@asynccontextmanager
async def _beside(extras: list[Coroutine[None, None, None]]) -> AsyncGenerator[None]:
    """Run these beside the body, and no longer."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(e) for e in extras]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def run(wish: Wish, say: Say) -> None:
    """Run the demo until SIGINT or SIGTERM.

    Raises:
        LineshaftError: it cannot start; the message says why.
    """
    if wish.fresh:
        await asyncio.to_thread(_forget, wish.folder)
    say(f"Lineshaft demo: the factory of Acme Qingdao; its data is in {wish.folder}")
    try:
        async with opened(wish.folder / "factory", wish.seed) as hall:
            port = _free_port(PORT) if wish.port is None else wish.port
            path = plant_file.write(wish.folder, hall.ports, http_port=port)
            await Demo(wish, hall, Plant(load(path)), say).run()
    except BaseExceptionGroup as group:
        raise _telling(group) from group


def _forget(folder: Path) -> None:
    """Delete what a demo left in its folder, and nothing else.

    Raises:
        SettingsError: the folder is none of a demo, or of one that runs.
    """
    if not folder.exists():
        return
    if not (folder / "factory").is_dir():
        raise SettingsError(
            f"{folder} holds no demo, so --fresh deletes nothing in it",
            remedy="Name the demo's folder with --data.",
        )
    with held(folder / "factory"):
        for name in ("factory", "data"):
            shutil.rmtree(folder / name, ignore_errors=True)
        (folder / "plant.toml").unlink(missing_ok=True)


def _free_port(wanted: int) -> int:
    """The wanted port if nobody has it, else any."""
    for port in (wanted, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(listener.getsockname()[1])
    return wanted


def _telling(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error raised on purpose inside nested groups, if that is all there is."""
    wanted, rest = group.split(LineshaftError)
    if rest is not None or wanted is None:
        return group
    error: BaseException = wanted
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
