"""What operators mean: types and units of both sides, and of what comes out."""

from lineshaft.operations.expressions import dimensions
from lineshaft.operations.expressions.building import Builder
from lineshaft.operations.expressions.syntax import Binary, Choice, Part, Unary
from lineshaft.operations.expressions.tree import Apply, Const, Node, Type

_COMPARED = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_LOGICAL = {"&&": "and", "||": "or"}
_OTHERS = {
    (Type.STRING, "+", Type.STRING): ("join", Type.STRING),
    (Type.DURATION, "+", Type.DURATION): ("add", Type.DURATION),
    (Type.DURATION, "-", Type.DURATION): ("sub", Type.DURATION),
    (Type.TIMESTAMP, "+", Type.DURATION): ("add", Type.TIMESTAMP),
    (Type.DURATION, "+", Type.TIMESTAMP): ("add", Type.TIMESTAMP),
    (Type.TIMESTAMP, "-", Type.DURATION): ("sub", Type.TIMESTAMP),
    (Type.TIMESTAMP, "-", Type.TIMESTAMP): ("sub", Type.DURATION),
}
_TEMPERATURE = "Take the difference of two temperatures, or convert(x, 'K') first."


def unary(build: Builder, part: Unary, node: Node) -> Node:
    """`-x` and `!x`."""
    if part.operator == "!":
        return build.apply("not", Type.BOOL, build.expect(part.operand, node, Type.BOOL))
    build.expect(part.operand, node, Type.DOUBLE, Type.DURATION)
    if isinstance(node, Const) and isinstance(node.value, float):
        return Const(type=Type.DOUBLE, value=-node.value)
    unit = "" if node.unit in dimensions.ABSOLUTE else node.unit
    return build.apply("neg", node.type, node, unit=unit)


def binary(build: Builder, part: Binary, left: Node, right: Node) -> Node:
    """Every operator with two sides but `in`."""
    if part.operator in _LOGICAL:
        build.expect(part.left, left, Type.BOOL)
        build.expect(part.right, right, Type.BOOL)
        return build.apply(_LOGICAL[part.operator], Type.BOOL, left, right)
    if part.operator in _COMPARED:
        return compared(build, part, _COMPARED[part.operator], left, right)
    if left.type is right.type is Type.DOUBLE:
        if part.operator in ("+", "-"):
            return _sum(build, part, left, right)
        if part.operator == "%":
            right = build.in_unit(right, left.unit, part.right)
            return build.apply("rem", Type.DOUBLE, left, right, unit=left.unit or right.unit)
        return _product(build, part, left, right)
    if found := _OTHERS.get((left.type, part.operator, right.type)):
        return build.apply(found[0], found[1], left, right)
    raise build.wrong(
        part,
        f"{left.type.value} {part.operator} {right.type.value} means nothing",
        "Numbers are calculated with, texts joined by +, durations added to times.",
    )


def compared(build: Builder, part: Binary, op: str, left: Node, right: Node) -> Apply:
    """A comparison; a text beside an enum is the name of a state."""
    left, right = build.member(left, right, part.left), build.member(right, left, part.right)
    if left.type is not right.type:
        raise build.wrong(
            part,
            f"a {left.type.value} is compared with a {right.type.value}",
            "Compare values of one type.",
        )
    right = build.in_unit(right, left.unit, part.right)
    return build.apply(op, Type.BOOL, left, right)


def contained(build: Builder, part: Binary, left: Node, items: tuple[Node, ...]) -> Node:
    """`x in [a, b]` is `x == a || x == b`."""
    if not items:
        # False whatever x is, but x stays an input: its samples make rows.
        same = build.apply("eq", Type.BOOL, left, left)
        return build.apply("and", Type.BOOL, Const(type=Type.BOOL, value=False), same)
    found: list[Node] = [compared(build, part, "eq", left, item) for item in items]
    while len(found) > 1:
        pairs = zip(found[::2], found[1::2], strict=False)
        odd = found[-1:] if len(found) % 2 else []
        found = [build.apply("or", Type.BOOL, *pair) for pair in pairs] + odd
    return found[0]


def choice(build: Builder, part: Choice, condition: Node, yes: Node, no: Node) -> Node:
    """`condition ? yes : no`."""
    build.expect(part.condition, condition, Type.BOOL)
    if yes.type is not no.type:
        raise build.wrong(part, f"one way gives a {yes.type.value}, the other a {no.type.value}")
    yes, no, unit = aligned(build, part.no, yes, no)
    return build.apply("choose", yes.type, condition, yes, no, unit=unit)


def aligned(build: Builder, part: Part, left: Node, right: Node) -> tuple[Node, Node, str]:
    """Both in the unit of the left one, or of the right one when that has none."""
    return left, build.in_unit(right, left.unit, part), left.unit or right.unit


def _sum(build: Builder, part: Binary, left: Node, right: Node) -> Node:
    op = "add" if part.operator == "+" else "sub"
    scales = left.unit in dimensions.ABSOLUTE, right.unit in dimensions.ABSOLUTE
    if not any(scales):
        left, right, unit = aligned(build, part.right, left, right)
        return build.apply(op, Type.DOUBLE, left, right, unit=unit)
    if all(scales):
        if op == "add":
            raise build.wrong(part, "two temperatures cannot be added", _TEMPERATURE)
        if left.unit != "Cel" or right.unit != "Cel":
            left = build.in_unit(left, "K", part.left)
            right = build.in_unit(right, "K", part.right)
        return build.apply(op, Type.DOUBLE, left, right, unit="K")
    if scales[0]:
        right = _as_difference(build, part.right, right, left.unit)
        return build.apply(op, Type.DOUBLE, left, right, unit=left.unit)
    if op == "sub":
        unit = left.unit
        return build.apply(op, Type.DOUBLE, left, build.in_unit(right, unit, part.right), unit=unit)
    if left.unit and dimensions.conversion(left.unit, "K") is None:
        build.in_unit(right, left.unit, part.right)  # tells why not
    left = _as_difference(build, part.left, left, right.unit)
    return build.apply(op, Type.DOUBLE, left, right, unit=right.unit)


def _as_difference(build: Builder, part: Part, node: Node, scale: str) -> Node:
    """A difference of temperatures in the steps of a scale."""
    if not node.unit:
        return node
    step = build.in_unit(node, "K", part)
    factor = float(1 / dimensions.ABSOLUTE[scale][0])
    if factor == 1:
        return step
    return build.apply("scale", Type.DOUBLE, step, unit="K", settings=(factor, 0.0))


def _product(build: Builder, part: Binary, left: Node, right: Node) -> Node:
    op = "mul" if part.operator == "*" else "div"
    units = left.unit, right.unit
    if any(u in dimensions.ABSOLUTE for u in units):
        if all(units):
            raise build.wrong(
                part, f"{units[0]!r} {part.operator} {units[1]!r} means nothing", _TEMPERATURE
            )
        return build.apply(op, Type.DOUBLE, left, right)
    if op == "mul" and not all(units):
        unit: str | None = "".join(units)
    elif op == "div" and not units[1]:
        unit = units[0]
    else:
        unit = (dimensions.product if op == "mul" else dimensions.quotient)(*units)
    if unit is None:
        raise build.wrong(
            part,
            f"no unit is known for {units[0]!r} {part.operator} {units[1]!r}",
            "Convert one side with convert(x, 'unit').",
        )
    return build.apply(op, Type.DOUBLE, left, right, unit=unit)
