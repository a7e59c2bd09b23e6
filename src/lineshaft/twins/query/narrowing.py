"""Conditions as predicates of the records: what the index can tell without opening a document.

A narrowing never loses a document that fulfils the condition. Where it is exact it also
keeps none that does not; elsewhere the documents found are opened and looked at.
"""

from collections.abc import Sequence

import msgspec

from lineshaft.records import (
    And,
    Compare,
    Contains,
    In,
    IsNull,
    Not,
    Or,
    Predicate,
    Prefix,
    Some,
    Suffix,
)
from lineshaft.twins import Class
from lineshaft.twins.index import place_text
from lineshaft.twins.query.evaluate import holds
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
    Truth,
    fields_of,
)
from lineshaft.twins.query.fields import ROOTS, Field, Wild
from lineshaft.twins.query.values import COMPARE, MIRRORED, Kind, Value

PARTS_MAX = 200
"""Most parts of a predicate made here; what would have more is decided on the documents."""
EVERY = And(())
NONE = Or(())
_FIRST_KEY: Wild = ("semanticId", "keys", 0, "value")
_ASSET_COLUMNS = {
    "assetKind": "asset_kind",
    "assetType": "asset_type",
    "globalAssetId": "global_asset_id",
}
_SIGNS = {"$eq": "=", "$ne": "!=", "$gt": ">", "$ge": ">=", "$lt": "<", "$le": "<="}


class Narrowing(msgspec.Struct, frozen=True):
    """A predicate that every document that fulfils the condition fits."""

    where: Predicate
    exact: bool
    """Whether every document that fits fulfils the condition, too."""


class _Place(msgspec.Struct, frozen=True):
    """Where the index keeps what a field finds."""

    column: str
    rows: tuple[Predicate, ...] = ()
    """What else the index row must be."""
    exact: bool = True
    """Whether the column holds what the field finds and nothing else."""


ALL = Narrowing(EVERY, False)


def narrowed(condition: Condition) -> Narrowing:
    """What the index knows about a condition."""
    match condition:
        case Truth(it=it):
            return Narrowing(EVERY if it else NONE, True)
        case All(parts=parts):
            return _all([narrowed(p) for p in parts])
        case Any_(parts=parts):
            return _any([narrowed(p) for p in parts])
        case Negation(part=part):
            inner = narrowed(part)
            return Narrowing(_not(inner.where), True) if inner.exact else ALL
        case Match():
            return _matched(condition)
        case Comparison():
            return _some(condition, [_row(condition)])


def within(narrowing: Narrowing) -> Narrowing:
    """The narrowing itself, or of too many parts, none."""
    return narrowing if _size(narrowing.where) <= PARTS_MAX else ALL


def _size(where: Predicate) -> int:
    match where:
        case And(parts=parts) | Or(parts=parts):
            return 1 + sum(map(_size, parts))
        case Not(part=part) | Some(part=part):
            return 1 + _size(part)
        case _:
            return 1


def _all(parts: Sequence[Narrowing]) -> Narrowing:
    wheres = tuple(p.where for p in parts if p.where != EVERY)
    exact = all(p.exact for p in parts)
    return Narrowing(NONE if NONE in wheres else _joined(And, wheres), exact)


def _any(parts: Sequence[Narrowing]) -> Narrowing:
    wheres = tuple(p.where for p in parts if p.where != NONE)
    exact = all(p.exact for p in parts)
    return Narrowing(EVERY if EVERY in wheres else _joined(Or, wheres), exact)


def _joined(word: type[And] | type[Or], parts: tuple[Predicate, ...]) -> Predicate:
    return parts[0] if len(parts) == 1 else word(parts)


def _not(where: Predicate) -> Predicate:
    if where == EVERY:
        return NONE
    return EVERY if where == NONE else Not(where)


def _matched(match: Match) -> Narrowing:
    """One item of a list is one index row when the list is that of all elements."""
    if all(isinstance(p, Comparison) for p in match.parts) and (
        all(f.anywhere for f in fields_of(match)) or _asset_ids(match)
    ):
        comparisons = [p for p in match.parts if isinstance(p, Comparison)]
        together = [_row(p) for p in comparisons if not _apart(p)]
        alone = [_some(p, [_row(p)]) for p in comparisons if _apart(p)]
        found = _all([_some(match, together), *alone])
        return found if not alone else Narrowing(found.where, False)
    # Each part must hold somewhere; whether for the same item, only the document tells.
    return Narrowing(_all([narrowed(p) for p in match.parts]).where, False)


def _apart(comparison: Comparison) -> bool:
    """Whether it looks at what stands in index rows of its own: semantic ids but the first."""
    ways = (f.attribute for f in fields_of(comparison))
    return any(w != _FIRST_KEY and w[0] in ("semanticId", "supplementalSemanticIds") for w in ways)


def _asset_ids(match: Match) -> bool:
    return all("specificAssetIds" in f.attribute for f in fields_of(match))


