"""HTTP: machines, gateways and meters that answer GET with JSON or plain text.

Points are polled. Those that come from the same address are read with one request; a JSON
pointer (RFC 6901) says where in the answer each one stands. The time of a sample is the one
that the answer names, if `time` says where, else that of our clock when the answer came. An
address that the device does not know, or an answer that cannot be read, makes its own points
bad and disturbs no other.

Nothing is fetched from any other host than that of `base_url`, and redirects are not followed:
so credentials go nowhere else. An answer larger than `body_max` is given up.
"""

import asyncio
import importlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.errors import Invalid, LinkLost, Refused
from lineshaft.core.point import Kind, Point, Value
from lineshaft.core.settings import Secret, Settings
from lineshaft.drivers import Bench, Driver, Feed
from lineshaft.drivers.http.asking import Access, Ask, Asker, Fault, Tls
from lineshaft.drivers.http.points import HttpPoint, HttpWrite, body_for, extract, same_origin
from lineshaft.drivers.http.polling import Poll


class Http(Driver):
    """Polls addresses of one host."""

    protocol = "HTTP"

    class Config(Settings, frozen=True):
        """What the settings table may say."""

        base_url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/]+")]
        """Address that every `href` stands below, `http://192.0.2.30/api/`."""
        at: str
        """Where its points stand in the namespace: `acme/hall-1/meter-1`."""
        points: Annotated[list[HttpPoint], msgspec.Meta(min_length=1)]
        """What to read."""
        poll_s: Annotated[float, msgspec.Meta(gt=0)] = 1.0
        """Seconds from one reading to the next, for points that do not say their own."""
        timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
        """Seconds that one request may take, from the connection to the end of the answer."""
        headers: dict[str, str] = msgspec.field(default_factory=dict)
        """Further headers of each request; none of them may be a secret."""
        username: str = ""
        """Name for HTTP Basic; empty for none."""
        password: Secret = msgspec.field(default_factory=Secret)
        """Better as `{ env = "METER_PASSWORD" }` or `{ file = "/run/secrets/meter" }`."""
        token: Secret = msgspec.field(default_factory=Secret)
        """Bearer token (`Authorization: Bearer …`), given like the password."""
        api_key: Secret = msgspec.field(default_factory=Secret)
        """Key that is sent in the header `api_key_header`, given like the password."""
        api_key_header: str = "X-API-Key"
        """Name of the header for `api_key`."""
        api_key_query: str = ""
        """Name of the query parameter for `api_key`, which then is in no header; empty for none.
        Devices and proxies keep addresses in their logs, so a header is better where there is a
        choice."""
        tls: Tls = Tls()
        """For https: whom to trust; `tls = {}` trusts the certificates of the system."""
        requests_max: Annotated[int, msgspec.Meta(ge=1, le=32)] = 4
        """Requests under way at once."""
        body_max: Annotated[int, msgspec.Meta(ge=1, le=64 * 1024 * 1024)] = 1_048_576
        """Bytes of the largest answer that is read."""
        future_max_s: Annotated[float, msgspec.Meta(ge=0)] = 60.0
        """Seconds that an answer's time may be ahead of our clock and still be believed."""

        def __post_init__(self) -> None:
            base = urlsplit(self.base_url)
            if base.username is not None or base.query or base.fragment:
                raise ValueError("base_url holds a user, a query or a fragment; leave it out")
            if bool(self.username) + bool(self.token) > 1:
                raise ValueError("both username and token are given, and one header holds one")
            names = set()
            for point in self.points:
                try:
                    self.declared(point, source="")
                except Invalid as error:
                    raise ValueError(f"{error} {error.remedy}") from None
                if point.name in names:
                    raise ValueError(f"two points are named {point.name!r}")
                names.add(point.name)
                for href in (point.href, point.write.href if point.write else ""):
                    if not same_origin(self.base_url, href):
                        raise ValueError(
                            f"{point.name}: {href!r} leads to another host than {self.base_url!r}"
                        )

        def path(self, point: HttpPoint) -> str:
            """Where the point stands in the namespace."""
            return f"{self.at}/{point.name}" if self.at else point.name

        def declared(self, point: HttpPoint, source: str) -> Point:
            """The point as the namespace knows it."""
            return point.point(self.at, kind=point.kind, source=source, address=point.place)

    example = """
        [[drivers]]
        name = "meter-1"
        kind = "http"
        base_url = "http://192.0.2.30/api/"
        at = "acme/hall-1/meter-1"
        points = [
          { name = "power", href = "live", pointer = "/active/power_w", unit = "W" },
          { name = "energy", href = "live", pointer = "/energy_wh", unit = "kW.h", scale = 0.001 },
          { name = "state", href = "state.txt", payload = "text", kind = "text", poll_s = 10 },
          { name = "limit", href = "limit", pointer = "/value", unit = "W", write = {} },
        ]
    """

    config: Config
    _asker: Asker | None = None

    async def run(self, feed: Feed) -> None:
        config = self.config
        feed.declare([config.declared(point, source=self.name) for point in config.points])
        async with Asker.opened(self.name, self._access()) as asker:
            self._asker = asker
            try:
                await self._poll(asker, feed)
            finally:
                self._asker = None

    async def _poll(self, asker: Asker, feed: Feed) -> None:
        """Read every group when its time has come, one after the other: so none piles up."""
        clock = asyncio.get_running_loop().time
        groups = self._groups(feed)
        due = dict.fromkeys(groups, clock())
        is_up = False
        while True:
            period_s = min(due, key=lambda p: due[p])
            await asyncio.sleep(max(due[period_s] - clock(), 0))
            poll = groups[period_s]
            samples = await poll.read(asker)
            if not is_up:
                is_up = True
                feed.connected(self.config.base_url)
            if samples:
                await feed.emit(Batch.of_rows(samples))
            due[period_s] += period_s
            late = int((clock() - due[period_s]) // period_s) + 1
            if late > 0:
                # The slower device or store sets the pace; what was not read is told.
                feed.lost("poll overrun", late * poll.size)
                due[period_s] += late * period_s

    def _groups(self, feed: Feed) -> dict[float, Poll]:
        """The points by the seconds between their readings."""
        config = self.config
        rhythms: dict[float, list[tuple[HttpPoint, str]]] = {}
        for point in config.points:
            pair = (point, config.path(point))
            rhythms.setdefault(point.poll_s or config.poll_s, []).append(pair)
        return {
            period_s: Poll(self.name, pairs, config.future_max_s, feed.trouble)
            for period_s, pairs in rhythms.items()
        }

    async def write(self, path: str, value: Value) -> None:
        point, asker = self._find(path)
        if point.write is None:
            raise Refused(
                f"{self.name}: {path} is read-only, cannot set it to {value!r}",
                remedy="Give it a table `write`.",
            )
        try:
            body = body_for(point, value)
        except Invalid as error:
            raise Refused(f"{self.name}: {error}", remedy=error.remedy) from error
        how = point.write
        headers = (*point.headers.items(), ("Content-Type", how.content_type))
        answer = await asker.ask(Ask(how.method, how.href or point.href, body, headers))
        if not isinstance(answer, Fault) or answer.is_taken:
            return
        if answer.is_link:
            raise LinkLost(
                f"{self.name}: {answer.text}; whether {path} was set to {value!r} is not known",
                remedy="Look at the point's value before trying again.",
            )
        raise Refused(f"{self.name}: {path} was not set to {value!r}: {answer.text}")

    async def read(self, path: str) -> Sample:
        point, asker = self._find(path)
        answer = await asker.ask(point.ask)
        if isinstance(answer, Fault):
            kind = LinkLost if answer.is_link else Refused
            raise kind(f"{self.name}: cannot read {path}: {answer.text}")
        sample, problem = extract(point, path, answer, self.config.future_max_s)
        if problem and sample.value is None:
            raise Refused(f"{self.name}: cannot read {path}: {problem}")
        return sample

    def _find(self, path: str) -> tuple[HttpPoint, Asker]:
        for point in self.config.points:
            if self.config.path(point) == path:
                break
        else:
            raise Refused(f"{self.name}: {path} is not a point of this device")
        if self._asker is None:
            raise LinkLost(f"{self.name}: is not connected to {self.config.base_url}")
        return point, self._asker

    def _access(self) -> Access:
        config = self.config
        headers = dict(config.headers)
        if config.token:
            headers["Authorization"] = f"Bearer {config.token.reveal()}"
        in_query = bool(config.api_key and config.api_key_query)
        if config.api_key and not in_query:
            headers[config.api_key_header] = config.api_key.reveal()
        user = (config.username, config.password.reveal()) if config.username else None
        return Access(
            base_url=config.base_url,
            headers=headers,
            query={config.api_key_query: config.api_key.reveal()} if in_query else {},
            user=user,
            tls=config.tls,
            timeout_s=config.timeout_s,
            requests_max=config.requests_max,
            body_max=config.body_max,
        )

    @classmethod
    @asynccontextmanager
    async def bench(cls) -> AsyncGenerator[Bench]:
        # Only who asks for a bench pays for loading it.
        module = await asyncio.to_thread(importlib.import_module, f"{__name__}.bench")
        device = module.Device()
        await device.mend()
        points = [
            HttpPoint(name="temperature", href="live", pointer="/temperature", unit="Cel"),
            HttpPoint(name="strokes", href="live", pointer="/strokes", kind=Kind.INTEGER),
            HttpPoint(
                name="set_point",
                href="set_point",
                pointer="/value",
                write=HttpWrite(body='{"value": $value}'),
            ),
        ]
        strange = HttpPoint(name="strange", href="nowhere")

        def settings(points: list[HttpPoint]) -> Settings:
            return cls.Config(base_url=device.url, at="bench", points=points, poll_s=0.02)

        device.settings = settings(points)
        device.unknown = settings([*points, strange])
        device.writable = "bench/set_point"
        try:
            yield device
        finally:
            await device.cut()
