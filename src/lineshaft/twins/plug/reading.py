"""Reading submodel elements as they are kept: JSON whose shape has been checked, or not quite."""

from collections.abc import Iterator

from lineshaft.twins import Json
from lineshaft.twins.model.elements import children


def semantic_id(element: Json) -> str:
    """First key of the semantic id; empty when there is none."""
    return next(iter(_keys(element.get("semanticId"))), "")


def child(parent: Json, *names: str) -> Json:
    """The element within that has one of the names, by idShort or at the end of its semantic id.

    An empty object when there is none.
    """
    for name in names:
        for element in children(parent):
            if element.get("idShort") == name:
                return element
    for name in names:
        for element in children(parent):
            if semantic_id(element).rstrip("/").endswith(("/" + name, "#" + name)):
                return element
    return {}


def text(parent: Json, name: str, default: str = "") -> str:
    """The value of a Property within, without the space around it."""
    value = child(parent, name).get("value")
    return value.strip() if isinstance(value, str) and value.strip() else default


def number(words: object) -> float | None:
    """The finite number that a text says, or None."""
    try:
        found = float(words) if isinstance(words, str | int | float) else None
    except ValueError:
        return None
    return found if found is not None and abs(found) < float("inf") else None


def flag(words: str) -> bool | None:
    """What a text says of yes and no, or None when it says neither."""
    return {"true": True, "1": True, "false": False, "0": False}.get(words.lower())


def reference(value: object) -> tuple[str, str] | None:
    """Identifier of the submodel and idShortPath that a model reference leads to.

    None when it leads to no element of a submodel.
    """
    pairs = list(_pairs(value))
    at = next((n for n, (kind, _) in enumerate(pairs) if kind == "Submodel"), None)
    if at is None or at + 1 >= len(pairs):
        return None
    path, holder = "", ""
    for kind, name in pairs[at + 1 :]:
        if holder == "SubmodelElementList" and name.isdecimal():
            path += f"[{name}]"
        else:
            path += f".{name}" if path else name
        holder = kind
    return pairs[at][1], path


def last_key(value: object) -> str:
    """The last key of a reference: the idShort of what it leads to; empty when there is none."""
    return next(iter(reversed(_keys(value))), "")


def _keys(value: object) -> list[str]:
    return [key for _, key in _pairs(value)]


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    keys = value.get("keys") if isinstance(value, dict) else None
    for key in keys if isinstance(keys, list) else ():
        if isinstance(key, dict) and isinstance(key.get("value"), str):
            yield str(key.get("type", "")), key["value"]
