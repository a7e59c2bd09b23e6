"""Making nodes whose types and units agree."""

import difflib
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions import dimensions
from lineshaft.operations.expressions.messages import WrongExpression
from lineshaft.operations.expressions.syntax import Name, Part
from lineshaft.operations.expressions.tree import Apply, Const, Constant, Input, Node, Type

SUGGESTED_FROM_MAX = 2_000
"""Names that are compared with an unknown one."""
TYPES = {
    Kind.NUMBER: Type.DOUBLE,
    Kind.INTEGER: Type.DOUBLE,
    Kind.ENUM: Type.DOUBLE,
    Kind.BOOLEAN: Type.BOOL,
    Kind.TEXT: Type.STRING,
    Kind.JSON: Type.STRING,
}
"""What the values of a point are here."""


class Leads(NamedTuple):
    """What a node takes over from its parts."""

    inputs: frozenset[int]
    clocked: bool


def leads(nodes: Iterable[Node]) -> Leads:
    """The inputs of all, and whether one changes with the clock."""
    nodes = tuple(nodes)
    inputs: frozenset[int] = frozenset().union(*(n.inputs for n in nodes))
    return Leads(inputs, any(n.clocked for n in nodes))


class Builder:
    """Nodes of one expression; `inputs` fills with the points it names."""

    def __init__(self, text: str, names: Mapping[str, Point]) -> None:
        self.text = text
        self.names = names
        self.inputs: list[Point] = []

    def wrong(self, part: Part, message: str, remedy: str = "") -> WrongExpression:
        """An error at a part."""
        return WrongExpression(self.text, (part.at, part.end), message, remedy=remedy)

    def apply(
        self,
        op: str,
        type_: Type,
        *args: Node,
        unit: str = "",
        settings: tuple[Constant, ...] = (),
    ) -> Apply:
        """An operator or function of nodes."""
        inputs, clocked = leads(args)
        return Apply(
            op=op,
            type=type_,
            unit=unit,
            args=args,
            settings=settings,
            inputs=inputs,
            clocked=clocked,
        )

    def in_unit(self, node: Node, unit: str, part: Part) -> Node:
        """The node in a unit; one without a unit is taken to be in it already.

        Raises:
            WrongExpression: its unit measures something else.
        """
        if not node.unit or not unit or node.unit == unit:
            return node
        found = dimensions.conversion(node.unit, unit)
        if found is None:
            raise self.wrong(
                part,
                f"{node.unit!r} does not measure the same as {unit!r}",
                "Add and compare only what is of one kind.",
            )
        return self.apply("scale", Type.DOUBLE, node, unit=unit, settings=found)

    def expect(self, part: Part, node: Node, *types: Type) -> Node:
        """The node, if it has one of the types.

        Raises:
            WrongExpression: it has another.
        """
        if node.type not in types:
            wanted = " or ".join(t.value for t in types)
            raise self.wrong(part, f"this is a {node.type.value}, wanted a {wanted}")
        return node

    def bound(self, part: Name) -> Input:
        """The input that a name stands for.

        Raises:
            WrongExpression: nobody knows the name; the nearest ones are told.
        """
        point = self.names.get(part.name)
        if point is None:
            known = list(islice(self.names, SUGGESTED_FROM_MAX))
            near = difflib.get_close_matches(part.name, known, 3, 0.6)
            meant = f", did you mean {' or '.join(map(repr, near))}?" if near else ""
            what = "point" if part.quoted else "name"
            remedy = "Write the path of a point in backquotes, or bind the name to a point."
            raise self.wrong(part, f"unknown {what} {part.name!r}{meant}", remedy)
        paths = [known.path for known in self.inputs]
        if point.path not in paths:
            self.inputs.append(point)
            paths.append(point.path)
        number = paths.index(point.path)
        return Input(
            type=TYPES[point.kind], unit=point.unit, number=number, inputs=frozenset((number,))
        )

    def member(self, node: Node, beside: Node, part: Part) -> Node:
        """A text beside an enum as the value that it names; any other node as it is.

        Raises:
            WrongExpression: the enum has no such name.
        """
        if not (isinstance(beside, Input) and isinstance(node, Const)):
            return node
        point = self.inputs[beside.number]
        if point.kind is not Kind.ENUM or not isinstance(node.value, str):
            return node
        for value, name in point.names.items():
            if name == node.value:
                return Const(type=Type.DOUBLE, value=float(value))
        known = ", ".join(map(repr, point.names.values())) or "none"
        raise self.wrong(
            part, f"{point.path!r} has no state {node.value!r}", f"Its states are: {known}."
        )
