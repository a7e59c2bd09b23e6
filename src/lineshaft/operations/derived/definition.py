"""What makes a derived point, and how that is compiled against what the namespace knows."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path, parent
from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions.expression import Expression, compile_expression
from lineshaft.operations.expressions.messages import WrongExpression
from lineshaft.operations.expressions.parsing import parse
from lineshaft.operations.expressions.tree import Type

SOURCE = "derived"
"""`Point.source` of derived points, and the last word of the subject they travel under."""
LATENESS_S = 2.0
KINDS = {
    Type.BOOL: Kind.BOOLEAN,
    Type.DOUBLE: Kind.NUMBER,
    Type.STRING: Kind.TEXT,
    Type.DURATION: Kind.NUMBER,
}
"""What a derived point is, by the type of its expression; durations are told in seconds."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One derived point."""

    point: str
    """Its path in the namespace."""
    expression: str
    """What it is calculated with, see `operations.expressions`."""
    names: dict[str, str] = {}
    """Short names with their paths; points right below the parent of `point` have their own."""
    enum: dict[str, str] = {}
    """Makes it an enum: the name of each number, as `Point.names`."""
    unit: str = ""
    """UCUM code that values are converted to; empty takes that of the expression."""
    description: str = ""
    """One sentence for people."""
    every_s: float | None = None
    """Grid on which it is looked at without a sample; 0 for none. None: a second, if needed."""
    lateness_s: float = LATENESS_S
    """Seconds that samples may come late without rows being computed twice."""
    on_change: bool = False
    """Whether a row is given only where value or quality change, and the first of each hour."""
    hidden: bool = False
    """Whether it serves its owner alone: not listed to people, else like all others."""


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """A definition whose inputs are all known."""

    definition: Definition
    expression: Expression
    point: Point
    """The derived point, as the namespace is told of it."""

    @property
    def lateness_ns(self) -> int:
        """How late samples may be."""
        return round(self.definition.lateness_s * NS_PER_S)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Paths of what it reads."""
        return tuple(p.path for p in self.expression.inputs)


class Unknown(Invalid):
    """Inputs that nobody knows, yet."""

    def __init__(self, definition: Definition, paths: tuple[str, ...]) -> None:
        listed = ", ".join(map(repr, paths))
        super().__init__(
            f"{definition.point}: there is no point {listed}",
            remedy="It begins once there is; mend the name if there never will be.",
        )
        self.paths = paths


def check_definition(definition: Definition) -> Definition:
    """The definition itself, as far as it can be checked without a namespace.

    Raises:
        Invalid: a path is ill-formed, a number out of range, or the text is no expression.
    """
    check_path(definition.point)
    for path in definition.names.values():
        check_path(path)
    if not 0 <= definition.lateness_s <= 86_400:  # noqa: PLR2004 - a day
        raise Invalid(
            f"{definition.point}: lateness_s is {definition.lateness_s}, wanted 0 to 86400"
        )
    if definition.every_s is not None and not 0 <= definition.every_s <= 86_400:  # noqa: PLR2004
        raise Invalid(f"{definition.point}: every_s is {definition.every_s}, wanted 0 to 86400")
    parse(definition.expression)
    return definition


def path_of(definition: Definition, name: str) -> str:
    """The path that a name in the expression stands for."""
    if name in definition.names:
        return definition.names[name]
    above = parent(definition.point)
    return name if "/" in name or not above else f"{above}/{name}"


class _Names(Mapping[str, Point]):
    """The names of one definition; remembers what was asked for in vain."""

    def __init__(self, definition: Definition, find: Callable[[str], Point | None]) -> None:
        self._definition, self._find = definition, find
        self.missing: dict[str, None] = {}

    def __getitem__(self, name: str) -> Point:
        path = path_of(self._definition, name)
        point = self._find(path)
        if point is None and name not in self._definition.names:
            point = self._find(name)
        if point is None:
            self.missing[path] = None
            raise KeyError(name)
        return point

    def __iter__(self) -> Iterator[str]:
        return iter(self._definition.names)

    def __len__(self) -> int:
        return len(self._definition.names)


def compiled(definition: Definition, find: Callable[[str], Point | None]) -> Compiled:
    """The definition, compiled; `find` gives the points that are known, by path.

    Raises:
        WrongExpression: the text is no expression over these points; the place is told.
        Unknown: it names a point that `find` does not know.
        Invalid: it gives a time, or values that do not fit the enum or the unit.
    """
    names = _Names(definition, find)
    every_ns = None if definition.every_s is None else round(definition.every_s * NS_PER_S)
    try:
        expression = compile_expression(
            definition.expression,
            names,
            wants=Type.DOUBLE if definition.enum else None,
            unit=definition.unit,
            every_ns=every_ns,
        )
    except WrongExpression as error:
        if names.missing:
            raise Unknown(definition, tuple(names.missing)) from error
        raise
    if expression.type not in KINDS:
        raise WrongExpression(
            definition.expression,
            (0, len(definition.expression)),
            f"the expression gives a {expression.type.value}, which a point cannot hold",
            remedy="Take its hours or minutes, or compare it.",
        )
    if definition.point in (p.path for p in expression.inputs):
        raise Invalid(
            f"{definition.point!r} would be made of itself",
            remedy="Leave it out of its own expression.",
        )
    return Compiled(
        definition=definition, expression=expression, point=_point(definition, expression)
    )


def _point(definition: Definition, expression: Expression) -> Point:
    """The derived point."""
    unit = definition.unit or expression.unit
    return Point(
        path=definition.point,
        kind=Kind.ENUM if definition.enum else KINDS[expression.type],
        unit="s" if expression.type is Type.DURATION else unit,
        description=definition.description,
        names=definition.enum,
        source=SOURCE,
    )
