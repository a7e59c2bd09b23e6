"""Documents that break the metamodel's structure are made readable, each mend told."""

import base64
import re
from collections.abc import Callable
from typing import Any

from aas_core3_1 import jsonization, xmlization
from aas_core3_1 import types as aas

from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.exchange import MENDS_MAX, NODES_MAX, PATH_CHARS_MAX, Notes
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.metamodel import DEPTH_MAX

UNREADABLE = (
    jsonization.DeserializationException,
    xmlization.DeserializationException,
    ValueError,
    TypeError,
)
"""What aas-core raises on a document that has not the structure of the metamodel."""

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML 1.0 cannot carry, and the metamodel (AASd-130) forbids."""
_READ: dict[str, Callable[[Json], aas.Class]] = {
    "AssetAdministrationShell": jsonization.asset_administration_shell_from_jsonable,
    "Submodel": jsonization.submodel_from_jsonable,
    "ConceptDescription": jsonization.concept_description_from_jsonable,
}


def mended(document: Json, kind: str, path: str, notes: Notes) -> Json | None:
    """The document without what of it cannot be read; None when nothing is left.

    `document` is changed in place. Rules of the metamodel that it breaks are told as warnings.

    Raises:
        Invalid: it is beyond the bounds.
    """
    nodes = _cleaned(document, path, notes)
    if document.get("modelType") is None:
        notes.warn(path, f"has no modelType: taken for a {kind}")
        document["modelType"] = kind
    if document["modelType"] != kind:
        notes.error(path, f"is a {str(document['modelType'])[:100]!r}, wanted a {kind}: left out")
        return None
    instance = settled(
        lambda: _READ[kind](document),
        lambda error: _take_out(document, error),
        path,
        notes,
        nodes=nodes,
    )
    if instance is None:
        return None
    told_rules(kind, document, path, notes)
    return document


def settled(
    read: Callable[[], aas.Class],
    take_out: Callable[[Any], str],
    path: str,
    notes: Notes,
    *,
    nodes: int,
) -> aas.Class | None:
    """What `read` returns, after `take_out` took away what it could not read, one by one.

    `take_out` is given the error and returns where that was; empty when nothing can be kept.
    `nodes` is how many values there are to read.
    """
    for _ in range(MENDS_MAX):
        try:
            return read()
        except RecursionError:
            notes.error(path, "is nested too deep to be read: left out")
            return None
        except UNREADABLE as error:
            cause = str(getattr(error, "cause", error))[:300]
            where = take_out(error)
            notes.error(f"{path}{where}", f"{cause}: left out")
            if not where:
                return None
            if not notes.may_reread(nodes):
                break
    notes.error(path, "has too many parts that cannot be read: left out")
    return None


def told_rules(kind: str, document: Json, path: str, notes: Notes) -> None:
    """Tell what of the document the API would refuse."""
    for finding in check(kind, document):
        where = f"{path}.{finding.path}" if finding.path else path
        notes.warn(where, finding.message)


def _take_out(document: Json, error: Any) -> str:  # noqa: ANN401 - see UNREADABLE
    """Remove from the document what the error names; returns where it was."""
    steps = [_step(segment) for segment in error.path.segments] if hasattr(error, "path") else []
    where = f".{error.path}" if steps else ""
    cause = str(getattr(error, "cause", ""))
    unknown = cause.removeprefix("Unexpected property: ")
    if unknown != cause:
        steps.append(unknown)
        where += f".{unknown}"
    if not steps:
        return ""
    owners: list[Any] = [document]
    for step in steps[:-1]:
        owners.append(owners[-1][step])
    del owners[-1][steps[-1]]
    if owners[-1] == []:  # a list of which nothing is left must go, too
        del owners[-2][steps[-2]]
    return where


def _step(segment: Any) -> Any:  # noqa: ANN401 - the name of a property or an index
    return segment.name if isinstance(segment, jsonization.PropertySegment) else segment.index


# ---- what says nothing


def _cleaned(document: Json, path: str, notes: Notes) -> int:
    """Take out nulls, empty lists and characters that no text may hold; returns how many values.

    Raises:
        Invalid: it is nested deeper, or is larger, than the bounds allow.
    """
    todo: list[tuple[Any, str, int]] = [(document, path, 1)]
    count = 0
    while todo:
        value, at, depth = todo.pop()
        count += len(value)
        if depth > DEPTH_MAX or count > NODES_MAX:
            raise Invalid(
                f"{at[:200]} is nested deeper than {DEPTH_MAX} levels, or its document has more "
                f"than {NODES_MAX} values",
                remedy="Cut the document into several.",
            )
        if isinstance(value, dict):
            _put_right(value, at, notes)
            pairs: list[tuple[Any, Any]] = list(value.items())
        else:
            pairs = list(enumerate(value))[::-1]  # from the last, so that items can go meanwhile
        for key, item in pairs:
            if isinstance(item, str) and not _ILLEGAL.search(item):
                continue
            # Cut, since a name of megabytes would stand in the path of each that is below it.
            where = f"{at}[{key}]" if isinstance(key, int) else f"{at}.{key}"[:PATH_CHARS_MAX]
            if isinstance(item, str):
                notes.warn(where, "held characters that no text may hold: replaced by U+FFFD")
                value[key] = _ILLEGAL.sub("\ufffd", item)
            elif item is None or item == []:
                notes.warn(where, f"is {'null' if item is None else 'an empty list'}: taken out")
                del value[key]
            elif isinstance(item, dict | list):
                todo.append((item, where, depth + 1))
    return count


def _put_right(value: Json, at: str, notes: Notes) -> None:
    """An object's own oddities: a model type in the form of 2.0, bytes that are not base64."""
    kind = value.get("modelType")
    if isinstance(kind, dict):
        notes.warn(f"{at}.modelType", "is an object as in metamodel 2.0: its name taken")
        value["modelType"] = kind.get("name")
    if kind == "Blob" and isinstance(value.get("value"), str):
        proper = proper_base64(value["value"])
        if proper is None:
            notes.error(f"{at}.value", "is not base64: left out")
            del value["value"]
        elif proper != value["value"]:
            notes.warn(f"{at}.value", "is base64 with characters that do not count: written anew")
            value["value"] = proper


def proper_base64(text: str) -> str | None:
    """The text as it would be written anew, so without line breaks; None when it is not base64."""
    try:
        return base64.b64encode(base64.b64decode("".join(text.split()), validate=True)).decode()
    except ValueError:
        return None
