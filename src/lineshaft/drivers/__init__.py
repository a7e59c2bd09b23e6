"""Drivers talk to the shop floor. One file here is one protocol.

A driver knows its device and nothing else: no spine, no store, no HTTP. To add one, write
`drivers/<kind>.py`: docstring (its page), `Config` (its schema), `example`, `run` (the work),
`bench` (a device on loopback). Contract tests, reference page and settings check follow.
"""

import abc
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol

import msgspec

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.errors import Refused
from lineshaft.core.path import check_path
from lineshaft.core.plugin import Plugin
from lineshaft.core.point import Kind, Point, Value
from lineshaft.core.settings import Settings
from lineshaft.core.units import check_unit


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One point that a device offers, as `lineshaft browse` shows it."""

    path: str
    """Its place below the root that was browsed, levels joined by `/`."""
    address: str
    """Where the driver finds it, in the words of its protocol."""
    kind: Kind = Kind.NUMBER
    """What its values are."""
    unit: str = ""
    """UCUM code of the unit; empty when it has none that is known."""
    low: float | None = None
    """Lower end of the range that the device states, in `unit`."""
    high: float | None = None
    """Upper end of that range."""
    description: str = ""
    """One sentence for people."""
    writable: bool = False
    """Whether the device lets this user write it."""
    value: Value | None = None
    """Its value now; None when there is none, or it is bad."""


Arguments = Mapping[str, Any]
"""What a method takes or gives, by name: each a JSON value."""


class Argument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a method takes or gives."""

    name: str
    kind: Kind = Kind.JSON
    """What its values are; `json` for arrays and objects."""
    description: str = ""
    """One sentence for people."""


