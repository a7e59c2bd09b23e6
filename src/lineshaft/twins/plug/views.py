"""What people see of a description: what it asks for, and what has become of it."""

from collections.abc import Callable

import msgspec

from lineshaft.twins import Document, Finding
from lineshaft.twins.plug import Binding, Interpreted, Wanted
from lineshaft.twins.plug.applying import filled
from lineshaft.twins.plug.hosts import ADDRESSES
from lineshaft.twins.plug.kept import Plug, State


class ConnectionView(msgspec.Struct, frozen=True, kw_only=True):
    """One connection that a description asks for."""

    name: str
    """Name of the device, as the devices page lists it."""
    element: str
    """idShortPath of the interface."""
    kind: str
    """Protocol, as the settings name it."""
    address: str
    """Where it leads."""
    points: int
    needs: tuple[str, ...]
    """Fields that have to be given for it."""
    connected: bool
    problem: str
    """Why it is not connected; empty when it is, or nobody has agreed yet."""


class PlugView(msgspec.Struct, frozen=True, kw_only=True):
    """One interfaces description."""

    submodel: str
    """Its identifier."""
    id_short: str
    state: State
    at: str
    """Branch of the namespace that its points stand below, or would."""
    connections: tuple[ConnectionView, ...]
    problems: dict[str, str]
    """What could not be done, by connection or `submodel#path` of a binding."""
    points: dict[str, str] = {}
    """Point for each property, by idShortPath; left out in lists."""
    bindings: tuple[Binding, ...] = ()
    """Elements that show a point, or would; left out in lists."""
    findings: tuple[Finding, ...] = ()
    """What is not supported, or was guessed; left out in lists."""


BASE = "EndpointMetadata.base"
"""Path of the address within an interface, by the idShorts that the template gives."""

Connected = Callable[[str], bool]
"""Whether there is a connection of a name."""


def view(
    found: Document, plug: Plug, wanted: Interpreted, connected: Connected, *, whole: bool = True
) -> PlugView:
    """A description with what was decided about it; `whole` with all that it says."""
    id_short = msgspec.json.decode(found.data).get("idShort", "")
    short = PlugView(
        submodel=found.id,
        id_short=str(id_short),
        state=plug.state,
        at=plug.at,
        connections=tuple(_connection(one, plug, connected) for one in wanted.wanted),
        problems=plug.problems,
    )
    if not whole:
        return short
    return msgspec.structs.replace(
        short, points=wanted.points, bindings=wanted.bindings, findings=wanted.findings
    )


def without(told: PlugView, wanted: Interpreted, hidden: Callable[[str], bool]) -> PlugView:
    """The same for somebody from whom elements of the description are hidden.

    What is told of other documents goes too: nobody knows which element it came from.
    """
    seen = [path for path in wanted.points if not hidden(path)]
    shown = [
        msgspec.structs.replace(
            c, points=min(c.points, sum(path.startswith(f"{c.element}.") for path in seen))
        )
        for c in told.connections
        if not hidden(c.element)
    ]
    connections = tuple(
        msgspec.structs.replace(c, address="", points=0, problem="")
        if hidden(f"{c.element}.{BASE}")
        else c
        for c in shown
    )
    names = {c.name for c in connections if c.address}
    points = {path: point for path, point in told.points.items() if not hidden(path)}
    return msgspec.structs.replace(
        told,
        connections=connections,
        problems={name: said for name, said in told.problems.items() if name in names},
        points=points,
        bindings=tuple(
            b
            for b in told.bindings
            if {b.point, *(point for _, point in b.inputs)} <= set(points.values())
        ),
        findings=tuple(f for f in told.findings if f.path and not hidden(f.path)),
    )


def _connection(wanted: Wanted, plug: Plug, connected: Connected) -> ConnectionView:
    table = wanted.table
    name = str(table["name"])
    problem = plug.problems.get(name, "")
    address = next((str(table[f]) for f in ADDRESSES if f in table), "")
    topics = [v for topic in table.get("topics", ()) for v in topic["values"]]
    _, absent = filled(wanted, plug.given.get(name, {}))
    return ConnectionView(
        name=name,
        element=wanted.element,
        kind=str(table["kind"]),
        address=address or f"{table.get('host')}:{table.get('port')}",
        points=len(table.get("points", ())) + len(topics),
        needs=wanted.needs if absent else (),
        connected=name in plug.tables and connected(name),
        problem=problem,
    )
