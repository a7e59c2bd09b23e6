"""What the metamodel says of a JSON object: aas-core reads and verifies it, within bounds."""

import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

from aas_core3_1 import jsonization, verification
from aas_core3_1.types import Class as Typed

from lineshaft.twins import Finding, Json
from lineshaft.twins.model.xsd import URI_MAX

DEPTH_MAX = 200
"""Deepest nesting of objects and lists; one of elements is two of these."""

_MESSAGE_MAX = 500
_DIGITS_MAX = 4000
_SHORT_MAX = 128
_SHORT = ("idShort", "contentType")
_WORD = re.compile(r"_([a-z0-9])")

READERS: dict[str, Callable[[Any], Typed]] = {
    "AssetAdministrationShell": jsonization.asset_administration_shell_from_jsonable,
    "AssetInformation": jsonization.asset_information_from_jsonable,
    "ConceptDescription": jsonization.concept_description_from_jsonable,
    "Environment": jsonization.environment_from_jsonable,
    "Key": jsonization.key_from_jsonable,
    "OperationVariable": jsonization.operation_variable_from_jsonable,
    "Reference": jsonization.reference_from_jsonable,
    "SpecificAssetId": jsonization.specific_asset_id_from_jsonable,
    "Submodel": jsonization.submodel_from_jsonable,
    "SubmodelElement": jsonization.submodel_element_from_jsonable,
    "AnnotatedRelationshipElement": jsonization.annotated_relationship_element_from_jsonable,
    "BasicEventElement": jsonization.basic_event_element_from_jsonable,
    "Blob": jsonization.blob_from_jsonable,
    "Capability": jsonization.capability_from_jsonable,
    "Entity": jsonization.entity_from_jsonable,
    "File": jsonization.file_from_jsonable,
    "MultiLanguageProperty": jsonization.multi_language_property_from_jsonable,
    "Operation": jsonization.operation_from_jsonable,
    "Property": jsonization.property_from_jsonable,
    "Range": jsonization.range_from_jsonable,
    "ReferenceElement": jsonization.reference_element_from_jsonable,
    "RelationshipElement": jsonization.relationship_element_from_jsonable,
    "SubmodelElementCollection": jsonization.submodel_element_collection_from_jsonable,
    "SubmodelElementList": jsonization.submodel_element_list_from_jsonable,
}
"""How JSON becomes an object of the library, by type."""


def findings(model_type: str, obj: object) -> Iterator[Finding]:
    """What is wrong: one thing if the shape is, else every broken constraint."""
    wrong = False
    for finding in shape(obj):
        wrong = True
        yield finding
    if wrong:
        return
    try:
        parsed = READERS[model_type](obj)
    except jsonization.DeserializationException as error:
        yield unreadable(error)
        return
    try:
        for broken in verification.verify(parsed):
            yield _finding(_json_path(broken.path), broken.cause)
    except ValueError as error:
        yield from _endless(obj, error)


def unreadable(error: jsonization.DeserializationException) -> Finding:
    """What the library could not read, where."""
    return _finding(str(error.path), error.cause)


def shape(obj: object) -> Iterator[Finding]:
    """What the library would let through, or fall over."""
    if not isinstance(obj, dict):
        yield _finding("", f"wanted an object, {type(obj).__name__} came")
        return
    level: list[Any] = [obj]
    depth = 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            yield _finding("", f"nested deeper than {DEPTH_MAX}")
            return
        below: list[Any] = []
        for each in level:
            if type(each) is dict:
                if odd := _odd(each):
                    path = next(path for path, other in _objects(obj) if other is each)
                    yield _finding(f"{path}.{odd[0]}".lstrip("."), odd[1])
                below.extend(v for v in each.values() if type(v) is dict or type(v) is list)
            else:
                below.extend(v for v in each if type(v) is dict or type(v) is list)
        level = below


def _odd(obj: Json) -> tuple[str, str] | None:
    """The attribute that the library lets through although it is wrong; what was wanted of it."""
    for name in _SHORT:
        text = obj.get(name)
        # Its regular expressions take long over long texts, and their $ lets a line end through.
        if type(text) is str and (len(text) > _SHORT_MAX or text.endswith("\n")):
            return name, f"wanted at most {_SHORT_MAX} characters and no line end"
    if obj.get("modelType") == "Blob" and type(content := obj.get("value")) is str:
        try:
            binascii.a2b_base64("".join(content.split()), strict_mode=True)
        except ValueError:
            return "value", "wanted base64"
    if obj.get("valueType") == "xs:anyURI":
        for name in ("value", "min", "max"):
            if type(text := obj.get(name)) is str and len(text) > URI_MAX:
                return name, f"wanted a URI of at most {URI_MAX} characters"
    return None


def _endless(obj: object, error: ValueError) -> Iterator[Finding]:
    """Numbers of so many digits that Python refuses to turn them into one."""
    found = False
    for path, each in _objects(obj):
        for name in ("value", "min", "max"):
            if type(each.get(name)) is str and len(each[name]) > _DIGITS_MAX:
                found = True
                yield _finding(f"{path}.{name}".lstrip("."), f"more than {_DIGITS_MAX} digits")
    if not found:
        yield _finding("", f"cannot be verified: {error}")


def _objects(obj: object) -> Iterator[tuple[str, Json]]:
    """Every object with its JSON path, breadth first."""
    level: list[tuple[str, Any]] = [("", obj)]
    while level:
        below: list[tuple[str, Any]] = []
        for path, each in level:
            if type(each) is dict:
                yield path, each
                # Cut, since a name of megabytes would stand in the path of each that is below it.
                at = path[:_MESSAGE_MAX]
                below.extend((f"{at}.{k}" if at else k, v) for k, v in each.items())
            elif type(each) is list:
                below.extend((f"{path[:_MESSAGE_MAX]}[{n}]", v) for n, v in enumerate(each))
        level = below


def _finding(path: str, message: str) -> Finding:
    return Finding(path=_printable(path), message=_printable(message))


def _printable(text: str) -> str:
    """Half a surrogate pair in a message would break the answer that carries it."""
    text = text if len(text) <= _MESSAGE_MAX else text[: _MESSAGE_MAX - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode()


def _json_path(path: verification.Path) -> str:
    return _WORD.sub(lambda word: word[1].upper(), str(path)).removeprefix(".")
