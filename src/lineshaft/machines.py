"""The machines of the plant as twins see them: what reaches them, the guard before them."""

import contextlib
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.errors import LineshaftError, Missing, Refused
from lineshaft.core.path import parent
from lineshaft.core.point import Kind, Value
from lineshaft.drivers import Argument, Driver, Method
from lineshaft.gather import ArgumentRule
from lineshaft.gather.calling import Caller
from lineshaft.gather.devices import Devices
from lineshaft.gather.writing import Ticket, Writer
from lineshaft.twins import Json
from lineshaft.twins.living import Contribution, Link, Register
from lineshaft.twins.living.building import described, operation, prop
from lineshaft.twins.living.names import id_shorts
from lineshaft.twins.living.operational import TYPES


class Machines:
    """Fills `twins.living.Machines` with the devices and the writer of gather."""

    def __init__(
        self,
        devices: Devices,
        writer: Writer,
        caller: Caller,
    ) -> None:
        self._devices, self._writer, self._caller = devices, writer, caller

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

    def callable(self, method: str) -> bool:
        """Whether the settings allow to call the method at all."""
        return method in self._caller.rules()

    async def call(self, who: Identity, method: str, inputs: Mapping[str, Value]) -> dict[str, Any]:
        """Have a machine carry out a method through the guard; its outputs by name.

        Names are those of the device, or the idShorts made of them; arrays and objects are JSON
        in text, since a Property holds one value.

        Raises:
            Denied: `who` may not.
            Refused: settings, limits, interlock or device say no.
            LinkLost: it does not answer.
        """
        known = next((m for m in self._caller.methods() if m.path == method), None)
        if known is None:  # the guard says why not
            return await self._caller.call(who, method, inputs)
        names = {short: name for name, short in id_shorts(a.name for a in known.inputs).items()}
        wants = {a.name: a.kind for a in known.inputs}
        given: dict[str, Any] = {names.get(short, short): v for short, v in inputs.items()}
        given = {n: _taken(v) if wants.get(n) is Kind.JSON else v for n, v in given.items()}
        outputs = await self._caller.call(who, method, given)
        shorts = id_shorts(a.name for a in known.outputs)
        return {shorts.get(n, n): _told(v) for n, v in outputs.items()}


def _taken(value: Value) -> Any:  # noqa: ANN401 - JSON
    """What a text of JSON says; another text is itself."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def _told(value: object) -> object:
    """An output as a Property takes it."""
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value


class Methods:
    """The submodel Operations: methods of a machine that may be called, with their variables."""

    id_shorts = ("Operations",)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._known: dict[str, Method] = {}
        """Also those of devices that are away: a twin does not change with a cable."""
        self._at: dict[str, list[Method]] = {}
        """The same by branch, in order."""

    def version(self) -> Hashable:
        """The methods themselves, and their limits."""
        rules = self._caller.rules()
        self._known = {p: m for p, m in self._known.items() if p in rules}
        self._known |= {m.path: m for m in self._caller.methods()}
        told = sorted(self._known.items())
        self._at = {}
        for path, method in told:
            self._at.setdefault(parent(path), []).append(method)
        return msgspec.msgpack.encode([[m, rules[p]] for p, m in told])

    def contributed(self, path: str) -> Sequence[Contribution]:
        """The methods right below the path; nothing where there are none."""
        found = self._at.get(path)
        if not found:
            return ()
        shorts = id_shorts(m.path.rpartition("/")[2] for m in found)
        own = {m.path: shorts[m.path.rpartition("/")[2]] for m in found}
        elements = [self._operation(m, own[m.path]) for m in found]
        semantic = "urn:lineshaft:submodel:Operations:1"
        return (
            Contribution(
                id_short="Operations",
                semantic_id=semantic,
                elements=tuple(elements),
                bound={short: path for path, short in own.items()},
            ),
        )

    def _operation(self, method: Method, short: str) -> Json:
        limits = self._caller.rules()[method.path].arguments
        names = id_shorts(a.name for a in method.inputs)
        inputs = [_variable(a, names[a.name], limits.get(a.name)) for a in method.inputs]
        given = id_shorts(a.name for a in method.outputs)
        outputs = [_variable(a, given[a.name], None) for a in method.outputs]
        text = described(method.description)
        return operation(short, "", inputs, outputs, description=text)

    async def refresh(self) -> None:
        """Nothing: methods have no values."""

    def values(self, path: str, id_short: str) -> Mapping[str, Value | None]:
        """None: operations have no value."""
        return {}


def _variable(argument: Argument, short: str, limits: ArgumentRule | None) -> Json:
    """An argument as a Property, with what it may be in its description."""
    words = [argument.description.rstrip(".")] if argument.description else []
    if limits and (limits.low is not None or limits.high is not None):
        words.append(f"From {limits.low} to {limits.high}")
    if limits and limits.values:
        words.append(f"One of {', '.join(map(str, limits.values))}")
    text = described(". ".join(words))
    return prop(short, None, "", TYPES[argument.kind], description=text)


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
