"""What people changed in a generated document, apart from it, so that both can go on living."""

import msgspec

from lineshaft.core.errors import Invalid, Missing, Stale
from lineshaft.twins import Json
from lineshaft.twins.model.elements import children, put, remove
from lineshaft.twins.model.paths import parse_path

_NAMED = ("Submodel", "SubmodelElementCollection")
_LISTS = {"Submodel": "submodelElements", "SubmodelElementCollection": "value"}


class Edits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The difference between a generated document and what it has become."""

    attributes: dict[str, msgspec.Raw] = {}
    """Attributes of the document itself that are otherwise, without its elements."""
    dropped: tuple[str, ...] = ()
    """Attributes that were taken away."""
    elements: dict[str, msgspec.Raw] = {}
    """Elements that were added or are otherwise, whole, by idShortPath."""
    removed: tuple[str, ...] = ()
    """Paths of elements that were taken away."""
    references: tuple[msgspec.Raw, ...] = ()
    """Of a shell: submodels that were added."""

    def __bool__(self) -> bool:
        return bool(
            self.attributes or self.dropped or self.elements or self.removed or self.references
        )


def edits(base: Json, now: Json) -> Edits:
    """What has become of `base`. Values are told apart by what they hold, not by their order."""
    apart = {"submodelElements", "submodels"}
    attributes = {
        k: _raw(v) for k, v in now.items() if k not in apart and (k not in base or base[k] != v)
    }
    elements: dict[str, msgspec.Raw] = {}
    removed: list[str] = []
    if base.get("modelType") == "Submodel":
        _compare(base, now, "", elements, removed)
    known = base.get("submodels", [])
    return Edits(
        attributes=attributes,
        dropped=tuple(k for k in base if k not in apart and k not in now),
        elements=elements,
        removed=tuple(removed),
        references=tuple(_raw(r) for r in now.get("submodels", []) if r not in known),
    )


def _compare(
    base: Json, now: Json, at: str, elements: dict[str, msgspec.Raw], removed: list[str]
) -> None:
    before = {c.get("idShort", ""): c for c in children(base)}
    after = {c.get("idShort", ""): c for c in children(now)}
    for name, child in after.items():
        path = f"{at}.{name}" if at else name
        old = before.get(name)
        if old == child:
            continue
        if old is not None and _same_but_within(old, child):
            _compare(old, child, path, elements, removed)
        else:
            elements[path] = _raw(child)
    removed += [f"{at}.{n}" if at else n for n in before if n not in after]


def _same_but_within(old: Json, new: Json) -> bool:
    """Whether two collections differ in their elements alone."""
    if old.get("modelType") != new.get("modelType") or old.get("modelType") not in _NAMED:
        return False
    inner = _LISTS[old["modelType"]]
    return {k: v for k, v in old.items() if k != inner} == {
        k: v for k, v in new.items() if k != inner
    }


def edited(base: Json, changes: Edits) -> Json:
    """The generated document with the edits; those whose place is gone fall away."""
    now: Json = msgspec.json.decode(msgspec.json.encode(base))
    now |= {k: msgspec.json.decode(v) for k, v in changes.attributes.items()}
    for name in changes.dropped:
        now.pop(name, None)
    for path in changes.removed:
        try:
            remove(now, parse_path(path))
        except (Missing, Invalid):
            continue
    for path, element in changes.elements.items():
        try:
            put(now, parse_path(path), msgspec.json.decode(element))
        except (Missing, Invalid, Stale):
            continue
    if changes.references:
        added = [msgspec.json.decode(r) for r in changes.references]
        there = now.setdefault("submodels", [])
        there += [r for r in added if r not in there]
    return now


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