def _some(condition: Condition, rows: Sequence[Narrowing]) -> Narrowing:
    """A document of which one index row is all that."""
    row = _all(rows)
    if row.where in (EVERY, NONE) or all(f.attribute == ("id",) for f in fields_of(condition)):
        return row
    return Narrowing(Some(row.where), row.exact)


def _row(comparison: Comparison) -> Narrowing:
    """What an index row must be for the comparison to hold for it."""
    word, left, right = comparison.word, comparison.left, comparison.right
    if isinstance(left, Const) and isinstance(right, Const):
        return Narrowing(EVERY if holds(comparison, {}) else NONE, True)
    if word in MIRRORED and isinstance(left, Const):
        word, left, right = MIRRORED[word], right, left
    if not isinstance(right, Const):
        return ALL
    field = _plain(left, right)
    place = _place(field) if field is not None else None
    if field is None or place is None:
        return ALL
    many = tuple(v.it for v in right.values if v.kind is Kind.STR)
    if word == "$eq" and len(many) == len(right.values) > 1:
        test = Narrowing(In(place.column, many), True)
    else:
        test = _any([_test(word, field, place, value) for value in right.values])
    if test.where in (EVERY, NONE):
        return test
    where = And((*place.rows, test.where)) if place.rows else test.where
    return Narrowing(where, test.exact and place.exact)


def _plain(operand: Operand, other: Const) -> Field | None:
    """The field, when a cast around it only says what the other side says."""
    if isinstance(operand, Cast) and all(v.kind is operand.kind for v in other.values):
        operand = operand.operand
    return operand if isinstance(operand, Field) else None


def _test(word: str, field: Field, place: _Place, value: Value) -> Narrowing:
    column, it = place.column, value.it
    if word in COMPARE and value.kind is Kind.NUM and field.attribute == ("value",):
        return Narrowing(Compare("number", _SIGNS[word], float(it)), True)
    if isinstance(it, str):
        return _of_text(word, column, it)
    return Narrowing(Not(IsNull(column)), False) if word in COMPARE else Narrowing(NONE, True)


def _of_text(word: str, column: str, it: str) -> Narrowing:
    match word:
        case "$starts-with":
            return Narrowing(Prefix(column, it), True)
        case "$ends-with":
            return Narrowing(Suffix(column, it), True)
        case "$contains":
            # The index does not count letter case, the language does.
            return Narrowing(Contains(column, it), False)
        case "$regex":
            return Narrowing(Not(IsNull(column)), False)
        case _:
            return Narrowing(Compare(column, _SIGNS[word], it), True)


def _place(field: Field) -> _Place | None:
    """Where the index keeps what the field finds; None where it does not."""
    if field.attribute == ("id",):
        return _Place("key")
    if field.root == "$sme":
        return _of_element(field)
    if "semanticId" in field.attribute or "supplementalSemanticIds" in field.attribute:
        return _semantic(field, IsNull("at") if field.root == "$sm" else None)
    if field.attribute == ("idShort",):
        return _Place("id_short", (IsNull("at"),) if field.root == "$sm" else ())
    return _of_asset(field) if ROOTS[field.root] in (Class.SHELL, Class.SHELL_DESCRIPTOR) else None


def _of_asset(field: Field) -> _Place | None:
    match field.attribute:
        case (*_, "assetKind" | "assetType" | "globalAssetId" as name):
            return _Place(_ASSET_COLUMNS[str(name)])
        # Rows do not tell which place in the list they come from, and the global id has one.
        case (*_, "specificAssetIds", _, "name" | "value" as name):
            return _Place(f"asset_{name}", exact=False)
        case ("submodels", None, "keys", None, "value"):
            return _Place("refers")
        case ("submodels", _, "keys", _, "value") | ("submodelDescriptors", _, "id"):
            return _Place("refers", exact=False)
        case _:
            return None


def _semantic(field: Field, row: Predicate | None) -> _Place | None:
    """The first key has a row of its own kind; the others cannot be told apart."""
    if field.attribute[-1] != "value" or field.attribute[0] == "submodelDescriptors":
        return None
    rows = () if row is None else (row,)
    if field.attribute == _FIRST_KEY:
        return _Place("semantic_id", (*rows, IsNull("also")))
    return _Place("semantic_id", rows, exact=False)


def _of_element(field: Field) -> _Place | None:
    at = _path(field.path)
    match field.attribute:
        case ("value",):
            place: _Place | None = _Place("text")
        case ("valueType",):
            place = _Place("value_type")
        case ("language",):
            place = _Place("language")
        case ("idShort",):
            place = _Place("id_short", (Not(IsNull("at")),))
        case _:
            place = _semantic(field, Not(IsNull("at")))
    if place is None or at is None:
        return place
    exact = place.exact and None not in field.path
    return _Place(place.column, (at, *place.rows), exact)


def _path(path: Wild) -> Predicate | None:
    """How the idShortPath of an element ends."""
    if not path:
        return None
    if None in path:
        path = path[len(path) - path[::-1].index(None) :]
        return Suffix("at", "]" + place_text(tuple(s for s in path if s is not None)))
    return Suffix("at", place_text(tuple(s for s in path if s is not None)))
