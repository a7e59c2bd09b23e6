"""The machines of the plant as twins see them: what reaches them, the guard before them."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from lineshaft.core.access import Action, Audit, Authorizer, Identity
from lineshaft.core.errors import Denied, LineshaftError, LinkLost, Missing, Refused
from lineshaft.core.event import Event
from lineshaft.core.point import Value
from lineshaft.drivers import Driver
from lineshaft.gather.device import State
from lineshaft.gather.devices import Devices
from lineshaft.gather.writing import Ticket, Writer
from lineshaft.twins.living import Link, Register

CALL_S_MAX = 60.0
"""How long a machine may take for a method."""


class Machines:
    """Fills `twins.living.Machines` with the devices and the writer of gather."""

    def __init__(
        self,
        devices: Devices,
        writer: Writer,
        authorizer: Authorizer,
        audit: Audit,
        *,
        calls: Collection[str] = (),
    ) -> None:
        """`calls` are the paths of methods that may be called at all."""
        self._calls = frozenset(calls)
        self._devices, self._writer = devices, writer
        self._authorizer, self._audit = authorizer, audit

    def link(self, source: str) -> Link | None:
        """The connection of that name, or None."""
        found = next((d for d in self._devices.all() if d.name == source), None)
        if found is None:
            return None
        return link_of(found.driver)

    def writable(self, point: str) -> bool:
        """Whether the settings allow to write the point at all."""
        return self._writer.allowed(point)

    async def write(self, who: Identity, values: Mapping[str, Value]) -> None:
        """Write values by point through the guard: prepare all, then confirm and read back each.

        When one cannot be prepared, nothing is written. When one fails after that, the error says
        which were written and which were not.

        Raises:
            Denied: `who` may not.
            Refused: settings, limits, interlock or device say no, or it reads back otherwise.
            LinkLost: a device does not answer.
        """
        tickets = await self._prepared(who, values)
        written: list[str] = []
        for at, ticket in enumerate(tickets):
            try:
                done = await self._writer.confirm(who, ticket.id, "twin")
                if not done.ok:
                    raise Refused(
                        f"{ticket.point}: {ticket.value!r} was written, the device reads back"
                        f" {done.read_back.value!r}",
                        remedy="Look at the machine; it may round, or refuse in silence.",
                    )
            except LineshaftError as error:
                left = tickets[at + 1 :]
                await self._cancelled(who, left)
                if len(tickets) == 1:
                    raise
                raise type(error)(
                    f"{error}; written: {', '.join(written) or 'nothing'};"
                    f" not written: {', '.join(t.point for t in left) or 'nothing else'}",
                    remedy=error.remedy,
                ) from error
            written.append(ticket.point)

    async def _prepared(self, who: Identity, values: Mapping[str, Value]) -> list[Ticket]:
        tickets: list[Ticket] = []
        try:
            for point, value in values.items():
                tickets.append(await self._writer.prepare(who, point, value))
        except LineshaftError:
            await self._cancelled(who, tickets)
            raise
        return tickets

    async def _cancelled(self, who: Identity, tickets: Sequence[Ticket]) -> None:
        """Give tickets back that will not be used; those whose time is over are gone anyway."""
        for ticket in tickets:
            with contextlib.suppress(Missing):
                await self._writer.cancel(who, ticket.id)

    async def call(self, who: Identity, method: str, inputs: Mapping[str, Value]) -> dict[str, Any]:
        """Have a machine carry out a method, on record before and after; its outputs by name.

        Raises:
            Denied: `who` may not.
            Refused: the settings do not allow it, no device has such a method, or it says no.
            LinkLost: it does not answer.
        """
        data: dict[str, object] = {"inputs": dict(inputs)}
        if not self._authorizer.allows(who, Action.WRITE, method):
            await self._note("call.refused", who, method, data)
            raise Denied(f"{who.name} may not call {method}")
        try:
            driver = self._driver_of(method)
        except Refused as error:
            await self._note("call.refused", who, method, data | {"problem": str(error)})
            raise
        await self._note("call.begun", who, method, data)
        try:
            async with asyncio.timeout(CALL_S_MAX):
                outputs = await driver.call(method, inputs)
        except TimeoutError:
            await self._note("call.failed", who, method, {"problem": "no answer"})
            raise LinkLost(
                f"{method}: {driver.name} did not answer within {CALL_S_MAX:g} s; whether it was"
                " done is not known"
            ) from None
        except LineshaftError as error:
            await self._note("call.failed", who, method, {"problem": str(error)})
            raise
        await self._note("call.done", who, method, {"outputs": outputs})
        return outputs

    def _driver_of(self, method: str) -> Driver:
        if method not in self._calls:
            raise Refused(
                f"method {method} may not be called",
                remedy="An engineer names it in `calls` of the table [twins].",
            )
        for device in self._devices.all():
            if device.state is State.CONNECTED and any(
                m.path == method for m in device.driver.methods()
            ):
                return device.driver
        raise Refused(
            f"no connected device has a method {method}",
            remedy="Name it in `methods` of the connection, and see that the device is there.",
        )

    async def _note(self, kind: str, who: Identity, path: str, data: Mapping[str, object]) -> None:
        await self._audit.note(Event(kind=kind, path=path, actor=who.name, data=dict(data)))


def link_of(driver: Driver) -> Link:
    """The connection that a driver is."""
    return Link(
        name=driver.name,
        protocol=driver.protocol or driver.kind(),
        address=_address_of(driver),
        registers=_registers(driver),
    )


def _registers(driver: Driver) -> dict[str, Register]:
    """What each address of a Modbus device holds; of other devices none."""
    if driver.kind() != "modbus":
        return {}
    config: Any = driver.config  # its type is in a module that is loaded only where it is needed
    return {
        p.place: Register(
            unit=config.unit,
            type=p.of_type.value,
            quantity=p.width,
            order=(p.order or config.order).value,
            scale=f"{p.scale:g}" if p.is_scaled else "",
        )
        for p in config.points
    }


def _address_of(driver: Driver) -> str:
    """Where a connection leads, from the fields that drivers use for it."""
    config = driver.config
    for field in ("url", "base_url"):
        if isinstance(given := getattr(config, field, None), str):
            return given
    host, port = getattr(config, "host", ""), getattr(config, "port", 0)
    scheme = {"modbus": "modbus+tcp", "mqtt": "mqtt"}.get(driver.kind(), driver.kind())
    return f"{scheme}://{host}:{port}" if host else f"{scheme}:"
