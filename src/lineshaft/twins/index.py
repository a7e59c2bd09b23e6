"""Index rows: what of a document the records can search without reading it.

Row 0 is of the document itself. A submodel has a row for every element (one a language for
texts in several), a shell one for every asset identifier and every submodel that it refers to.
Elements inside entities, annotations and operations have none: the query language of
IDTA-01002 cannot go there.
"""

import math
from collections.abc import Iterator

from lineshaft.records import Cell, Collection, Column
from lineshaft.twins import Class, Json

Row = dict[str, Cell]

_DOCUMENT = {
    "id_short": Column.TEXT,
    "path": Column.TEXT,
    "origin": Column.TEXT,
}
"""Filled in row 0: short name, branch of the asset, who made it."""
_ASSET = {
    "asset_kind": Column.TEXT,
    "asset_type": Column.TEXT,
    "global_asset_id": Column.TEXT,
    "asset_name": Column.TEXT,
    "asset_value": Column.TEXT,
}
"""Kind, type and global id in row 0; name and value of each asset id in a row of its own.

The global id has such a row too, under the name `globalAssetId`, as discovery asks for it.
"""
_SEMANTIC = {"semantic_id": Column.TEXT}
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
            "at": Column.TEXT,
            "model_type": Column.TEXT,
            "value_type": Column.TEXT,
            "text": Column.TEXT,
            "number": Column.REAL,
            "language": Column.TEXT,
        },
        indexes=(
            ("id_short",),
            ("path",),
            ("semantic_id", "number"),
            ("at", "number"),
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
}
"""What is kept of each class, with its index columns."""

NUMERIC = frozenset(
    {
        *("xs:byte", "xs:short", "xs:int", "xs:long", "xs:integer"),
        *("xs:unsignedByte", "xs:unsignedShort", "xs:unsignedInt", "xs:unsignedLong"),
        *("xs:positiveInteger", "xs:nonNegativeInteger"),
        *("xs:negativeInteger", "xs:nonPositiveInteger"),
        *("xs:decimal", "xs:float", "xs:double"),
    }
)
"""Value types whose values are also kept as numbers."""


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
            references = (_last_key(r) for r in obj.get("submodels", []))
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


def elements(submodel: Json) -> Iterator[tuple[str, Json]]:
    """Every element that a query can reach with its idShortPath, parents first.

    Goes down collections and lists only; without recursion, since depth comes from outside.
    """
    todo: list[tuple[str, Json]] = [
        (_text(e.get("idShort")) or "", e) for e in reversed(submodel.get("submodelElements", []))
    ]
    while todo:
        at, element = todo.pop()
        yield at, element
        match element.get("modelType"):
            case "SubmodelElementCollection":
                inner = element.get("value", [])
                todo += [(f"{at}.{e.get('idShort', '')}", e) for e in reversed(inner)]
            case "SubmodelElementList":
                inner = list(enumerate(element.get("value", [])))
                todo += [(f"{at}[{n}]", e) for n, e in reversed(inner)]
            case _:
                pass


def keys(reference: Json) -> list[str]:
    """The values of a reference's keys, in order."""
    return [v for k in reference.get("keys", []) if isinstance(v := k.get("value"), str)]


def values(element: Json) -> list[Row]:
    """What an element says, one row for each value: text, number, language."""
    value = element.get("value")
    match element.get("modelType"):
        case "Property":
            return [{"text": _text(value), "number": number(element.get("valueType"), value)}]
        case "MultiLanguageProperty":
            texts = value if isinstance(value, list) else []
            return [{"text": _text(t.get("text")), "language": t.get("language")} for t in texts]
        case "File":
            return [{"text": _text(value)}]
        case _:
            return []


def number(value_type: str | None, value: object) -> float | None:
    """A value of a numeric type as a 64-bit float; None when it is no number.

    Beyond 2^53 whole numbers are rounded, in the index as in every comparison.
    """
    if value_type not in NUMERIC or not isinstance(value, str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(found) else found


def _element_rows(submodel: Json) -> Iterator[Row]:
    for at, element in elements(submodel):
        semantic, *further = _semantics(element)
        place: Row = {
            "at": at,
            "id_short": _text(element.get("idShort")),
            "model_type": element.get("modelType"),
            "value_type": element.get("valueType"),
        }
        for said in values(element) or [{}]:
            yield place | semantic | said
        for row in further:
            yield {"at": at, **row}


def _semantics(obj: Json) -> list[Row]:
    """The first key, then a row with `also` for every other."""
    own = keys(obj.get("semanticId", {}))
    more = [k for r in obj.get("supplementalSemanticIds", []) for k in keys(r)]
    found: list[Row] = [{"semantic_id": own[0] if own else None}]
    return found + [{"semantic_id": key, "also": True} for key in (*own[1:], *more)]


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


def _refers(ids: Iterator[str | None]) -> Iterator[Row]:
    return ({"refers": id_} for id_ in ids)


def _last_key(reference: Json) -> str | None:
    found = keys(reference)
    return found[-1] if found else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
