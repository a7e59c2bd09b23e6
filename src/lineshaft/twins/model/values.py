"""Value-only form: what a submodel or element holds, without its description (IDTA-01001 v3.1)."""

import operator
from collections.abc import Callable
from typing import Any

from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.model import xsd
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.elements import children

_FIELDS = {
    "File": ("contentType", "value"),
    "Blob": ("contentType", "value"),
    "RelationshipElement": ("first", "second"),
    "AnnotatedRelationshipElement": ("first", "second"),
    "Entity": ("entityType", "globalAssetId", "specificAssetIds"),
    "BasicEventElement": ("observed",),
}
"""Attributes that the value-only object of a type has as they are in the document."""

_PARTS = {"AnnotatedRelationshipElement": "annotations", "Entity": "statements"}
"""The attribute of the value-only object that holds the values of the elements within."""

_SHOWN_MAX = 80

_NAMED = ("Submodel", "SubmodelElementCollection")


def value_of(element_or_submodel: Json, *, core: bool = False, blobs: bool = False) -> Any:  # noqa: ANN401 - JSON
    """The value-only form; None for what has no value (an Operation, a Property not yet set).

    Parts are shared with the element, so do not change them. `core`: values of direct children
    only; containers among them come empty. `blobs`: with the content of Blobs.

    In an object, elements without a value are left out; in a list they are null, so that every
    other keeps its index. A list in which no element has a value is left out itself.
    """
    model_type = element_or_submodel.get("modelType", "")
    if model_type in _NAMED:
        return _named(children(element_or_submodel), core=core, blobs=blobs)
    if model_type == "SubmodelElementList":
        return _listed(children(element_or_submodel), core=core, blobs=blobs)
    if model_type in _LEAVES:
        return _LEAVES[model_type](element_or_submodel)
    return _object(element_or_submodel, core=core, blobs=blobs)


def with_value(element_or_submodel: Json, value: Any) -> None:  # noqa: ANN401 - JSON
    """Set from value-only form, in place; what `value` does not name stays as it is.

    So does what it repeats: "1.50" when 1.5 comes. Objects may name fewer elements than there are,
    lists may be shorter; neither adds an element.

    Raises:
        Invalid: no such element, or no value of its type; the message names the path and what was
            wanted. Some values may be set by then: work on a copy.
    """
    _set(element_or_submodel, value, "")


def _type(element: Json) -> str:
    return str(element.get("valueType", "xs:string"))


def _property(element: Json) -> xsd.Scalar | None:
    text = element.get("value")
    return None if text is None else xsd.to_json(_type(element), text)


def _range(element: Json) -> Json | None:
    kind = _type(element)
    ends = {end: element[end] for end in ("min", "max") if end in element}
    return {end: xsd.to_json(kind, text) for end, text in ends.items()} or None


def _texts(element: Json) -> list[Json] | None:
    texts = element.get("value")
    return texts and [{text["language"]: text["text"]} for text in texts]


def _inner(element: Json, *, core: bool, blobs: bool) -> Any:  # noqa: ANN401 - JSON
    """The value of an element within what is asked for."""
    if not core:
        return value_of(element, blobs=blobs)
    match element.get("modelType"):
        case "SubmodelElementCollection":
            return {}
        case "SubmodelElementList":
            return []
        case "Entity" | "AnnotatedRelationshipElement":
            return _fields(element, blobs=blobs)
        case _:
            return value_of(element, blobs=blobs)


def _named(elements: list[Json], *, core: bool, blobs: bool) -> Json:
    values = {
        element["idShort"]: _inner(element, core=core, blobs=blobs)
        for element in elements
        if "idShort" in element
    }
    return {name: value for name, value in values.items() if value is not None}


def _listed(elements: list[Json], *, core: bool, blobs: bool) -> list[Any] | None:
    values = [_inner(element, core=core, blobs=blobs) for element in elements]
    return None if values and all(value is None for value in values) else values


def _object(element: Json, *, core: bool, blobs: bool) -> Json | None:
    value = _fields(element, blobs=blobs)
    if elements := children(element):
        value[_PARTS[element["modelType"]]] = _named(elements, core=core, blobs=blobs)
    return value or None


def _fields(element: Json, *, blobs: bool) -> Json:
    model_type = element.get("modelType", "")
    return {
        name: element[name]
        for name in _FIELDS.get(model_type, ())
        if name in element and (blobs or (model_type, name) != ("Blob", "value"))
    }


def _set(element: Json, value: Any, path: str) -> None:  # noqa: ANN401 - JSON
    model_type = element.get("modelType", "")
    if model_type in _NAMED:
        _set_named(element, value, path)
    elif model_type == "SubmodelElementList":
        _set_listed(element, value, path)
    elif model_type in _SETTERS:
        # Said again is not changed: "1.50" stays so when 1.5 comes, and null where nothing is.
        if not _same(value, value_of(element, blobs=True)):
            _SETTERS[model_type](element, value, path)
    elif model_type in _FIELDS:
        _set_object(element, value, path)
    elif value is not None:
        raise _invalid(path, f"a {model_type or 'element without modelType'} has no value", value)


