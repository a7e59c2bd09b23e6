"""Conditions of the query language, read from their JSON.

Source: IDTA-01002 v3.1, query-json-schema.json; IDTA-01004 v3.0 adds `$attribute`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.twins import Class, Json
from lineshaft.twins.query.fields import ROOTS, Field, parse_field
from lineshaft.twins.query.regex import Pattern
from lineshaft.twins.query.values import COMPARE, SEARCH, Kind, Value, cast, parse, part, text

NODES_MAX = 100
"""Most parts of one condition."""
DEPTH_MAX = 20
STRING_CHARS_MAX = 4000

ALL_CLASSES = frozenset(Class)
"""Of an access rule, whose formula may speak of any."""
Attributes = Callable[[Json], tuple[Value, ...]]
"""What an `$attribute` of an access rule is worth for who is asking."""


class Const(msgspec.Struct, frozen=True):
    """Values known beforehand, all of one type; several come from a claim."""

    values: tuple[Value, ...]


class Cast(msgspec.Struct, frozen=True):
    """An operand as another type."""

    kind: Kind
    operand: "Operand"


class Part(msgspec.Struct, frozen=True):
    """Day of week, day of month, month or year of a date."""

    word: str
    operand: "Operand"


Operand = Const | Field | Cast | Part


class Comparison(msgspec.Struct, frozen=True):
    """Two operands and the word between; true if it holds for one pair of their values."""

    word: str
    """`$eq` and its like, `$contains` and its like, `$regex`."""
    left: Operand
    right: Operand
    pattern: Pattern | None = None
    """Of `$regex`."""


class All(msgspec.Struct, frozen=True):
    """Every part holds."""

    parts: tuple["Condition", ...]


class Any_(msgspec.Struct, frozen=True):  # noqa: N801 - typing has taken the name
    """One part holds at least."""

    parts: tuple["Condition", ...]


class Negation(msgspec.Struct, frozen=True):
    """The part does not hold."""

    part: "Condition"


class Match(msgspec.Struct, frozen=True):
    """Every part holds for the same item of a list."""

    parts: tuple["Comparison | Match", ...]


class Truth(msgspec.Struct, frozen=True):
    """True or false whatever the document."""

    it: bool


Condition = Comparison | All | Any_ | Negation | Match | Truth


def parse_condition(
    classes: Collection[Class], condition: object, attributes: Attributes | None = None
) -> Condition:
    """A condition that looks at fields of these classes.

    Raises:
        Invalid: it is not of the language; the message says where.
    """
    return _Reader(classes, attributes).condition(condition, "$condition", 0)


def classes_of(condition: Condition) -> set[Class]:
    """The classes whose fields a condition looks at."""
    return {ROOTS[f.root] for f in fields_of(condition)}


def fields_of(condition: Condition) -> Iterator[Field]:
    """All fields that a condition looks at."""
    match condition:
        case Comparison(left=left, right=right):
            yield from (f for o in (left, right) if (f := field_of(o)) is not None)
        case All(parts=parts) | Any_(parts=parts) | Match(parts=parts):
            for one in parts:
                yield from fields_of(one)
        case Negation(part=one):
            yield from fields_of(one)
        case Truth():
            pass


def field_of(operand: Operand) -> Field | None:
    """The field inside an operand, if there is one."""
    while isinstance(operand, Cast | Part):
        operand = operand.operand
    return operand if isinstance(operand, Field) else None


def kind_of(operand: Operand) -> Kind | None:
    """Type of an operand; None for a field, which takes that of the other side."""
    match operand:
        case Const(values=values):
            return values[0].kind if values else None
        case Cast(kind=kind):
            return kind
        case Part():
            return Kind.NUM
        case Field():
            return None


def pattern_cost(condition: Condition) -> int:
    """Steps that all regular expressions in it have taken so far."""
    match condition:
        case Comparison(pattern=pattern):
            return pattern.cost if pattern else 0
        case All(parts=parts) | Any_(parts=parts) | Match(parts=parts):
            return sum(map(pattern_cost, parts))
        case Negation(part=one):
            return pattern_cost(one)
        case Truth():
            return 0


_VALUES = {
    "$strVal": Kind.STR,
    "$hexVal": Kind.HEX,
    "$dateTimeVal": Kind.DATETIME,
    "$timeVal": Kind.TIME,
}
_CASTS = {
    "$strCast": Kind.STR,
    "$numCast": Kind.NUM,
    "$hexCast": Kind.HEX,
    "$boolCast": Kind.BOOL,
    "$dateTimeCast": Kind.DATETIME,
    "$timeCast": Kind.TIME,
}
_PARTS = ("$dayOfWeek", "$dayOfMonth", "$month", "$year")


class _Reader:
    """Reads one condition; how large and how deep it is, is bounded."""

    def __init__(self, classes: Collection[Class], attributes: Attributes | None) -> None:
        self._classes = classes
        self._attributes = attributes
        self._nodes = 0

    def _only(self, given: object, at: str, depth: int) -> tuple[str, Any]:
        """The one word of a JSON object, with what stands under it."""
        self._nodes += 1
        if self._nodes > NODES_MAX or depth > DEPTH_MAX:
            raise Invalid(
                f"{at}: the condition has more than {NODES_MAX} parts or {DEPTH_MAX} levels",
                remedy="Ask in several queries.",
            )
        if not isinstance(given, dict) or len(given) != 1:
            raise Invalid(f"{at}: {str(given)[:60]!r} is not an object with exactly one word")
        return next(iter(given.items()))

    def condition(self, given: object, at: str, depth: int) -> Condition:
        word, inner = self._only(given, at, depth)
        at = f"{at}.{word}"
        if word in ("$and", "$or"):
            parts = tuple(
                self.condition(one, f"{at}[{n}]", depth + 1)
                for n, one in enumerate(_items(inner, at, 2, None))
            )
            return All(parts) if word == "$and" else Any_(parts)
        if word == "$not":
            return Negation(self.condition(inner, at, depth + 1))
        if word == "$boolean":
            return Truth(_boolean(inner, at))
        if word == "$boolCast":
            operand = Cast(Kind.BOOL, self.operand(inner, at, depth + 1))
            return Comparison("$eq", operand, Const((Value(Kind.BOOL, True),)))
        return self._matched(word, inner, at, depth)

    def _matched(self, word: str, inner: object, at: str, depth: int) -> Comparison | Match:
        """What may also stand in a `$match`."""
        if word == "$match":
            found = Match(
                tuple(
                    self._matched(*self._only(one, f"{at}[{n}]", depth), f"{at}[{n}]", depth + 1)
                    for n, one in enumerate(_items(inner, at, 1, None))
                )
            )
            _check_lists(found, at, 0)
            return found
        if word not in COMPARE and word not in SEARCH and word != "$regex":
            raise Invalid(
                f"{at}: {word!r} is no condition here",
                remedy="Take $and, $or, $not, $match, $boolean, a comparison or a search.",
            )
        left, right = (
            self.operand(one, f"{at}[{n}]", depth + 1)
            for n, one in enumerate(_items(inner, at, 2, 2))
        )
        if word == "$regex":
            return Comparison(word, left, right, _pattern(right, at))
        return Comparison(word, left, right)

    def operand(self, given: object, at: str, depth: int) -> Operand:  # noqa: PLR0911 - one a word
        word, inner = self._only(given, at, depth)
        at = f"{at}.{word}"
        if word == "$field":
            return self._field(inner, at)
        if word == "$attribute" and self._attributes is not None and isinstance(inner, dict):
            return Const(self._attributes(inner))
        if word == "$numVal":
            if isinstance(inner, bool) or not isinstance(inner, int | float):
                raise Invalid(f"{at}: {str(inner)[:40]!r} is not a number")
            return Const((Value(Kind.NUM, _float(inner, at)),))
        if word == "$boolean":
            return Const((Value(Kind.BOOL, _boolean(inner, at)),))
        if word in _VALUES:
            return Const((_literal(_VALUES[word], inner, at),))
        if word in _CASTS:
            return _folded(Cast(_CASTS[word], self.operand(inner, at, depth + 1)))
        if word in _PARTS:
            if isinstance(inner, str):  # as the schema of v3.1 has it
                return _folded(Part(word, Const((_literal(Kind.DATETIME, inner, at),))))
            return _folded(Part(word, self.operand(inner, at, depth + 1)))
        raise Invalid(f"{at}: {word!r} is no operand", remedy="Take $field, $strVal, $numVal, …")

    def _field(self, given: object, at: str) -> Field:
        if not isinstance(given, str):
            raise Invalid(f"{at}: a field is a text")
        try:
            found = parse_field(given)
        except Invalid as error:
            raise Invalid(f"{at}: {error}", remedy=error.remedy) from None
        if ROOTS[found.root] not in self._classes:
            wanted = ", ".join(r for r, c in ROOTS.items() if c in self._classes)
            raise Invalid(
                f"{at}: {given[:60]!r} cannot be asked here",
                remedy=f"Take fields of {wanted}.",
            )
        return found


def _items(given: object, at: str, least: int, most: int | None) -> Sequence[object]:
    if not isinstance(given, list) or len(given) < least or (most and len(given) > most):
        wanted = f"{least}" if most == least else f"{least} or more"
        raise Invalid(f"{at}: wanted a list of {wanted}")
    return given


def _boolean(given: object, at: str) -> bool:
    if not isinstance(given, bool):
        raise Invalid(f"{at}: {str(given)[:40]!r} is not true or false")
    return given


def _float(given: float, at: str) -> float:
    try:
        return float(given)
    except OverflowError:
        raise Invalid(f"{at}: the number is too large") from None


def _literal(kind: Kind, given: object, at: str) -> Value:
    if isinstance(given, str) and len(given) <= STRING_CHARS_MAX:
        found = parse(kind, given)
        if found is not None and (kind is not Kind.HEX or given.startswith("16#")):
            return found
    raise Invalid(
        f"{at}: {str(given)[:40]!r} is no {kind.value} of at most {STRING_CHARS_MAX} characters"
    )


def _pattern(operand: Operand, at: str) -> Pattern:
    if not isinstance(operand, Const) or [v.kind for v in operand.values] != [Kind.STR]:
        raise Invalid(f"{at}: the pattern is not a text", remedy="Give it as $strVal.")
    try:
        return Pattern(str(operand.values[0].it))
    except Invalid as error:
        raise Invalid(f"{at}: {error}", remedy=error.remedy) from None


def _folded(operand: Cast | Part) -> Operand:
    """A cast of what is known beforehand is known beforehand."""
    if not isinstance(inner := operand.operand, Const):
        return operand
    made = (
        cast(operand.kind, v) if isinstance(operand, Cast) else part(operand.word, v)
        for v in inner.values
    )
    return Const(tuple(v for v in made if v is not None))


def _check_lists(match: Match, at: str, depth: int) -> None:
    """See that all fields in a `$match` go through the same list.

    Raises:
        Invalid: one does not.
    """
    for one in match.parts:
        if next(fields_of(one), None) is None:
            raise Invalid(f"{at}: a part of $match looks at no list")
        if isinstance(one, Match):
            _check_lists(one, at, depth + 1)
    fields = list(fields_of(match))
    if any(f.lists() <= depth for f in fields):
        raise Invalid(f"{at}: a field in $match goes through no list", remedy="Write [] in it.")
    if len({f.list_at(depth) for f in fields}) > 1:
        raise Invalid(f"{at}: the fields in $match go through different lists")


def constant(*texts: str) -> tuple[Value, ...]:
    """Texts as what an attribute is worth."""
    return tuple(map(text, texts))
