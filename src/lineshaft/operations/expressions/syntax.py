"""The parts of an expression as they are written, before anybody asks what they mean."""

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Any part; `at` to `end` is its place in the text."""

    at: int
    end: int


class Number(Part, frozen=True, kw_only=True):
    """`80`, `2.5e3`, `0x1F`."""

    value: float


class Text(Part, frozen=True, kw_only=True):
    """`'running'`, with the escapes resolved."""

    value: str


class Boolean(Part, frozen=True, kw_only=True):
    """`true`, `false`."""

    value: bool


class Name(Part, frozen=True, kw_only=True):
    """A short name, or the path of a point in backquotes."""

    name: str
    quoted: bool = False


class Unary(Part, frozen=True, kw_only=True):
    """`-x`, `!x`."""

    operator: str
    operand: Part


class Binary(Part, frozen=True, kw_only=True):
    """Two sides; `sign` is where the operator stands."""

    operator: str
    sign: int
    left: Part
    right: Part


class Choice(Part, frozen=True, kw_only=True):
    """`condition ? yes : no`."""

    condition: Part
    yes: Part
    no: Part


class Listed(Part, frozen=True, kw_only=True):
    """`[1, 2, 3]`, right of `in` only."""

    items: tuple[Part, ...]


class Call(Part, frozen=True, kw_only=True):
    """`f(x)`, or `x.f(y)`: then `x` is the first of `args`."""

    function: str
    args: tuple[Part, ...]
    method: bool = False
