"""What functions mean that look back in time: their windows, types and units."""

from lineshaft.operations.expressions import dimensions
from lineshaft.operations.expressions.building import Builder, leads
from lineshaft.operations.expressions.durations import duration_ns
from lineshaft.operations.expressions.limits import WINDOW_NS_MAX, WINDOW_NS_MIN
from lineshaft.operations.expressions.syntax import Call
from lineshaft.operations.expressions.tree import Const, Node, Timed, Type

ABOUT_WINDOWS = {
    "avg": "mean of the samples in the window",
    "mean": "mean over time: each value holds until the next sample",
    "min": "lowest sample in the window",
    "max": "highest sample in the window",
    "sum": "sum of the samples in the window",
    "count": "number of usable samples in the window",
    "stddev": "standard deviation of the samples in the window (n - 1)",
    "delta": "value now minus value a window ago",
    "rate": "the same per second",
    "increase": "what a counter went up; where it fell, it had started again at 0, or rolled over",
}
"""What each function of a window gives."""
Nodes = tuple[Node, ...]


def shown(name: str) -> str:
    """How it is called."""
    return (
        "increase(x, '1h') or increase(x, '1h', 65536)"
        if name == "increase"
        else (f"{name}(x, '5m')")
    )


def window(op: str, build: Builder, part: Call, nodes: Nodes) -> Node:
    """A function of what lies in a window (t - w, t]."""
    most = 3 if op == "increase" else 2
    if not 2 <= len(nodes) <= most:  # noqa: PLR2004 - a value, a window and a modulus
        raise build.wrong(part, f"{op}() has {len(nodes)} arguments", f"It is called {shown(op)}.")
    arg = nodes[0]
    if op != "count":
        build.expect(part.args[0], arg, Type.DOUBLE)
    _lead(build, part, arg)
    unit = _unit(op, arg.unit)
    if unit is None:
        raise build.wrong(part.args[0], f"no unit is known for {op}() of {arg.unit!r}")
    inputs, _ = leads((arg,))
    return Timed(
        op=op,
        type=Type.DOUBLE,
        unit=unit,
        inputs=inputs,
        clocked=True,
        arg=arg,
        window_ns=_window_ns(build, part, nodes[1]),
        modulus=_modulus(build, part, nodes[2]) if len(nodes) == most == 3 else 0.0,  # noqa: PLR2004
    )


def _unit(op: str, unit: str) -> str | None:
    if op == "count":
        return ""
    if op == "rate":
        return dimensions.per_second(unit) if unit else ""
    if op in ("delta", "stddev"):
        return dimensions.difference(unit)
    return "" if op in ("sum", "increase") and unit in dimensions.ABSOLUTE else unit


def look(op: str, build: Builder, part: Call, nodes: Nodes) -> Node:
    """`prev` and `changed`."""
    if len(nodes) != 1:
        raise build.wrong(part, f"{op}() has {len(nodes)} arguments", f"It is called {op}(x).")
    arg = nodes[0]
    _lead(build, part, arg)
    inputs, clocked = leads((arg,))
    if op == "prev":
        return Timed(op=op, type=arg.type, unit=arg.unit, inputs=inputs, clocked=clocked, arg=arg)
    return Timed(op=op, type=Type.BOOL, inputs=inputs, clocked=clocked, arg=arg)


def duration(build: Builder, part: Call, nodes: Nodes) -> Node:
    """How long a condition has been true."""
    _lead(build, part, nodes[0])
    inputs, _ = leads(nodes)
    return Timed(op="duration", type=Type.DURATION, inputs=inputs, clocked=True, arg=nodes[0])


def stale(build: Builder, part: Call, nodes: Nodes) -> Node:
    """Whether no sample came for so long."""
    if len(nodes) != 2:  # noqa: PLR2004
        raise build.wrong(
            part, f"stale() has {len(nodes)} arguments", "It is called stale(x, '30s')."
        )
    _lead(build, part, nodes[0])
    inputs, _ = leads(nodes)
    return Timed(
        op="stale",
        type=Type.BOOL,
        inputs=inputs,
        clocked=True,
        arg=nodes[0],
        window_ns=_window_ns(build, part, nodes[1]),
    )


def _lead(build: Builder, part: Call, arg: Node) -> None:
    if not arg.inputs:
        raise build.wrong(
            part.args[0],
            f"{part.function}() looks back over samples, and this names no point",
            "Name a point in it.",
        )


def _window_ns(build: Builder, part: Call, node: Node) -> int:
    value = node.value if isinstance(node, Const) else None
    ns = value if node.type is Type.DURATION and isinstance(value, int) else None
    if isinstance(value, str):
        ns = duration_ns(value)
    if ns is None or not WINDOW_NS_MIN <= ns <= WINDOW_NS_MAX:
        raise build.wrong(
            part.args[1],
            "this is no window, wanted a length of time from 1ms to 366d, in quotes",
            "Write '30s', '5m' or '1h30m'.",
        )
    return ns


def _modulus(build: Builder, part: Call, node: Node) -> float:
    value = node.value if isinstance(node, Const) else None
    if not isinstance(value, float) or value <= 0:
        raise build.wrong(
            part.args[2], "wanted a number above 0, written here", "Such as 65536 for 16 bits."
        )
    return value
