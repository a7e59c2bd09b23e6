"""What functions mean: which arguments they take, and what comes out."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.clock import from_iso
from lineshaft.core.errors import Invalid
from lineshaft.core.units import check_unit
from lineshaft.operations.expressions import dimensions, looking
from lineshaft.operations.expressions.building import Builder
from lineshaft.operations.expressions.durations import duration_ns
from lineshaft.operations.expressions.limits import PATTERN_CHARS_MAX
from lineshaft.operations.expressions.operators import aligned
from lineshaft.operations.expressions.syntax import Call
from lineshaft.operations.expressions.tree import Const, Node, Now, Type

B, D, S, L, T = Type.BOOL, Type.DOUBLE, Type.STRING, Type.DURATION, Type.TIMESTAMP
Nodes = tuple[Node, ...]


class Function(NamedTuple):
    """A function, as the guide shows it."""

    shown: str
    """How it is called."""
    about: str
    make: Callable[[Builder, Call, Nodes], Node]


def call(build: Builder, part: Call, nodes: Nodes) -> Node:
    """The node of a call.

    Raises:
        WrongExpression: there is no such function, or it does not take these arguments.
    """
    function = FUNCTIONS.get(part.function)
    if function is None:
        near = get_close_matches(part.function, FUNCTIONS, 3, 0.6)
        meant = f", did you mean {' or '.join(near)}?" if near else ""
        raise build.wrong(
            part,
            f"unknown function {part.function!r}{meant}",
            f"There are: {', '.join(sorted(FUNCTIONS))}.",
        )
    return function.make(build, part, nodes)


def taken(build: Builder, part: Call, nodes: Nodes, *wanted: Type) -> Nodes:
    """The arguments, if there are as many as wanted, each of its type.

    Raises:
        WrongExpression: there are not, or one is of another type.
    """
    if len(nodes) != len(wanted):
        raise build.wrong(
            part,
            f"{part.function}() has {len(nodes)} arguments, wanted {len(wanted)}",
            f"It is called {FUNCTIONS[part.function].shown}.",
        )
    for place, (node, type_) in enumerate(zip(nodes, wanted, strict=True)):
        build.expect(part.args[place], node, type_)
    return nodes


def literal(build: Builder, part: Call, nodes: Nodes, place: int) -> str:
    """The text that stands as an argument.

    Raises:
        WrongExpression: it is no literal text.
    """
    node = nodes[place]
    if not (isinstance(node, Const) and isinstance(node.value, str)):
        raise build.wrong(part.args[place], "wanted a text written here, in quotes")
    return node.value


# ---- texts and numbers


def _plain(op: str, gives: Type, *wanted: Type) -> Callable[[Builder, Call, Nodes], Node]:
    def make(build: Builder, part: Call, nodes: Nodes) -> Node:
        return build.apply(op, gives, *taken(build, part, nodes, *wanted))

    return make


def _same_unit(op: str, build: Builder, part: Call, nodes: Nodes) -> Node:
    (node,) = taken(build, part, nodes, D)
    return build.apply(op, D, node, unit="" if op == "sign" else node.unit)


def _unitless(op: str, build: Builder, part: Call, nodes: Nodes) -> Node:
    (node,) = taken(build, part, nodes, D)
    if not dimensions.is_plain(node.unit):
        raise build.wrong(
            part.args[0],
            f"{part.function}() of {node.unit!r} means nothing",
            "Divide by a value of the same unit first.",
        )
    return build.apply(op, D, build.in_unit(node, "1", part.args[0]))


def _sqrt(build: Builder, part: Call, nodes: Nodes) -> Node:
    (node,) = taken(build, part, nodes, D)
    unit = dimensions.root(node.unit)
    if unit is None or node.unit in dimensions.ABSOLUTE:
        raise build.wrong(part.args[0], f"the square root of {node.unit!r} means nothing")
    return build.apply("sqrt", D, node, unit=unit)


def _pow(build: Builder, part: Call, nodes: Nodes) -> Node:
    base, exponent = taken(build, part, nodes, D, D)
    if dimensions.is_plain(base.unit):
        return build.apply("pow", D, base, exponent)
    whole = isinstance(exponent, Const) and float(exponent.value).is_integer()
    unit = (
        dimensions.power(base.unit, int(exponent.value))
        if whole and isinstance(exponent, Const) and base.unit not in dimensions.ABSOLUTE
        else None
    )
    if unit is None:
        raise build.wrong(
            part,
            f"this power of {base.unit!r} has no unit",
            "A value with a unit takes a whole number, written here, as exponent.",
        )
    return build.apply("pow", D, base, exponent, unit=unit)


def _extreme(op: str, build: Builder, part: Call, nodes: Nodes) -> Node:
    if len(nodes) == 2 and nodes[1].type is S:  # noqa: PLR2004 - a value and a window
        return looking.window(op, build, part, nodes)
    if len(nodes) < 2:  # noqa: PLR2004
        raise build.wrong(
            part, f"{op}() has {len(nodes)} arguments", f"It is called {FUNCTIONS[op].shown}."
        )
    found = build.expect(part.args[0], nodes[0], D)
    for place, node in enumerate(nodes[1:], 1):
        build.expect(part.args[place], node, D)
        found, right, unit = aligned(build, part.args[place], found, node)
        found = build.apply("least" if op == "min" else "greatest", D, found, right, unit=unit)
    return found


def _convert(build: Builder, part: Call, nodes: Nodes) -> Node:
    node, _ = taken(build, part, nodes, D, S)
    try:
        unit = check_unit(literal(build, part, nodes, 1))
    except Invalid as error:
        raise build.wrong(part.args[1], str(error), error.remedy) from None
    if node.unit:
        return build.in_unit(node, unit, part.args[0])
    return build.apply("scale", D, node, unit=unit, settings=(1.0, 0.0))


def _matches(build: Builder, part: Call, nodes: Nodes) -> Node:
    text, _ = taken(build, part, nodes, S, S)
    pattern = literal(build, part, nodes, 1)
    if len(pattern) > PATTERN_CHARS_MAX:
        raise build.wrong(
            part.args[1], f"a pattern of {len(pattern)} characters, wanted {PATTERN_CHARS_MAX}"
        )
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        raise build.wrong(
            part.args[1],
            f"wrong pattern: {error}",
            "Patterns are those of RE2: no look-around, no back references.",
        ) from None
    return build.apply("matches", B, text, settings=(pattern,))


def _double(build: Builder, part: Call, nodes: Nodes) -> Node:
    if nodes and nodes[0].type is D:
        return taken(build, part, nodes, D)[0]
    return build.apply("double", D, *taken(build, part, nodes, B))


def _point(build: Builder, part: Call, nodes: Nodes) -> Node:
    raise build.wrong(part, "point() takes a path written here, in quotes")


# ---- quality and time


def _any(op: str, gives: Type, build: Builder, part: Call, nodes: Nodes) -> Node:
    if len(nodes) != 1:
        raise build.wrong(part, f"{part.function}() has {len(nodes)} arguments, wanted 1")
    return build.apply(op, gives, nodes[0])


def _duration(build: Builder, part: Call, nodes: Nodes) -> Node:
    if len(nodes) == 1 and nodes[0].type is B:
        return looking.duration(build, part, nodes)
    taken(build, part, nodes, S)
    value = duration_ns(literal(build, part, nodes, 0))
    if value is None:
        raise build.wrong(part.args[0], "this is no length of time", "Write 30s, 5m or 1h30m.")
    return Const(type=L, value=value)


def _timestamp(build: Builder, part: Call, nodes: Nodes) -> Node:
    taken(build, part, nodes, S)
    try:
        return Const(type=T, value=from_iso(literal(build, part, nodes, 0)))
    except Invalid as error:
        raise build.wrong(part.args[0], str(error), error.remedy) from None


def _time(build: Builder, part: Call, nodes: Nodes) -> Node:
    taken(build, part, nodes)
    return Now(type=T, clocked=True)


def _field(op: str, of_duration: bool, build: Builder, part: Call, nodes: Nodes) -> Node:
    if of_duration and nodes and nodes[0].type is L:
        return build.apply(f"{op}_of_duration", D, *taken(build, part, nodes, L))
    if len(nodes) == 1:
        return build.apply(op, D, *taken(build, part, nodes, T), settings=("UTC",))
    taken(build, part, nodes, T, S)
    zone = literal(build, part, nodes, 1)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise build.wrong(
            part.args[1], f"unknown time zone {zone!r}", "Write one like Europe/Berlin."
        ) from None
    return build.apply(op, D, nodes[0], settings=(zone,))


def _fields() -> dict[str, Function]:
    names = {
        "getFullYear": "year",
        "getMonth": "month, from 0",
        "getDate": "day of the month, from 1",
        "getDayOfMonth": "day of the month, from 0",
        "getDayOfYear": "day of the year, from 0",
        "getDayOfWeek": "day of the week, Sunday is 0",
    }
    parts = {"getHours": "hours", "getMinutes": "minutes", "getSeconds": "seconds"}
    return {
        name: Function(f"t.{name}('zone')", f"{about} in a time zone", partial(_field, name, False))
        for name, about in names.items()
    } | {
        name: Function(
            f"x.{name}()", f"{about} of a time in a zone; all {about} of a duration, whole",
            partial(_field, name, True),
        )
        for name, about in parts.items()
    }  # fmt: skip


FUNCTIONS: Mapping[str, Function] = {
    "size": Function("size(s)", "number of characters", _plain("size", D, S)),
    "contains": Function("s.contains(part)", "part stands in s", _plain("contains", B, S, S)),
    "startsWith": Function("s.startsWith(t)", "s begins so", _plain("starts", B, S, S)),
    "endsWith": Function("s.endsWith(t)", "s ends so", _plain("ends", B, S, S)),
    "matches": Function("s.matches(r'^A\\d+$')", "a pattern of RE2 is found in s", _matches),
    "lowerAscii": Function("s.lowerAscii()", "A to Z made small", _plain("lower", S, S)),
    "upperAscii": Function("s.upperAscii()", "a to z made large", _plain("upper", S, S)),
    "abs": Function("abs(x)", "without the sign", partial(_same_unit, "abs")),
    "ceil": Function("ceil(x)", "next integer upwards", partial(_same_unit, "ceil")),
    "floor": Function("floor(x)", "next integer downwards", partial(_same_unit, "floor")),
    "round": Function("round(x)", "nearest integer, halves outwards", partial(_same_unit, "round")),
    "trunc": Function("trunc(x)", "integer part", partial(_same_unit, "trunc")),
    "sign": Function("sign(x)", "-1, 0 or 1", partial(_same_unit, "sign")),
    "sqrt": Function("sqrt(x)", "square root", _sqrt),
    "pow": Function("pow(x, y)", "x to the power of y", _pow),
    "exp": Function("exp(x)", "e to the power of x", partial(_unitless, "exp")),
    "ln": Function("ln(x)", "natural logarithm", partial(_unitless, "ln")),
    "log10": Function("log10(x)", "decimal logarithm", partial(_unitless, "log10")),
    "min": Function("min(x, y, …) or min(x, '5m')", "lowest value", partial(_extreme, "min")),
    "max": Function("max(x, y, …) or max(x, '5m')", "highest value", partial(_extreme, "max")),
    "convert": Function("convert(x, 'kPa')", "x in that unit; a number gets it", _convert),
    "double": Function("double(b)", "1 for true, 0 for false", _double),
    "quality": Function("quality(x)", "'good', 'uncertain' or 'bad'", partial(_any, "quality", S)),
    "has": Function("has(x)", "x is not bad", partial(_any, "has", B)),
    "point": Function("point('site/line/machine/point')", "a point by its path", _point),
    "duration": Function(
        "duration('5m') or duration(condition)",
        "a length of time; how long the condition has been true without a break",
        _duration,
    ),
    "timestamp": Function("timestamp('2026-01-31T06:00:00Z')", "a time", _timestamp),
    "time": Function("time()", "the time at which the expression is evaluated", _time),
    **_fields(),
    **{
        name: Function(looking.shown(name), about, partial(looking.window, name))
        for name, about in looking.ABOUT_WINDOWS.items()
        if name not in ("min", "max")
    },
    "prev": Function("prev(x)", "the value of the sample before", partial(looking.look, "prev")),
    "changed": Function(
        "changed(x)", "a sample just came that differs from the one before",
        partial(looking.look, "changed"),
    ),
    "stale": Function("stale(x, '30s')", "no sample came for so long", looking.stale),
}  # fmt: skip
"""Every function by its name."""