def _same(one: object, other: object) -> bool:
    """Equal as JSON: unlike in Python, true is not 1; yet 1.0 is 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def _set_named(element: Json, value: Any, path: str) -> None:  # noqa: ANN401 - JSON
    if not isinstance(value, dict):
        raise _invalid(path, "wanted an object of values by idShort", value)
    within = {child["idShort"]: child for child in children(element) if "idShort" in child}
    for name, part in value.items():
        where = f"{path}.{name}" if path else name
        if name not in within:
            raise _invalid(where, "no such element; a value does not create one", part)
        _set(within[name], part, where)


def _set_listed(element: Json, value: Any, path: str) -> None:  # noqa: ANN401 - JSON
    elements = children(element)
    if value is None and value_of(element) is None:
        return
    if not isinstance(value, list) or len(value) > len(elements):
        raise _invalid(path, f"wanted a list of at most {len(elements)} values", value)
    for at, part in enumerate(value):
        _set(elements[at], part, f"{path}[{at}]")


def _set_property(element: Json, value: object, path: str) -> None:
    element["value"] = _scalar(element, value, path)


def _set_range(element: Json, value: object, path: str) -> None:
    if not isinstance(value, dict) or not value or not value.keys() <= {"min", "max"}:
        raise _invalid(path, 'wanted an object with "min", "max" or both', value)
    now = value_of(element) or {}
    for end, part in value.items():
        if end not in now or not _same(part, now[end]):
            element[end] = _scalar(element, part, f"{path}.{end}")


def _set_texts(element: Json, value: object, path: str) -> None:
    # One object with all languages is how version 3.0 of the API has it.
    parts = (
        [{language: text} for language, text in value.items()] if isinstance(value, dict) else value
    )
    if not isinstance(parts, list) or not all(
        isinstance(part, dict) and len(part) == 1 for part in parts
    ):
        raise _invalid(path, 'wanted a list of objects such as {"en": "text"}', value)
    texts = [
        {"language": language, "text": text} for part in parts for language, text in part.items()
    ]
    _replace(element, {"value": texts}, path)


def _set_reference(element: Json, value: object, path: str) -> None:
    _replace(element, {"value": value}, path)


def _set_object(element: Json, value: Any, path: str) -> None:  # noqa: ANN401 - JSON
    model_type = element["modelType"]
    if value is None and value_of(element) is None:
        return
    part = _PARTS.get(model_type)
    names = (*_FIELDS[model_type], *([part] if part else []))
    if not isinstance(value, dict) or not value.keys() <= set(names):
        raise _invalid(path, f"wanted an object with any of {', '.join(names)}", value)
    fields = {name: field for name, field in value.items() if name != part}
    _replace(element, fields, path)
    if part in value:
        within = value[part]
        if part == "annotations" and isinstance(within, list):
            within = _merged(within)
        # Its elements, as if it were a collection of them.
        stand_in = {"modelType": "SubmodelElementCollection", "value": children(element)}
        _set_named(stand_in, within, path)


def _merged(values: list[Any]) -> Any:  # noqa: ANN401 - JSON
    """The examples of the standard have a list of objects, its schemas one object."""
    if not all(isinstance(value, dict) for value in values):
        return values
    return {name: value for each in values for name, value in each.items()}


def _replace(element: Json, fields: Json, path: str) -> None:
    """Set attributes, if the element is then no more wrong in them than any may be."""
    if all(element.get(name) == field for name, field in fields.items()):
        return
    wanted = {**element, **fields}
    if element["modelType"] in _PARTS:
        wanted.pop(_PARTS[element["modelType"]], None)  # not changed here, and it may be large
    for finding in check(element["modelType"], wanted):
        # What is wrong elsewhere in the element was let in by an import and is not the caller's.
        if not finding.path or finding.path.split(".")[0].split("[")[0] in fields:
            raise _invalid(f"{path}.{finding.path}".rstrip("."), finding.message, fields)
    element.update(fields)


def _scalar(element: Json, value: object, path: str) -> str:
    text = xsd.from_json(_type(element), value)
    if text is None:
        raise _invalid(path, f"wanted a value of {_type(element)}", value)
    return text


def _invalid(path: str, wanted: str, value: object) -> Invalid:
    return Invalid(
        f"value of {path.lstrip('.') or 'the element'!r}: {wanted}; {_shown(value)} came",
        remedy="compare with what GET …/$value answers",
    )


def _shown(value: object) -> str:
    """The start of it, in ASCII: a message must always be sendable."""
    try:
        text = ascii(value)
    except (ValueError, RecursionError):  # an integer too long to be written, lists too deep
        text = f"one of {type(value).__name__}"
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."


_LEAVES: dict[str, Callable[[Json], Any]] = {
    "Property": _property,
    "Range": _range,
    "MultiLanguageProperty": _texts,
    "ReferenceElement": operator.methodcaller("get", "value"),
}

_SETTERS: dict[str, Callable[[Json, Any, str], None]] = {
    "Property": _set_property,
    "Range": _set_range,
    "MultiLanguageProperty": _set_texts,
    "ReferenceElement": _set_reference,
}
