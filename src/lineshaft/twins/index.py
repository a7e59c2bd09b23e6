"""Index rows: what of a document the records can search without reading it.

Row 0 is of the document itself. A submodel has a row for every element (one a language for
texts in several), a shell one for every asset identifier and every submodel that it refers to.
Elements inside entities, annotations and operations have none: the query language of
IDTA-01002 cannot go there.
"""

import re
from collections.abc import Iterable, Iterator

from lineshaft.records import Cell, Collection, Column
from lineshaft.twins import Class, Json

Row = dict[str, Cell]
Steps = tuple[str | int, ...]
"""An idShortPath taken apart: names, and places in lists counted from 0."""

_DOCUMENT = {
    "id_short": Column.WORD,
    "path": Column.TEXT,
    "origin": Column.TEXT,
}
"""Filled in row 0: short name, branch of the asset, who made it."""
_ASSET = {
    "asset_kind": Column.WORD,
    "asset_type": Column.WORD,
    "global_asset_id": Column.TEXT,
    "asset_name": Column.WORD,
    "asset_value": Column.TEXT,
}
"""Kind, type and global id in row 0; name and value of each asset id in a row of its own.

The global id has such a row too, under the name `globalAssetId`, as discovery asks for it.
"""
_SEMANTIC = {"semantic_id": Column.WORD}
"""First key of the semantic id; every further key, also of supplemental ones, has a row with
`also` set and nothing else but the place."""

COLLECTIONS: dict[Class, Collection] = {
    Class.SHELL: Collection(
        name=Class.SHELL.value,
        columns=_DOCUMENT | _ASSET | {"refers": Column.TEXT},
        indexes=(
            ("id_short",),
            ("path",),
            ("global_asset_id",),
            ("asset_name", "asset_value"),
            ("asset_value",),
            ("refers",),
        ),
    ),
    Class.SUBMODEL: Collection(
        name=Class.SUBMODEL.value,
        columns=_DOCUMENT
        | _SEMANTIC
        | {
            "also": Column.BOOLEAN,
            "template": Column.BOOLEAN,
            "at": Column.WORD,
            "model_type": Column.WORD,
            "value_type": Column.WORD,
            "text": Column.TEXT,
            "number": Column.REAL,
            "language": Column.WORD,
        },
        indexes=(
            ("id_short",),
            ("path",),
            ("semantic_id", "number"),
            ("at", "number"),
            ("number",),
            ("text",),
        ),
    ),
    Class.CONCEPT: Collection(
        name=Class.CONCEPT.value,
        columns=_DOCUMENT | {"is_case_of": Column.TEXT, "data_specification": Column.TEXT},
    ),
    Class.SHELL_DESCRIPTOR: Collection(
        name=Class.SHELL_DESCRIPTOR.value,
        columns=_DOCUMENT | _ASSET | {"refers": Column.TEXT},
        indexes=(
            ("id_short",),
            ("path",),
            ("global_asset_id",),
            ("asset_name", "asset_value"),
            ("asset_value",),
            ("refers",),
        ),
    ),
    Class.SUBMODEL_DESCRIPTOR: Collection(
        name=Class.SUBMODEL_DESCRIPTOR.value,
        columns=_DOCUMENT | _SEMANTIC | {"also": Column.BOOLEAN},
        indexes=(("id_short",), ("path",), ("semantic_id",)),
    ),
    Class.LINKS: Collection(
        name=Class.LINKS.value,
        columns=_DOCUMENT | _ASSET | {"refers": Column.TEXT},
        indexes=(("path",), ("asset_name", "asset_value"), ("asset_value",)),
    ),
    Class.PACKAGE: Collection(
        name=Class.PACKAGE.value,
        columns=_DOCUMENT | _ASSET | {"refers": Column.TEXT},
        indexes=(("path",), ("refers",)),
    ),
}
"""What is kept of each class, with its index columns."""

_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|INF)")
"""What xs:double and xs:decimal can be written as, but for NaN, which compares with nothing."""


def rows(class_: Class, obj: Json, *, path: str = "", origin: str = "") -> tuple[Row, ...]:
    """The index rows of a document; row 0 is of the document itself."""
    first: Row = {
        "id_short": _text(obj.get("idShort")),
        "path": path,
        "origin": origin or None,
    }
    match class_:
        case Class.SHELL:
            asset = obj.get("assetInformation", {})
            references = (key for r in obj.get("submodels", []) for key in keys(r))
            return (first | _of_asset(asset), *_asset_ids(asset), *_refers(references))
        case Class.SHELL_DESCRIPTOR:
            ids = (_text(d.get("id")) for d in obj.get("submodelDescriptors", []))
            return (first | _of_asset(obj), *_asset_ids(obj), *_refers(ids))
        case Class.SUBMODEL:
            first["template"] = obj.get("kind") == "Template"
            semantic, *further = _semantics(obj)
            return (first | semantic, *further, *_element_rows(obj))
        case Class.SUBMODEL_DESCRIPTOR:
            semantic, *further = _semantics(obj)
            return (first | semantic, *further)
        case Class.LINKS | Class.PACKAGE:
            return (first, *_asset_ids(obj), *_refers(iter(obj.get("aasIds", []))))
        case Class.CONCEPT:
            cases: Iterator[Row] = (
                {"is_case_of": key} for r in obj.get("isCaseOf", []) for key in keys(r)
            )
            specifications: Iterator[Row] = (
                {"data_specification": key}
                for embedded in obj.get("embeddedDataSpecifications", [])
                for key in keys(embedded.get("dataSpecification", {}))
            )
            return (first, *cases, *specifications)


