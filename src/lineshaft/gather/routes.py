"""Devices and writing, over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.errors import Denied, Missing
from lineshaft.core.point import Value
from lineshaft.gather.device import DeviceView
from lineshaft.gather.devices import Devices
from lineshaft.gather.writing import Ticket, Writer, Written
from lineshaft.web import delete, get, post


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What reading the settings again has changed."""

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    restart_needed: tuple[str, ...] = ()
    """Tables that changed and only take effect when the process starts again."""


class Settled(Protocol):
    """Where the plant's settings are changed at run time; the plant fills it."""

    async def reload(self, who: Identity) -> Reloaded:
        """Read the settings file again; only what changed is restarted."""

    async def connect(self, who: Identity, table: Mapping[str, Any]) -> str:
        """Add a connection from its settings table; returns its name."""

    async def disconnect(self, who: Identity, name: str) -> None:
        """Remove a connection that was made at run time."""


class DeviceList(msgspec.Struct, frozen=True):
    """The devices that the caller may see."""

    items: Sequence[DeviceView]


class Wish(msgspec.Struct, frozen=True):
    """What somebody wants to write."""

    point: str
    value: Value


class Reason(msgspec.Struct, frozen=True):
    """Why it is written; stands in the audit trail."""

    reason: str = ""


class Made(msgspec.Struct, frozen=True):
    """The name of a new connection."""

    name: str


@get("/devices", action=Action.LOOK)
async def list_devices(devices: Devices, authorizer: Authorizer, who: Identity) -> DeviceList:
    """Every device with its state, its counters and its troubles."""
    views = [d.view() for d in devices.all()]
    return DeviceList([v for v in views if authorizer.allows(who, Action.LOOK, v.at)])


def _check_reach(devices: Devices, authorizer: Authorizer, who: Identity, name: str) -> None:
    """See that there is such a device, and that it fills a branch of the caller's."""
    found = next((d for d in devices.all() if d.name == name), None)
    if found is None or not authorizer.allows(who, Action.CONFIGURE, found.at):
        raise Missing(f"there is no device {name!r}", remedy="List them with GET /api/v1/devices.")


def _check_branch(authorizer: Authorizer, who: Identity, branch: str) -> None:
    if not authorizer.allows(who, Action.CONFIGURE, branch):
        raise Denied(
            f"{who.name} may not change {f'what is below {branch!r}' if branch else 'all of it'}",
            remedy="Ask an administrator to widen your branches.",
        )


def _asks_for_secret(table: object) -> bool:
    """Whether a settings table names a file or a variable of the environment, at any depth."""
    if isinstance(table, list):
        return any(map(_asks_for_secret, table))
    if not isinstance(table, dict):
        return False
    return bool({"file", "env"} & table.keys()) or any(map(_asks_for_secret, table.values()))


@post("/devices/{name:str}/retry", action=Action.CONFIGURE, status_code=204)
async def retry_device(name: str, devices: Devices, authorizer: Authorizer, who: Identity) -> None:
    """Ask a parked device to try again now."""
    _check_reach(devices, authorizer, who, name)
    devices.retry(name)


@post("/devices", action=Action.CONFIGURE)
async def add_device(
    data: dict[str, Any], plant: Settled, authorizer: Authorizer, who: Identity
) -> Made:
    """Connect a device from a settings table, as one `[[drivers]]` of the file would."""
    at = data.get("at", "")
    _check_branch(authorizer, who, at if isinstance(at, str) else "")
    if _asks_for_secret(data) and Action.ADMINISTER not in who.actions:
        # It would be sent to whatever address the table names: any file of this process.
        raise Denied(
            f"{who.name} may not have a secret of this machine sent to a device",
            remedy="Ask an administrator to add it, or put it into the settings file.",
        )
    return Made(await plant.connect(who, data))


@delete("/devices/{name:str}", action=Action.CONFIGURE)
async def remove_device(
    name: str, plant: Settled, devices: Devices, authorizer: Authorizer, who: Identity
) -> None:
    """Remove a device that was added here; those of the file stay."""
    _check_reach(devices, authorizer, who, name)
    await plant.disconnect(who, name)


@post("/reload", action=Action.CONFIGURE, status_code=200)
async def reload(plant: Settled, authorizer: Authorizer, who: Identity) -> Reloaded:
    """Read the settings file again; only the parts that changed are restarted."""
    _check_branch(authorizer, who, "")
    return await plant.reload(who)


@post("/writes", action=Action.WRITE)
async def prepare_write(data: Wish, writer: Writer, who: Identity) -> Ticket:
    """Check a write and say what would happen; nothing is written yet."""
    return await writer.prepare(who, data.point, data.value)


@post("/writes/{ticket:str}/confirm", action=Action.WRITE, status_code=200)
async def confirm_write(
    ticket: str, writer: Writer, who: Identity, data: Reason | None = None
) -> Written:
    """Write what was prepared, and read it back from the machine."""
    return await writer.confirm(who, ticket, data.reason if data else "")


@delete("/writes/{ticket:str}", action=Action.WRITE)
async def cancel_write(ticket: str, writer: Writer, who: Identity) -> None:
    """Give a prepared write back unused."""
    await writer.cancel(who, ticket)


@get("/writable", action=Action.LOOK)
async def writable(point: str, writer: Writer, authorizer: Authorizer, who: Identity) -> bool:
    """Whether the caller may write the point, as far as settings and rights go."""
    if not authorizer.allows(who, Action.LOOK, point):
        raise Denied(f"{who.name} may not see {point}")
    return writer.allowed(point) and authorizer.allows(who, Action.WRITE, point)


handlers = [
    list_devices,
    retry_device,
    add_device,
    remove_device,
    reload,
    prepare_write,
    confirm_write,
    cancel_write,
    writable,
]
