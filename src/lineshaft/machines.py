"""The machines of the plant as twins see them: what reaches them, the guard before them."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from lineshaft.core.access import Action, Audit, Authorizer, Identity
from lineshaft.core.errors import Denied, LineshaftError, LinkLost, Refused
from lineshaft.core.event import Event
from lineshaft.core.point import Value
from lineshaft.drivers import Driver
from lineshaft.gather.device import State
from lineshaft.gather.devices import Devices
from lineshaft.gather.writing import Writer
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

    async def write(self, who: Identity, point: str, value: Value) -> None:
        """Write through the guard: prepare, confirm, read back, all on record.

        Raises:
            Denied: `who` may not.
            Refused: settings, limits, interlock or device say no, or it reads back otherwise.
            LinkLost: the device does not answer.
        """
        ticket = await self._writer.prepare(who, point, value)
        done = await self._writer.confirm(who, ticket.id, "twin")
        if not done.ok:
            raise Refused(
                f"{point}: {value!r} was written, the device reads back {done.read_back.value!r}",
                remedy="Look at the machine; it may round, or refuse in silence.",
            )

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