def elements(submodel: Json) -> Iterator[tuple[Steps, Json]]:
    """Every element that a query can reach with the steps of its idShortPath, parents first.

    Goes down collections and lists only; without recursion, since depth comes from outside.
    """
    todo: list[tuple[Steps, Json]] = [
        ((_text(e.get("idShort")) or "",), e)
        for e in reversed(submodel.get("submodelElements", []))
    ]
    while todo:
        steps, element = todo.pop()
        yield steps, element
        match element.get("modelType"):
            case "SubmodelElementCollection":
                inner = element.get("value", [])
                todo += [((*steps, _text(e.get("idShort")) or ""), e) for e in reversed(inner)]
            case "SubmodelElementList":
                inner = list(enumerate(element.get("value", [])))
                todo += [((*steps, n), e) for n, e in reversed(inner)]
            case _:
                pass


def place_text(steps: Steps) -> str:
    """The idShortPath of these steps as the column `at` keeps it, with a dot before every name.

    So the end of a path, from a name on, is the end of the text.
    """
    if len(steps) == 1:
        return f"[{steps[0]}]" if isinstance(steps[0], int) else f".{steps[0]}"
    return "".join([f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps])


def keys(reference: Json) -> list[str]:
    """The values of a reference's keys, in order."""
    return [v for k in reference.get("keys", ()) if isinstance(v := k.get("value"), str)]


def values(element: Json) -> list[Row]:
    """What an element says, one row for each value: text, number, language."""
    value = element.get("value")
    match element.get("modelType"):
        case "Property":
            return [_said(value)]
        case "MultiLanguageProperty":
            texts = value if isinstance(value, list) else []
            return [_said(t.get("text")) | {"language": _text(t.get("language"))} for t in texts]
        case "File":
            return [_said(value)]
        case _:
            return []


def number(text: str) -> float | None:
    """The number that a text is, as a 64-bit float; None when it is none.

    Beyond 2^53 whole numbers are rounded, in the index as in every comparison.
    """
    return float(text) if _NUMBER.fullmatch(text) else None


def _said(value: object) -> Row:
    text = _text(value)
    return {"text": text, "number": None if text is None else number(text)}


def _element_rows(submodel: Json) -> Iterator[Row]:
    for steps, element in elements(submodel):
        at = place_text(steps)
        own, further = _meanings(element)
        place: Row = {
            "at": at,
            "id_short": _text(element.get("idShort")),
            "model_type": _text(element.get("modelType")),
            "value_type": _text(element.get("valueType")),
            "semantic_id": own,
        }
        if element.get("modelType") == "Property":  # most are
            place.update(_said(element.get("value")))
            yield place
        else:
            yield from (place | said for said in values(element) or [{}])
        for key in further:
            yield {"at": at, "semantic_id": key, "also": True}


def _semantics(obj: Json) -> list[Row]:
    """The first key, then a row with `also` for every other."""
    own, further = _meanings(obj)
    rows: list[Row] = [{"semantic_id": own}]
    return rows + [{"semantic_id": key, "also": True} for key in further]


def _meanings(obj: Json) -> tuple[str | None, list[str]]:
    """The first key of the semantic id, and all others, also of supplemental ones."""
    own = keys(obj["semanticId"]) if "semanticId" in obj else []
    further = own[1:]
    if "supplementalSemanticIds" in obj:
        further += [k for r in obj["supplementalSemanticIds"] for k in keys(r)]
    return (own[0] if own else None), further


def _of_asset(asset: Json) -> Row:
    return {
        "asset_kind": _text(asset.get("assetKind")),
        "asset_type": _text(asset.get("assetType")),
        "global_asset_id": _text(asset.get("globalAssetId")),
    }


def _asset_ids(asset: Json) -> Iterator[Row]:
    if (whole := _text(asset.get("globalAssetId"))) is not None:
        yield {"asset_name": "globalAssetId", "asset_value": whole}
    for one in asset.get("specificAssetIds", []):
        yield {"asset_name": _text(one.get("name")), "asset_value": _text(one.get("value"))}


def _refers(ids: Iterable[str | None]) -> Iterator[Row]:
    return ({"refers": id_} for id_ in ids if id_ is not None)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