class Method(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a device can be told to do."""

    path: str
    """Its name in the namespace, made like that of a point."""
    description: str = ""
    """One sentence for people."""
    inputs: tuple[Argument, ...] = ()
    """What it takes, in the order of the device."""
    outputs: tuple[Argument, ...] = ()
    """What it gives."""


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a device says of one alarm of its own, as it is after an event.

    Source: OPC 10000-9 (Alarms and Conditions) v1.05, 5.5 ConditionType to 5.8 AlarmConditionType.
    """

    id: str
    """Identifies the condition in the device, in the words of its protocol."""
    source: str
    """Name of what it is about, as the device calls it."""
    name: str
    """Name of the condition; several of one source may have the same."""
    event_id: str = ""
    """Identifies the event, in hex; an acknowledgement names it."""
    time_ns: int
    message: str = ""
    """What the device says to people."""
    severity: int = 1
    """1 to 1000."""
    enabled: bool = True
    active: bool = False
    acked: bool = True
    """Also true where the device knows no acknowledgement."""
    must_ack: bool = False
    """Whether the device wants to be told that somebody has seen it."""
    covered: bool = False
    """Whether the device has suppressed or shelved it."""
    retain: bool = True
    """Whether the device still lists it."""
    quality: int = 0
    """Status code of its input."""


class Feed(Protocol):
    """What a running driver is given: the way out for its data and for news of itself."""

    async def emit(self, batch: Batch) -> None:
        """Hand over a batch; returns once every durable subscriber has confirmed it.

        Await each emit, or keep a bounded number in flight, so that a slow store slows the
        driver instead of filling the memory.
        """

    async def conditions(
        self, found: Sequence[Condition], *, listed: frozenset[str] | None = None
    ) -> None:
        """Hand over what has become of alarms of the device, oldest first.

        Returns once they are kept, so that a slow disk slows the driver. `listed` holds the
        identifiers of all conditions that the device still lists, when it has just told all of
        them: the others are over.
        """

    def declare(self, points: Sequence[Point]) -> None:
        """Say what points are, before their first sample; saying the same again is free."""

    def connected(self, detail: str = "") -> None:
        """Say that the link is up: call it on each run, as soon as the device has answered."""

    def lost(self, reason: str, count: int = 1) -> None:
        """Count samples that could not be brought over, by reason (`overflow`, `undecodable`)."""

    def trouble(self, address: str, problem: str | None) -> None:
        """Say that one point of the device is in trouble, or with None, that it is well again.

        The rest of the device goes on; the devices page shows the list.
        """


class PointSettings(Settings, frozen=True):
    """What every driver's table of a point may say; drivers add where to find it."""

    name: str
    """Name of the point below the driver's `at`; may hold further levels."""
    unit: str = ""
    """UCUM code of the unit (`Cel`, `bar`, `kW`)."""
    low: float | None = None
    """Lower end of the expected range, in `unit`."""
    high: float | None = None
    """Upper end of the expected range, in `unit`."""
    description: str = ""
    """One sentence for people."""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    """Names of the values of an enumeration, `{ 0 = "stopped", 1 = "running" }`."""

    def point(self, at: str, *, kind: Kind, source: str, address: str) -> Point:
        """The point as the namespace knows it.

        Raises:
            Invalid: its name is no path, or its unit is unknown.
        """
        return Point(
            path=check_path(f"{at}/{self.name}" if at else self.name),
            kind=Kind.ENUM if self.names else kind,
            unit=check_unit(self.unit),
            low=self.low,
            high=self.high,
            description=self.description,
            names=self.names,
            source=source,
            address=address,
        )


class Driver(Plugin, abc.ABC):
    """One connection to the shop floor."""

    protocol: ClassVar[str] = ""
    """What people call the protocol: `OPC UA`, `Modbus TCP`."""

    @abc.abstractmethod
    async def run(self, feed: Feed) -> None:
        """Connect, then emit batches until cancelled.

        The call is the connection: leaving it, by error or by cancellation, closes
        everything it opened. Never retries and never sleeps after a fault: the supervisor
        does. One bad point never ends the call: it is emitted with a bad quality and told
        to `feed.trouble`.

        Raises:
            LinkLost: the connection broke or never came up; `run` will be called again.
            Refused: the device said no; asking again will not help.
        """

    async def write(self, path: str, value: Value) -> None:
        """Set one point, in the unit that the point declares. Only called while `run` runs.

        Raises:
            Refused: the point cannot be written, or the device said no.
            LinkLost: the link is down.
        """
        raise Refused(f"{self.name}: {path} is read-only, cannot set it to {value!r}")

    async def read(self, path: str) -> Sample:
        """Ask the device for one point now; the proof of a write. Only called while `run` runs.

        Raises:
            Refused: the point cannot be read, or the device said no.
            LinkLost: the link is down.
        """
        raise Refused(f"{self.name}: {path} cannot be read on request")

    def methods(self) -> Sequence[Method]:
        """What the device can be told to do, as far as it is known; none is the default."""
        return ()

    async def call(self, path: str, inputs: Arguments) -> dict[str, Any]:
        """Have the device do one thing, and return what it gives, by name.

        Only called while `run` runs. Never repeated by itself: whether a call that was not
        answered has been done is not known.

        Raises:
            Refused: there is no such method, the inputs do not fit, or the device said no.
            LinkLost: the link is down, or no answer came.
        """
        raise Refused(
            f"{self.name}: has no method {path!r}, so it cannot be called with {sorted(inputs)}",
            remedy="Name one of `methods` in the settings of the connection.",
        )

    async def acknowledge(self, condition: Condition, comment: str) -> None:
        """Tell the device that somebody has seen its alarm. Only called while `run` runs.

        Raises:
            Refused: the device has no such alarm, or says no.
            LinkLost: the link is down, or no answer came.
        """
        raise Refused(f"{self.name}: has no alarms, so {condition.name!r} cannot be acknowledged")

    @classmethod
    async def browse(cls, address: str, **options: str) -> list[Found]:
        """What the device at that address offers.

        `options` are further fields of `Config` as text, such as `username`.

        Raises:
            Refused: the protocol knows no browsing (this is the default), or the device said no.
            LinkLost: nothing answers.
        """
        raise Refused(
            f"{cls.kind()} at {address} cannot be browsed ({len(options)} options given)",
            remedy="Write its points into the settings by hand.",
        )

    @classmethod
    def settings_for(cls, found: Sequence[Found], *, name: str, address: str, at: str) -> str:
        """The settings table, as TOML text, that reads what was found.

        Raises:
            Refused: the protocol knows no browsing. This is the default.
        """
        raise Refused(
            f"{cls.kind()} at {address} cannot be browsed, so {name} below {at} has"
            f" no settings for {len(found)} points"
        )

    @classmethod
    @abc.abstractmethod
    def bench(cls) -> "AbstractAsyncContextManager[Bench]":
        """A real device on loopback, for contract tests, examples and the demo."""


class Bench(Protocol):
    """A device on loopback that a test can hold in its hand."""

    settings: Settings
    """The settings that reach it, with at least two points of which one is writable."""
    writable: str
    """Path of a point that takes numbers and reads back what was written; empty if none."""
    unknown: Settings
    """Settings like `settings` with one point more that the device does not know."""

    async def cut(self) -> None:
        """Break every connection and stop answering, as if the plug was pulled."""

    async def mend(self) -> None:
        """Answer again, at the same address."""
