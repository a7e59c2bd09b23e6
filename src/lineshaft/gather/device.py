"""One device: a driver kept running, what it hands over, and what is known of its state."""

import asyncio
import enum
import logging
from collections import Counter, OrderedDict
from collections.abc import Sequence

import msgspec

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns, to_iso
from lineshaft.core.errors import LinkLost
from lineshaft.core.flow import Channel, Fault, Full, supervise
from lineshaft.core.path import SYSTEM
from lineshaft.core.point import Kind, Point
from lineshaft.core.quality import Quality
from lineshaft.drivers import Condition, Driver
from lineshaft.gather import Alarms, Config, Declare
from lineshaft.spines import Spine

log = logging.getLogger(__name__)

TROUBLES_MAX = 200
ROWS_OF_LOSS = 50_000


class State(enum.Enum):
    """How a device's link is."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"
    """The link broke; it is tried again."""
    REFUSED = "refused"
    """The device said no; parked until somebody asks to retry or the settings change."""
    FAILED = "failed"
    """The driver has a defect; it is tried again."""


_FAULTS = {Fault.LOST: State.LOST, Fault.REFUSED: State.REFUSED, Fault.DEFECT: State.FAILED}
_CODES = {state: number for number, state in enumerate(State)}


class Trouble(msgspec.Struct, frozen=True):
    """A point of the device that does not work, while the rest does."""

    address: str
    problem: str


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """What people see of a device."""

    name: str
    kind: str
    protocol: str
    at: str
    """Branch of the namespace that it fills; empty when it fills several."""
    state: State
    since: str
    """Time from which the state holds, RFC 3339."""
    detail: str
    """What the driver says about the link, such as the server's name."""
    error: str
    """The last fault, also when it is over."""
    reconnects: int
    samples: int
    rate: float
    """Samples a second, over the last reporting periods."""
    lost: dict[str, int]
    """Samples that could not be brought over, by reason."""
    troubles: tuple[Trouble, ...]
    points: int
    last_sample: str | None
    made_at_run_time: bool


