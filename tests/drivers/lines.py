"""A driver for a toy protocol over real TCP, sound and in broken forms, to try the contract on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LinkLost, Refused
from lineshaft.core.point import Kind
from lineshaft.core.quality import Quality, is_bad
from lineshaft.core.settings import Settings
from lineshaft.drivers import Driver, PointSettings


class Config(Settings, frozen=True):
    """What the settings table may say."""

    port: int
    """TCP port."""
    points: tuple[PointSettings, ...]
    """What to ask for."""


class LinesBench:
    """Answers `get NAME` and `set NAME VALUE`, one line each."""

    def __init__(self) -> None:
        self.values = {"level": 1.0, "speed": 2.0}
        self.writable = "bench/speed"
        self.server: asyncio.Server | None = None
        self.links: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def settings(self) -> Settings:
        return self._with("level", "speed")

    @property
    def unknown(self) -> Settings:
        return self._with("level", "ghost", "speed")

    def _with(self, *names: str) -> Settings:
        points = tuple(PointSettings(name=f"bench/{n}") for n in names)
        return Config(port=self.port, points=points)

    async def mend(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self.server:
            self.server.close()
            for link in list(self.links):
                link.close()
            await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links.add(writer)
        with suppress(ConnectionError):
            while line := (await reader.readline()).decode().split():
                verb, name, *rest = line
                if verb == "set":
                    self.values[name] = float(rest[0])
                self.values["level"] += 1
                writer.write(f"{self.values.get(name, '?')}\n".encode())
        self.links.discard(writer)
        writer.close()


class Lines(Driver):
    """Polls a server of lines."""

    protocol = "Lines"
    Config = Config
    example = """
        [[drivers]]
        name = "try-me"
        kind = "lines"
        port = 4000
        points = [{ name = "level" }]
    """
    config: Config
    link: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self, feed):
        try:
            async with asyncio.timeout(1):
                self.link = await asyncio.open_connection("127.0.0.1", self.config.port)
        except (OSError, TimeoutError) as error:
            raise LinkLost(f"{self.name}: {error}") from error
        self.lock = asyncio.Lock()
        try:
            self.declare(feed)
            feed.connected()
            while True:
                await self.deliver(feed, await self.poll(feed))
                await asyncio.sleep(0.005)
        except (OSError, ValueError) as error:
            raise LinkLost(f"{self.name}: {error}") from error
        finally:
            await self.leave()

    def declare(self, feed):
        feed.declare(
            [
                p.point("", kind=Kind.NUMBER, source=self.name, address=p.name)
                for p in self.config.points
            ]
        )

    async def deliver(self, feed, batch):
        await feed.emit(batch)

    async def poll(self, feed):
        rows = [await self.ask(f"get {p.name[6:]}", p.name) for p in self.config.points]
        for row in rows:
            if is_bad(row.quality):
                feed.trouble(row.point, "unknown")
        return Batch.of_rows(rows)

    async def ask(self, line, path):
        async with self.lock:
            if self.link is None:
                raise LinkLost(f"{self.name}: no link")
            reader, writer = self.link
            writer.write(line.encode() + b"\n")
            answer = (await reader.readline()).decode().strip()
        if answer == "?":
            return Sample(path, now_ns(), None, Quality.BAD_NODE_ID_UNKNOWN)
        return Sample(path, now_ns(), float(answer))

    async def leave(self):
        if self.link:
            self.link[1].close()
            with suppress(OSError):
                await self.link[1].wait_closed()
        self.link = None

    def check(self, path):
        if self.link is None:
            raise LinkLost(f"{self.name}: no link")
        if path not in [p.name for p in self.config.points]:
            raise Refused(f"{self.name}: no point {path}")

    async def write(self, path, value):
        self.check(path)
        if isinstance(value, str):
            raise Refused(f"{self.name}: {path} takes numbers, not {value!r}")
        await self.ask(f"set {path[6:]} {value}", path)

    async def read(self, path):
        self.check(path)
        return await self.ask(f"get {path[6:]}", path)

    @classmethod
    @asynccontextmanager
    async def bench(cls) -> AsyncGenerator[LinesBench]:
        bench = LinesBench()
        await bench.mend()
        try:
            yield bench
        finally:
            await bench.cut()


class DeclaresLate(Lines):
    def declare(self, feed):
        pass


class OldTimes(Lines):
    async def ask(self, line, path):
        return (await super().ask(line, path))._replace(time_ns=0)


class LeavesTask(Lines):
    async def leave(self):
        self.left = asyncio.get_running_loop().create_task(asyncio.sleep(5))
        await super().leave()


KEPT = []


class LeavesSocket(Lines):
    async def leave(self):
        KEPT.append(self.link)
        self.link = None


class Floods(Lines):
    async def run(self, feed):
        async with asyncio.TaskGroup() as self.group:
            await super().run(feed)

    async def deliver(self, feed, batch):
        self.group.create_task(feed.emit(batch))


class Hoards(Lines):
    async def run(self, feed):
        self.heap = []
        async with asyncio.TaskGroup() as group:
            group.create_task(self.drain(feed))
            await super().run(feed)

    async def drain(self, feed):
        while True:
            await asyncio.sleep(0.01)
            while self.heap:
                await feed.emit(self.heap.pop(0)[0])

    async def deliver(self, feed, batch):
        self.heap.append((batch, bytes(50_000)))  # as a batch of many rows would take


class NeverNotices(Lines):
    async def ask(self, line, path):
        try:
            return await super().ask(line, path)
        except (OSError, ValueError):
            await asyncio.sleep(0.01)
            return Sample(path, now_ns(), None, Quality.BAD_NO_COMMUNICATION)


class WorksOnce(Lines):
    ran = False

    async def run(self, feed):
        if self.ran:
            raise LinkLost("again")
        self.ran = True
        await super().run(feed)


class WaitsForEver(Lines):
    async def run(self, feed):
        try:
            await super().run(feed)
        except LinkLost:
            await asyncio.Event().wait()


class OneBadBlocksAll(Lines):
    async def poll(self, feed):
        batch = await super().poll(feed)
        if (batch.quality != 0).any():
            raise Refused("unknown point")
        return batch


class HidesTrouble(Lines):
    async def poll(self, feed):
        rows = [await self.ask(f"get {p.name[6:]}", p.name) for p in self.config.points]
        return Batch.of_rows(rows)


class OmitsBad(Lines):
    async def poll(self, feed):
        batch = await super().poll(feed)
        return batch.take(batch.quality == 0)


class ForgetsWrites(Lines):
    async def write(self, path, value):
        self.check(path)
        if isinstance(value, str):
            raise Refused("no")


class TakesAnything(Lines):
    def check(self, path):
        if self.link is None:
            raise LinkLost("no link")


class Swallows(Lines):
    async def run(self, feed):
        with suppress(asyncio.CancelledError):
            await super().run(feed)


class BadExample(Lines):
    example = """
        [[drivers]]
        kind = "lines"
        prot = 4000
    """
