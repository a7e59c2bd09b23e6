"""JSON documents become environments: whole ones, single Identifiables, lists of them."""

from typing import Any

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.exchange import KINDS, PART_BYTES_MAX, Notes
from lineshaft.twins.exchange.mending import mended

_REMEDY = "Send an environment, a shell, a submodel or a concept description, as UTF-8 JSON."
_KEYS = {kind: key for key, kind in KINDS.items()}


def read_json(data: bytes, name: str, notes: Notes) -> Json:
    """The environment that the document holds, mended.

    Raises:
        Invalid: it is no JSON, nothing of the metamodel, or beyond the bounds.
    """
    found = _decoded(data, name, notes)
    environment: Json = {key: [] for key in KINDS}
    for key, path, item in _identifiables(found, name, notes):
        kind = KINDS[key]
        if not isinstance(item, dict):
            notes.error(path, f"is {type(item).__name__}, wanted an object: left out")
            continue
        document = mended(item, kind, path, notes)
        if document is not None:
            environment[key].append(document)
    return environment


def write_json(environment: Json) -> bytes:
    """The environment as JSON, its lists in the standard's order, empty ones left out."""
    return msgspec.json.encode({key: environment[key] for key in KINDS if environment.get(key)})


def _decoded(data: bytes, name: str, notes: Notes) -> Any:  # noqa: ANN401 - any JSON
    if len(data) > PART_BYTES_MAX:
        raise Invalid(
            f"{name} has {len(data)} bytes, wanted at most {PART_BYTES_MAX}",
            remedy="Cut it into several files.",
        )
    try:
        if data[:3] == b"\xef\xbb\xbf":
            data = data[3:]
        elif data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            notes.warn(name, "is written in UTF-16: read as such")
            data = data.decode("utf-16").encode()
        return msgspec.json.decode(data)
    except RecursionError:
        raise Invalid(f"{name} is nested too deep to be read", remedy=_REMEDY) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Invalid(f"{name} is not JSON: {error}", remedy=_REMEDY) from error


def _identifiables(found: Any, name: str, notes: Notes) -> list[tuple[str, str, Any]]:  # noqa: ANN401
    """Key in an environment, path and raw document of each."""
    if isinstance(found, list):
        return [_single(item, f"[{n}]") for n, item in enumerate(found)]
    if not isinstance(found, dict):
        raise Invalid(f"{name} holds {type(found).__name__}, wanted an object", remedy=_REMEDY)
    if "modelType" in found:
        return [_single(found, "$")]
    if not any(key in found for key in KINDS):
        raise Invalid(
            f"{name} has none of {', '.join(KINDS)}, but {', '.join(found)[:200] or 'nothing'}",
            remedy=_REMEDY,
        )
    entries: list[tuple[str, str, Any]] = []
    for key, items in found.items():
        if key not in KINDS:
            notes.error(key[:200], "is not a part of an environment: left out")
        elif isinstance(items, list):
            entries += ((key, f"{key}[{n}]", item) for n, item in enumerate(items))
        elif items is not None:
            notes.error(key, f"is {type(items).__name__}, wanted a list: left out")
    return entries


def _single(item: Any, path: str) -> tuple[str, str, Any]:  # noqa: ANN401
    kind = item.get("modelType") if isinstance(item, dict) else None
    if isinstance(kind, dict):
        kind = kind.get("name")
    if not isinstance(kind, str) or kind not in _KEYS:
        raise Invalid(
            f"{path} has modelType {str(kind)[:100]!r}, wanted one of {', '.join(_KEYS)}",
            remedy=_REMEDY,
        )
    return _KEYS[kind], path, item
