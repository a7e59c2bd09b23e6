"""Writing to a machine, guarded: off by default, in two steps, with the read-back as proof.

Prepare says what would happen and writes nothing. Confirm, by the same person, within the
time, checks everything again, writes, and reads back. Both stand in the audit trail before
they happen: what cannot be audited is not done.
"""

import asyncio
import math
from collections.abc import Sequence

import msgspec

from lineshaft.core.access import Action, Audit, Authorizer, Identity
from lineshaft.core.batch import Sample
from lineshaft.core.clock import NS_PER_S, now_ns, to_iso, uuid7
from lineshaft.core.errors import Denied, LineshaftError, LinkLost, Missing, Refused
from lineshaft.core.event import Event
from lineshaft.core.point import Kind, Point, Value, value_of
from lineshaft.core.quality import is_good, quality_name
from lineshaft.gather import Config, Latest, WriteRule
from lineshaft.gather.device import Device, State
from lineshaft.gather.devices import Devices
from lineshaft.gather.interlocks import check_interlock, in_words

TICKETS_MAX = 1000
FLOAT32_TOLERANCE = 1e-6


class Reading(msgspec.Struct, frozen=True):
    """A sample as people see it."""

    point: str
    time: str
    time_ns: int
    value: Value | None
    quality: int
    quality_name: str


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared write, waiting to be confirmed."""

    id: str
    point: str
    value: Value
    unit: str
    now: Reading | None
    """The newest sample of the point."""
    low: float | None
    high: float | None
    interlock: str
    """The condition on another point, in words; empty when there is none."""
    expires: str
    """Time until which it can be confirmed."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a confirmed write."""

    point: str
    asked: Value
    read_back: Reading
    ok: bool
    """Whether the device reads back what was asked."""


