"""Whether a condition holds for a document that lies open.

What a field finds is tried value by value; what cannot be read as the type that it is
compared with is left out, and of nothing, no comparison holds.

Source: IDTA-01002 v3.1, Query Language; IDTA-01004 v3.0, Formulas (values that cannot be cast).
"""

from collections import defaultdict
from collections.abc import Iterator

from lineshaft.twins import Json, index
from lineshaft.twins.query.expressions import (
    All,
    Any_,
    Cast,
    Comparison,
    Condition,
    Const,
    Match,
    Negation,
    Operand,
    Part,
    Truth,
    fields_of,
    kind_of,
)
from lineshaft.twins.query.fields import Field, Wild, matches
from lineshaft.twins.query.values import SEARCH, Kind, Value, cast, compared, part, text

Choice = tuple[object, ...]
"""Which items of the lists on its way a value was found in."""
NONE: Choice = ()


def holds(condition: Condition, document: Json) -> bool:
    """Whether the document fulfils the condition."""
    return _Open(document).holds(condition, NONE)


class _Open:
    """A document with what its fields were found to hold."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._found: dict[Field, list[tuple[Choice, str]]] = {}
        self._grouped: dict[tuple[Field, int], dict[Choice, list[str]]] = {}

    def holds(self, condition: Condition, chosen: Choice) -> bool:
        match condition:
            case Truth(it=it):
                return it
            case All(parts=parts):
                return all(self.holds(p, chosen) for p in parts)
            case Any_(parts=parts):
                return any(self.holds(p, chosen) for p in parts)
            case Negation(part=one):
                return not self.holds(one, chosen)
            case Match(parts=parts):
                return any(
                    all(self.holds(p, choice) for p in parts)
                    for choice in self._choices(condition, chosen)
                )
            case Comparison():
                return self._compared(condition, chosen)

    def _choices(self, match: Match, chosen: Choice) -> dict[Choice, None]:
        """The items of the list that a `$match` walks, inside those chosen already."""
        depth = len(chosen) + 1
        return {
            choice: None
            for field in fields_of(match)
            for choice in self._by_choice(field, depth)
            if choice[:-1] == chosen
        }

    def _compared(self, comparison: Comparison, chosen: Choice) -> bool:
        word, left, right = comparison.word, comparison.left, comparison.right
        if word in SEARCH or word == "$regex":
            texts = self._values(left, Kind.STR, chosen)
            if comparison.pattern is not None:
                return any(comparison.pattern.search(str(t.it)) for t in texts)
            parts = self._values(right, Kind.STR, chosen)
            return any(SEARCH[word](str(t.it), str(p.it)) for t in texts for p in parts)
        kind = _common(left, right)
        ours = self._values(left, kind, chosen)
        theirs = self._values(right, kind, chosen)
        if isinstance(left, Field) and isinstance(right, Field) and not (ours and theirs):
            # Two that are both empty are the same.
            return word in ("$eq", "$ge", "$le") if ours == theirs else word == "$ne"
        return any(compared(word, a, b) for a in ours for b in theirs)

    def _values(self, operand: Operand, kind: Kind, chosen: Choice) -> list[Value]:
        """What an operand is worth, a field as the wanted type."""
        match operand:
            case Const(values=values):
                if kind is Kind.TIME:  # of a date, its time of day
                    return [v for one in values if (v := _time(one)) is not None]
                return [v for v in values if v.kind is kind]
            case Field():
                made = (cast(kind, text(t)) for t in self._texts(operand, chosen))
                return [v for v in made if v is not None]
            case Cast(operand=inner) | Part(operand=inner):
                inside = self._values(inner, kind_of(inner) or Kind.STR, chosen)
                made = (_made(operand, v) for v in inside)
                return [v for v in made if v is not None and v.kind is kind]

    def _texts(self, field: Field, chosen: Choice) -> list[str]:
        return self._by_choice(field, len(chosen)).get(chosen, [])

    def _by_choice(self, field: Field, depth: int) -> dict[Choice, list[str]]:
        """The field's values by the items of its first `depth` lists."""
        if (field, depth) not in self._grouped:
            if field not in self._found:
                self._found[field] = list(_look(field, self._document))
            grouped = defaultdict(list)
            for choice, found in self._found[field]:
                if len(choice) >= depth:
                    grouped[choice[:depth]].append(found)
            self._grouped[field, depth] = dict(grouped)
        return self._grouped[field, depth]


def _made(operand: Cast | Part, value: Value) -> Value | None:
    if isinstance(operand, Part):
        return part(operand.word, value)
    return cast(operand.kind, value)


def _common(left: Operand, right: Operand) -> Kind:
    """The type in which two operands are compared; of a field, that of the other side."""
    ours, theirs = kind_of(left), kind_of(right)
    if Kind.TIME in (ours, theirs) and Kind.DATETIME in (ours, theirs):
        return Kind.TIME
    return ours or theirs or Kind.STR


def _time(value: Value) -> Value | None:
    return cast(Kind.TIME, value) if value.kind in (Kind.TIME, Kind.DATETIME) else None


def _look(field: Field, document: Json) -> Iterator[tuple[Choice, str]]:
    """All that a field finds, with the items of lists that it was found in."""
    if field.root != "$sme":
        yield from _walk(document, field.attribute, NONE, NONE)
        return
    for steps, element in index.elements(document):
        if not matches(field.path, steps):
            continue
        skipped = len(steps) - len(field.path)
        items = [n for n, step in enumerate(field.path, skipped + 1) if step is None]
        choice: Choice = tuple(steps[:n] for n in items)
        if field.anywhere:
            # A text in several languages counts as several elements, as in the index.
            for n, said in enumerate(index.values(element) or [{}]):
                yield from _attribute(field, element, said, ((steps, n),), (steps, n))
        else:
            for said in index.values(element) or [{}]:
                yield from _attribute(field, element, said, choice, steps)


def _attribute(
    field: Field, element: Json, said: index.Row, choice: Choice, place: Choice
) -> Iterator[tuple[Choice, str]]:
    match field.attribute:
        case ("value",):
            found = said.get("text")
        case ("language",):
            found = said.get("language")
        case _:
            yield from _walk(element, field.attribute, choice, place)
            return
    if isinstance(found, str):
        yield choice, found


def _walk(at: object, way: Wild, choice: Choice, place: Choice) -> Iterator[tuple[Choice, str]]:
    """Texts at the end of a way; `place` tells items of different lists apart."""
    for n, step in enumerate(way):
        if step is None:
            for m, item in enumerate(at if isinstance(at, list) else []):
                here = (*place, m)
                yield from _walk(item, way[n + 1 :], (*choice, here), here)
            return
        if isinstance(step, int):
            at = at[step] if isinstance(at, list) and step < len(at) else None
        else:
            at = at.get(step) if isinstance(at, dict) else None
    if isinstance(at, str):
        yield choice, at
