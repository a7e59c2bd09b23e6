"""The parts of an expression once their types and units are known; both back ends read this."""

import enum

import msgspec


class Type(enum.Enum):
    """What a value can be."""

    BOOL = "bool"
    DOUBLE = "double"
    STRING = "string"
    DURATION = "duration"
    """Nanoseconds, int64."""
    TIMESTAMP = "timestamp"
    """Nanoseconds since the Unix epoch, int64."""


Constant = bool | float | str | int


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """Any part with a value."""

    type: Type
    unit: str = ""
    """UCUM code; empty when there is none, or any fits."""
    inputs: frozenset[int] = frozenset()
    """Which inputs it depends on."""
    clocked: bool = False
    """Whether it changes without a new sample, so that it is looked at on the grid too."""


class Const(Node, frozen=True, kw_only=True):
    """A literal."""

    value: Constant


class Input(Node, frozen=True, kw_only=True):
    """The last-known value of a point."""

    number: int


class Now(Node, frozen=True, kw_only=True):
    """The time that the expression is evaluated at."""


class Apply(Node, frozen=True, kw_only=True):
    """An operator or function of values at one time."""

    op: str
    args: tuple[Node, ...]
    settings: tuple[Constant, ...] = ()
    """What is no value but part of the function: a factor, a pattern, a zone."""


class Timed(Node, frozen=True, kw_only=True):
    """A function that looks back in time."""

    op: str
    arg: Node
    window_ns: int = 0
    modulus: float = 0.0
    """For `increase`: where the counter rolls over; 0 when it starts again at zero."""


WINDOWS = frozenset(
    {"avg", "mean", "min", "max", "sum", "count", "stddev", "rate", "delta", "increase"}
)
"""Functions of a window (t - w, t]."""
LOOKS = frozenset({"prev", "changed", "stale", "duration"})
"""Functions that look back without a fixed bound."""


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a part."""
    if isinstance(node, Apply):
        return node.args
    return (node.arg,) if isinstance(node, Timed) else ()


def reach_ns(node: Node, every_ns: int) -> int | None:
    """How long after a value of an input stopped being held it still counts; None: no bound."""
    below = 0
    for child in children(node):
        reach = reach_ns(child, every_ns)
        if reach is None:
            return None
        below = max(below, reach)
    if not isinstance(node, Timed):
        return below
    if node.op in ("prev", "changed", "duration", "increase"):
        return None
    if node.op in ("mean", "delta", "rate") and node.arg.clocked:
        # What they hold of their argument, they hold until its next row.
        return below + node.window_ns + every_ns if every_ns else None
    return below + node.window_ns


def lookback_ns(node: Node) -> int:
    """The longest way back through windows within windows."""
    below = max(map(lookback_ns, children(node)), default=0)
    return below + node.window_ns if isinstance(node, Timed) else below


def ticks_of(node: Timed, every_ns: int) -> int:
    """Times of the grid that the window of a part holds, where its argument changes with time."""
    return node.window_ns // every_ns if every_ns and node.arg.clocked else 0
