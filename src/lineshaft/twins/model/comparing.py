"""Two documents are compared by structure: what was added, removed, changed, and where."""

import enum
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from lineshaft.twins import Json

DIFFERENCES_MAX = 1_000
"""Of one comparison; then it says so and stops."""

_NAMES = ("idShort", "language", "id", "name")
"""What tells the items of a list apart, whatever their order; keys of a reference have none."""


class What(enum.Enum):
    """How two documents differ at a place."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place at which two documents differ."""

    path: str
    """As `submodelElements[Temperature].value`; items are named by idShort where they have one."""
    what: What
    before: Any = None
    """What stood there; nothing when it was added."""
    after: Any = None
    """What stands there; nothing when it was removed."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How two documents differ."""

    differences: list[Difference]
    complete: bool = True
    """False when there are more than `DIFFERENCES_MAX`."""


def compared(before: Json, after: Json) -> Comparison:
    """The differences from `before` to `after`, in the order of `before`, additions last.

    The order of elements in a submodel or collection does not count, nor that of translations;
    that of a SubmodelElementList, and of the keys of a reference, does.
    """
    found = list(islice(_different("", before, after), DIFFERENCES_MAX + 1))
    return Comparison(differences=found[:DIFFERENCES_MAX], complete=len(found) <= DIFFERENCES_MAX)


def _different(path: str, before: Any, after: Any) -> Iterator[Difference]:  # noqa: ANN401 - JSON
    if isinstance(before, dict) and isinstance(after, dict):
        ordered = "SubmodelElementList" in (before.get("modelType"), after.get("modelType"))
        yield from _members(path, before, after, ordered=ordered)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _items(path, before, after, ordered=False)
    elif before != after:
        yield Difference(path=path, what=What.CHANGED, before=before, after=after)


def _members(path: str, before: Json, after: Json, *, ordered: bool) -> Iterator[Difference]:
    for name in [*before, *(n for n in after if n not in before)]:
        at = f"{path}.{name}" if path else name
        if name not in after:
            yield Difference(path=at, what=What.REMOVED, before=before[name])
        elif name not in before:
            yield Difference(path=at, what=What.ADDED, after=after[name])
        elif ordered and name == "value" and isinstance(before[name], list):
            yield from _items(at, before[name], after[name], ordered=True)
        else:
            yield from _different(at, before[name], after[name])


def _items(path: str, before: list[Any], after: Any, *, ordered: bool) -> Iterator[Difference]:  # noqa: ANN401
    if not isinstance(after, list):
        yield Difference(path=path, what=What.CHANGED, before=before, after=after)
        return
    name = "" if ordered else _name(before, after)
    old, new = _by_name(before, name), _by_name(after, name)
    for key in [*old, *(k for k in new if k not in old)]:
        at = f"{path}[{key}]"
        if key not in new:
            yield Difference(path=at, what=What.REMOVED, before=old[key])
        elif key not in old:
            yield Difference(path=at, what=What.ADDED, after=new[key])
        else:
            yield from _different(at, old[key], new[key])


def _by_name(items: list[Any], name: str) -> dict[Any, Any]:
    """Items by the member `name`, or by their place when it is empty."""
    return {item[name] if name else place: item for place, item in enumerate(items)}


def _name(before: list[Any], after: list[Any]) -> str:
    """The member by which the items of both lists can be told apart; empty for none."""
    for name in _NAMES:
        if all(_tells(items, name) for items in (before, after)):
            return name
    return ""


def _tells(items: list[Any], name: str) -> bool:
    values = [item.get(name) if isinstance(item, dict) else None for item in items]
    return all(isinstance(v, str) for v in values) and len(set(values)) == len(values)