class Device:
    """A driver with its supervisor; to the driver it is the `Feed`."""

    def __init__(
        self, driver: Driver, spine: Spine, namespace: Declare, config: Config, *, file: bool = True
    ) -> None:
        self.driver = driver
        self.name = driver.name
        self.state = State.STOPPED
        self.points: dict[str, Point] = {}
        self.made_at_run_time = not file
        self.alarms: Alarms | None = None
        """Who keeps what the device tells of its alarms."""
        self.retry = asyncio.Event()
        self.samples = self.reconnects = self.defects = 0
        self.losses: Counter[str] = Counter()
        self._spine, self._namespace, self._config = spine, namespace, config
        self._since_ns = now_ns()
        self._detail = self._error = ""
        self._troubles: OrderedDict[str, str] = OrderedDict()
        self._last_ns: int | None = None
        self._newest_ns = 0
        self._rate, self._counted = 0.0, 0
        self._in_flight = asyncio.Semaphore(config.emits_in_flight_max)
        self._news = Channel[Batch](f"news of {self.name}", size_max=64, full=Full.DROP_OLDEST)
        self._subject = f"data.{self.name}"

    # ---- life

    async def run(self) -> None:
        """Keep the driver running until cancelled, and report on it."""
        namespace = f"{SYSTEM}/drivers/{self.name}"
        self._namespace.declare(_own_points(namespace, self.name))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._report(namespace), name=f"report {self.name}")
                await supervise(self.name, self._attempt, faulted=self._faulted, retry=self.retry)
        finally:
            self._enter(State.STOPPED)

    async def leave(self) -> None:
        """Tell that the device is stopped, and that nothing is known of its points any more."""
        self._mark_lost()
        while (news := self._news.get_nowait()) is not None:
            await self._spine.publish(self._subject, news)

    async def _attempt(self) -> None:
        self._enter(State.CONNECTING)
        await self.driver.run(self)
        raise LinkLost(f"{self.name}: the driver ended by itself")

    def _faulted(self, fault: Fault, error: BaseException) -> None:
        self._error = str(error) or type(error).__name__
        self.defects += fault is Fault.DEFECT
        was_up = self.state is State.CONNECTED
        self._enter(_FAULTS[fault])
        if was_up:
            self._mark_lost()

    def _enter(self, state: State) -> None:
        if state is self.state:
            return
        self.state, self._since_ns = state, now_ns()
        path = f"{SYSTEM}/drivers/{self.name}/state"
        self._news.put_nowait(Batch.of_rows([Sample(path, self._since_ns, _CODES[state])]))

    def _mark_lost(self) -> None:
        """Say of every point that nothing is known any more, from now on."""
        # The machine's clock may be ahead of ours: the mark must not be behind its last values.
        time_ns = max(now_ns(), self._newest_ns + 1)
        paths = list(self.points)
        for start in range(0, len(paths), ROWS_OF_LOSS):
            part = paths[start : start + ROWS_OF_LOSS]
            n = len(part)
            self._news.put_nowait(
                Batch.of(part, range(n), [time_ns] * n, quality=int(Quality.BAD_NO_COMMUNICATION))
            )

    async def _report(self, at: str) -> None:
        """Publish the news at once, and the counters every `report_s`."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if (left_s := due - loop.time()) <= 0:
                await self._spine.publish(self._subject, self._counters(at))
                due = loop.time() + self._config.report_s
                continue
            try:
                async with asyncio.timeout(left_s):
                    news = await self._news.get()
            except TimeoutError:
                continue
            await self._spine.publish(self._subject, news)

    def _counters(self, at: str) -> Batch:
        fresh = (self.samples - self._counted) / self._config.report_s
        self._rate = fresh if not self._counted else 0.5 * self._rate + 0.5 * fresh
        self._counted = self.samples
        time_ns = now_ns()
        figures = {
            "state": _CODES[self.state],
            "samples": self.samples,
            "reconnects": self.reconnects,
            "lost": self.losses.total(),
            "troubles": len(self._troubles),
        }
        return Batch.of_rows(Sample(f"{at}/{k}", time_ns, v) for k, v in figures.items())

    # ---- what the driver calls: the Feed

    async def emit(self, batch: Batch) -> None:
        """Publish the batch; returns once it is stored."""
        came, batch = len(batch), batch.timely()
        if len(batch) < came:
            self.lost("times before 1824 or after 2116", came - len(batch))
        if not len(batch):
            return
        self.connected()
        self._newest_ns = max(self._newest_ns, int(batch.time_ns.max()))
        async with self._in_flight:
            await self._spine.publish(self._subject, batch)
        self.samples += len(batch)
        self._last_ns = now_ns()

    async def conditions(
        self, found: Sequence[Condition], *, listed: frozenset[str] | None = None
    ) -> None:
        """Hand alarms of the device to who keeps them; returns once they are kept."""
        self.connected()
        if self.alarms is None:
            self.lost("alarms that nobody keeps", len(found))
            return
        await self.alarms.told(self.name, self.at, found, listed)

    def declare(self, points: Sequence[Point]) -> None:
        """Make the points known."""
        self.points.update((p.path, p) for p in points)
        self._namespace.declare(tuple(points))

    def connected(self, detail: str = "") -> None:
        """Note that the link is up."""
        if detail:
            self._detail = detail
        if self.state is not State.CONNECTED:
            self.reconnects += bool(self._error)
            self._enter(State.CONNECTED)

    def lost(self, reason: str, count: int = 1) -> None:
        """Count lost samples."""
        self.losses[reason] += count

    def trouble(self, address: str, problem: str | None) -> None:
        """Note the trouble of one point, or its end."""
        if problem is None:
            self._troubles.pop(address, None)
        elif address in self._troubles or len(self._troubles) < TROUBLES_MAX:
            self._troubles[address] = problem
        else:
            self.losses["troubles not listed"] += 1

    # ---- what people see

    @property
    def at(self) -> str:
        """Branch of the namespace that it fills; empty when it fills several."""
        return str(getattr(self.driver.config, "at", ""))

    def lost_by_reason(self) -> dict[str, int]:
        """Samples that could not be brought over, the device's own news among them."""
        own = {"own news": self._news.dropped} if self._news.dropped else {}
        return dict(self.losses) | own

    def view(self) -> DeviceView:
        """The device as it is now."""
        return DeviceView(
            name=self.name,
            kind=self.driver.kind(),
            protocol=self.driver.protocol or self.driver.kind(),
            at=self.at,
            state=self.state,
            since=to_iso(self._since_ns),
            detail=self._detail,
            error=self._error,
            reconnects=self.reconnects,
            samples=self.samples,
            rate=round(self._rate, 3),
            lost=self.lost_by_reason(),
            troubles=tuple(Trouble(a, p) for a, p in self._troubles.items()),
            points=len(self.points),
            last_sample=to_iso(self._last_ns) if self._last_ns else None,
            made_at_run_time=self.made_at_run_time,
        )


def _own_points(at: str, name: str) -> tuple[Point, ...]:
    """The points by which a device tells of itself."""
    words = {
        "samples": "Samples handed over since the start",
        "reconnects": "Times the link came back",
        "lost": "Samples that could not be brought over",
        "troubles": "Points that do not work while the link is up",
    }
    state = Point(
        path=f"{at}/state",
        kind=Kind.ENUM,
        names={str(n): s.value for s, n in _CODES.items()},
        description=f"State of the link to {name}",
        source=name,
    )
    return (
        state,
        *(
            Point(path=f"{at}/{k}", kind=Kind.INTEGER, description=d, source=name)
            for k, d in words.items()
        ),
    )
