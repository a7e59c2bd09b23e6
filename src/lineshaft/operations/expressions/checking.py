"""Parts to typed nodes: names are bound, types and units agree, or the place is told where not."""

from collections.abc import Mapping

from lineshaft.core.point import Point
from lineshaft.operations.expressions import operators
from lineshaft.operations.expressions.building import Builder
from lineshaft.operations.expressions.calls import call
from lineshaft.operations.expressions.limits import DEPTH_MAX
from lineshaft.operations.expressions.syntax import (
    Binary,
    Boolean,
    Call,
    Choice,
    Listed,
    Name,
    Number,
    Part,
    Text,
    Unary,
)
from lineshaft.operations.expressions.tree import Const, Node, Type


def check(text: str, part: Part, names: Mapping[str, Point]) -> tuple[Node, tuple[Point, ...]]:
    """The typed expression, and the points that it reads, in the order of their numbers.

    Raises:
        WrongExpression: a name is unknown, types or units do not agree, or it is too deep.
    """
    checker = _Checker(Builder(text, names))
    return checker.node(part, 0), tuple(checker.build.inputs)


class _Checker:
    def __init__(self, build: Builder) -> None:
        self.build = build

    def node(self, part: Part, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise self.build.wrong(
                part,
                f"more than {DEPTH_MAX} parts within parts",
                "Make parts of it derived points of their own, or put brackets into long sums.",
            )
        match part:
            case Number():
                return Const(type=Type.DOUBLE, value=part.value)
            case Text():
                return Const(type=Type.STRING, value=part.value)
            case Boolean():
                return Const(type=Type.BOOL, value=part.value)
            case Name():
                return self.build.bound(part)
            case _:
                return self.compound(part, depth + 1)

    def compound(self, part: Part, depth: int) -> Node:
        """What has parts of its own."""
        match part:
            case Unary():
                return operators.unary(self.build, part, self.node(part.operand, depth))
            case Binary(operator="in", right=Listed(items=items)):
                nodes = tuple(self.node(item, depth) for item in items)
                return operators.contained(self.build, part, self.node(part.left, depth), nodes)
            case Binary():
                left, right = self.node(part.left, depth), self.node(part.right, depth)
                return operators.binary(self.build, part, left, right)
            case Choice():
                nodes = tuple(self.node(p, depth) for p in (part.condition, part.yes, part.no))
                return operators.choice(self.build, part, *nodes)
            case Call(function="point", args=(Text(value=path),)):
                return self.build.bound(Name(at=part.at, end=part.end, name=path, quoted=True))
            case Call():
                args = tuple(self.node(arg, depth) for arg in part.args)
                return call(self.build, part, args)
            case _:
                raise self.build.wrong(part, "a list stands right of `in` only")
