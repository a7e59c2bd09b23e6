"""What a script of a mapping comes to, from the newest values of its sources."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from lineshaft.core.point import Value
from lineshaft.twins.plug.scripts import CALLS, Formula, Node

TEXT_MAX = 4096
"""Characters of a text that is worked out."""
_NUMERAL = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_WRONG = (ArithmeticError, TypeError, ValueError, RecursionError)
"""What working out a value may raise."""


class _Payloads(dict[str, object]):
    """Texts read as JSON, each once, however often a script looks into it."""

    def __missing__(self, text: str) -> object:
        try:
            found = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            found = None
        self[text] = found
        return found


class _Given(NamedTuple):
    """What a script works with."""

    sources: Mapping[str, object]
    payloads: _Payloads


def worked_out(formula: Formula, sources: Mapping[str, object]) -> dict[str, Value | None]:
    """The values by SinkId; what cannot be worked out is None, as what is nil."""
    try:
        return _run(formula.body, {}, _Given(sources, _Payloads())) or {}
    except _WRONG:
        return {}


def _plain(value: object) -> Value | None:
    """The value, if an element can have it."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float) and math.isfinite(value):
        return value if abs(value) < 2**63 else float(value)
    return None


def _run(
    body: tuple[Node, ...], names: dict[str, Any], given: _Given
) -> dict[str, Value | None] | None:
    """What the block returns; None when it ends without."""
    for kind, *rest in body:
        match kind:
            case "set":
                names[rest[0]] = _value(rest[1], names, given)
            case "if":
                then = rest[1] if _true(_value(rest[0], names, given)) else rest[2]
                if (found := _run(then, names, given)) is not None:
                    return found
            case _:
                return {key: _quiet(node, names, given) for key, node in rest[0]}
    return None


def _quiet(node: Node, names: dict[str, Any], given: _Given) -> Value | None:
    """A value that an element can have; one that cannot be worked out takes no other with it."""
    try:
        return _plain(_value(node, names, given))
    except _WRONG:
        return None


def _value(node: Node, names: dict[str, Any], given: _Given) -> Any:  # noqa: ANN401 - Lua
    kind, *rest = node
    if kind == "binary":
        sign, left, right = rest
        return _joined(sign, _value(left, names, given), right, names, given)
    if kind == "call":
        return _CALLS[rest[0]](*(_value(g, names, given) for g in rest[1]))
    if kind in ("value", "source", "local"):
        places: dict[str, Mapping[Any, Any]] = {"source": given.sources, "local": names}
        return rest[0] if kind == "value" else places[kind].get(rest[0])
    if kind == "member":
        return _inside(_value(rest[0], names, given), rest[1], given.payloads)
    found = _value(rest[1], names, given)
    return -_figure(found) if rest[0] == "-" else not _true(found)


def _joined(
    sign: str,
    one: Any,  # noqa: ANN401 - Lua
    right: Node,
    names: dict[str, Any],
    given: _Given,
) -> Any:  # noqa: ANN401 - Lua
    if sign in ("and", "or"):
        return _value(right, names, given) if _true(one) is (sign == "and") else one
    other = _value(right, names, given)
    if sign in ("==", "~="):
        same = one == other and isinstance(one, bool) is isinstance(other, bool)
        return same is (sign == "==")
    if sign == "..":
        return (_text(one) + _text(other))[:TEXT_MAX]
    if sign in ("<", ">", "<=", ">="):
        if not (isinstance(one, str) and isinstance(other, str)):
            one, other = _figure(one), _figure(other)
        return {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}[sign]
    return _ARITHMETIC[sign](_figure(one), _figure(other))


def _true(value: object) -> bool:
    return value is not None and value is not False


def _figure(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"{value!r:.40} is no number")
    if isinstance(value, str):
        if not _NUMERAL.fullmatch(value):
            raise ValueError(f"{value!r:.40} is no number")
        return float(value)
    return value if abs(value) < 2**63 else float(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nil"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.14g}" if value != int(value) or abs(value) > 2**53 else f"{value:.1f}"
    raise TypeError("a table is no text")


def _inside(value: object, key: str, payloads: _Payloads) -> object:
    """A member of a payload; one that comes as text is read as JSON."""
    if isinstance(value, str):
        value = payloads[value]
    return value.get(key) if isinstance(value, dict) else None


def _to_number(value: object) -> int | float | None:
    try:
        return _figure(value)
    except (TypeError, ValueError):
        return None


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "^": lambda a, b: float(a) ** float(b),
}
_CALLS: dict[str, Callable[..., Any]] = {
    "tonumber": _to_number,
    "tostring": _text,
    "math.floor": lambda a: math.floor(_figure(a)),
    "math.ceil": lambda a: math.ceil(_figure(a)),
    "math.abs": lambda a: abs(_figure(a)),
    "math.sqrt": lambda a: math.sqrt(_figure(a)),
    "math.min": lambda *a: min(map(_figure, a)),
    "math.max": lambda *a: max(map(_figure, a)),
}
if _CALLS.keys() != CALLS:
    raise AssertionError(f"functions that are read, and that are known: {CALLS ^ _CALLS.keys()}")