class Writer:
    """The guard between people and machines."""

    def __init__(
        self,
        config: Config,
        devices: Devices,
        latest: Latest,
        authorizer: Authorizer,
        audit: Audit,
    ) -> None:
        self._config, self._devices, self._latest = config, devices, latest
        self._authorizer, self._audit = authorizer, audit
        self._rules: dict[str, WriteRule] = {}
        self._tickets: dict[str, tuple[Ticket, str, int]] = {}
        self._written_ns: dict[str, int] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def allow(self, rules: Sequence[WriteRule]) -> None:
        """Take these rules instead of the present ones; what is prepared is void."""
        self._rules = {r.point: r for r in rules}
        self._tickets.clear()

    def allowed(self, path: str) -> bool:
        """Whether the settings allow to write the point at all."""
        return path in self._rules

    async def prepare(self, who: Identity, path: str, value: Value) -> Ticket:
        """Check the write and hand out a ticket for it; nothing is written.

        Raises:
            Denied: `who` may not write this point.
            Refused: the point, the value or the state of the plant does not allow it.
        """
        try:
            device, rule = await self._check(who, path, value)
        except LineshaftError as error:
            await self._note("write.refused", who, path, value=value, problem=str(error))
            raise
        point = device.points[path]
        expires_ns = now_ns() + int(self._config.ticket_s * NS_PER_S)
        latest = self._latest.latest(path)
        ticket = Ticket(
            id=uuid7(),
            point=path,
            value=value,
            unit=point.unit,
            now=_reading(latest, point) if latest else None,
            low=rule.low,
            high=rule.high,
            interlock=in_words(rule.interlock) if rule.interlock else "",
            expires=to_iso(expires_ns),
        )
        await self._note("write.prepared", who, path, value=value, ticket=ticket.id)
        self._forget_expired()
        self._tickets[ticket.id] = (ticket, who.name, expires_ns)
        return ticket

    async def confirm(self, who: Identity, ticket_id: str, reason: str = "") -> Written:
        """Write what was prepared, and read it back.

        Raises:
            Missing: no such ticket of this person, or its time is over.
            Refused: the plant no longer allows it, or the device said no.
            LinkLost: the device did not answer; whether it took the value is not known.
        """
        ticket = self._take(who, ticket_id)
        path = ticket.point
        async with self._turns.setdefault(path, asyncio.Lock()):
            try:
                device, _ = await self._check(who, path, ticket.value)
            except LineshaftError as error:
                await self._note("write.refused", who, path, ticket=ticket.id, problem=str(error))
                raise
            about = {"ticket": ticket.id, "value": ticket.value, "reason": reason}
            await self._note("write.confirmed", who, path, **about)
            self._written_ns[path] = now_ns()
            try:
                read_back = await self._write(device, path, ticket.value)
            except LineshaftError as error:
                await self._note("write.failed", who, path, **about, problem=str(error))
                raise
        point = device.points[path]
        reading = _reading(read_back, point)
        ok = is_good(read_back.quality) and _same(reading.value, ticket.value)
        await self._note("write.done", who, path, **about, read_back=reading.value, ok=ok)
        return Written(point=path, asked=ticket.value, read_back=reading, ok=ok)

    async def cancel(self, who: Identity, ticket_id: str) -> None:
        """Give a ticket back unused.

        Raises:
            Missing: no such ticket of this person.
        """
        ticket = self._take(who, ticket_id)
        await self._note("write.cancelled", who, ticket.point, ticket=ticket.id)

    # ---- the checks

    async def _check(self, who: Identity, path: str, value: Value) -> tuple[Device, WriteRule]:
        if not self._authorizer.allows(who, Action.WRITE, path):
            raise Denied(f"{who.name} may not write {path}", remedy="Ask an administrator.")
        rule = self._rules.get(path)
        if rule is None:
            raise Refused(
                f"{path} is not in the list of points that may be written",
                remedy="An engineer adds it to the settings under [[writes]].",
            )
        device = self._devices.owner(path)
        if device is None or device.state is not State.CONNECTED:
            raise Refused(
                f"{path} cannot be written: its device is "
                + (device.state.value if device else "not known"),
                remedy="Wait until the device is connected.",
            )
        self._check_value(rule, device.points[path], value)
        self._check_pace(rule)
        if rule.interlock:
            check_interlock(path, rule.interlock, self._latest)
        return device, rule

    def _check_value(self, rule: WriteRule, point: Point, value: Value) -> None:
        path = rule.point
        if point.kind in (Kind.TEXT, Kind.JSON):
            if not isinstance(value, str) or (rule.values and value not in rule.values):
                wanted = f"one of {list(rule.values)}" if rule.values else "text"
                raise Refused(f"{path}: cannot write {value!r}, wanted {wanted}")
            return
        if point.kind is Kind.BOOLEAN:
            if not isinstance(value, bool) and value not in (0, 1):
                raise Refused(f"{path}: cannot write {value!r}, wanted true or false")
            return
        if isinstance(value, bool | str) or not _is_finite(value):
            raise Refused(f"{path}: cannot write {value!r}, wanted a number")
        if point.kind in (Kind.INTEGER, Kind.ENUM) and value != int(value):
            raise Refused(f"{path}: cannot write {value!r}, wanted a whole number")
        if rule.low is None or rule.high is None:
            raise Refused(
                f"{path}: its entry in [[writes]] has no low and high",
                remedy="An engineer sets both limits.",
            )
        if not rule.low <= value <= rule.high:
            raise Refused(
                f"{path}: {value} {point.unit} is outside {rule.low} to {rule.high} {point.unit}",
                remedy="Choose a value within the limits.",
            )
        self._check_step(rule, value)

    def _check_step(self, rule: WriteRule, value: float) -> None:
        if rule.step_max is None:
            return
        latest = self._latest.latest(rule.point)
        if latest is None or not isinstance(latest.value, int | float):
            raise Refused(f"{rule.point}: its present value is not known, and steps are limited")
        if abs(value - latest.value) > rule.step_max:
            raise Refused(
                f"{rule.point}: from {latest.value} to {value} is more than one step of"
                f" {rule.step_max}",
                remedy="Go there in smaller steps.",
            )

    def _check_pace(self, rule: WriteRule) -> None:
        passed_s = (now_ns() - self._written_ns.get(rule.point, 0)) / NS_PER_S
        if passed_s < rule.wait_s:
            raise Refused(
                f"{rule.point} was written {passed_s:.0f} s ago, and {rule.wait_s:g} s must pass",
                remedy="Wait, then prepare it again.",
            )

    # ---- the deed

    async def _write(self, device: Device, path: str, value: Value) -> Sample:
        try:
            async with asyncio.timeout(self._config.write_timeout_s):
                await device.driver.write(path, value)
            async with asyncio.timeout(self._config.write_timeout_s):
                return await device.driver.read(path)
        except TimeoutError:
            raise LinkLost(
                f"{device.name} did not answer within {self._config.write_timeout_s:g} s while"
                f" writing {path}; whether it took the value is not known",
                remedy="Look at the point's value before trying again.",
            ) from None

    def _take(self, who: Identity, ticket_id: str) -> Ticket:
        self._forget_expired()
        ticket, owner, _ = self._tickets.get(ticket_id, (None, "", 0))
        if ticket is None or owner != who.name:
            raise Missing(
                "there is no such prepared write of yours, or its time is over",
                remedy="Prepare it again.",
            )
        del self._tickets[ticket_id]
        return ticket

    def _forget_expired(self) -> None:
        now = now_ns()
        for key in [k for k, (_, _, expires) in self._tickets.items() if expires < now]:
            del self._tickets[key]
        while len(self._tickets) >= TICKETS_MAX:
            del self._tickets[next(iter(self._tickets))]

    async def _note(self, kind: str, who: Identity, path: str, **data: object) -> None:
        await self._audit.note(Event(kind=kind, path=path, actor=who.name, data=data))


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond what a float can hold
        return False


def _reading(sample: Sample, point: Point) -> Reading:
    value = sample.value
    if isinstance(value, float):
        value = value_of(point.kind, value, None)
    elif isinstance(value, str):
        value = value_of(point.kind, None, value)
    name = quality_name(sample.quality)
    return Reading(
        sample.point, to_iso(sample.time_ns), sample.time_ns, value, sample.quality, name
    )


def _same(found: Value | None, asked: Value) -> bool:
    if isinstance(found, str) or isinstance(asked, str) or found is None:
        return found == asked
    return math.isclose(found, asked, rel_tol=FLOAT32_TOLERANCE, abs_tol=FLOAT32_TOLERANCE)
