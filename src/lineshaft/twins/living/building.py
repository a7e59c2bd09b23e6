"""Elements of the metamodel as JSON: short words for what every template repeats."""

from collections.abc import Iterable, Mapping

from lineshaft.twins import Json

CARDINALITY = "https://admin-shell.io/SubmodelTemplates/Cardinality/1/0"


def reference(value: str) -> Json:
    """A reference to something outside: a semantic identifier."""
    return {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": value}]}


def to_shell(id_: str) -> Json:
    """A reference to a shell."""
    keys = [{"type": "AssetAdministrationShell", "value": id_}]
    return {"type": "ModelReference", "keys": keys}


def to_submodel(id_: str) -> Json:
    """A reference to a submodel."""
    return {"type": "ModelReference", "keys": [{"type": "Submodel", "value": id_}]}


def to_element(id_: str, *keys: tuple[str, str]) -> Json:
    """A reference to an element of a submodel, by type and name of each step."""
    steps = [{"type": kind, "value": value} for kind, value in keys]
    return {"type": "ModelReference", "keys": [{"type": "Submodel", "value": id_}, *steps]}


def _element(model_type: str, id_short: str, semantic: str, fields: Mapping[str, object]) -> Json:
    found: Json = {"modelType": model_type}
    if id_short:
        found["idShort"] = id_short
    if semantic:
        found["semanticId"] = reference(semantic)
    return found | {k: v for k, v in fields.items() if v not in (None, [], "")}


def prop(
    id_short: str, value: str | None, semantic: str = "", type_: str = "xs:string", **more: object
) -> Json:
    """A Property; its value as text of its type."""
    return _element("Property", id_short, semantic, {"valueType": type_, "value": value} | more)


def texts(id_short: str, text: str, semantic: str = "", *, language: str = "en") -> Json:
    """A MultiLanguageProperty in one language."""
    value = [{"language": language, "text": text}]
    return _element("MultiLanguageProperty", id_short, semantic, {"value": value})


def collection(id_short: str, elements: Iterable[Json], semantic: str = "", **more: object) -> Json:
    """A SubmodelElementCollection."""
    fields = {"value": list(elements)} | more
    return _element("SubmodelElementCollection", id_short, semantic, fields)


def listed(
    id_short: str, elements: Iterable[Json], semantic: str, *, of: str, type_: str = ""
) -> Json:
    """A SubmodelElementList of elements of one type."""
    fields = {
        "typeValueListElement": of,
        "valueTypeListElement": type_,
        "orderRelevant": True,
        "value": list(elements),
    }
    return _element("SubmodelElementList", id_short, semantic, fields)


def entity(
    id_short: str, statements: Iterable[Json], semantic: str, *, asset: str, own: bool = True
) -> Json:
    """An Entity; `own`: it is managed by itself and has the identifier `asset`."""
    fields = {
        "entityType": "SelfManagedEntity" if own else "CoManagedEntity",
        "globalAssetId": asset if own else None,
        "statements": list(statements),
    }
    return _element("Entity", id_short, semantic, fields)


def relation(id_short: str, semantic: str, first: Json, second: Json) -> Json:
    """A RelationshipElement."""
    return _element("RelationshipElement", id_short, semantic, {"first": first, "second": second})


def operation(
    id_short: str, semantic: str, inputs: Iterable[Json], outputs: Iterable[Json], **more: object
) -> Json:
    """An Operation with its variables."""
    fields = {
        "inputVariables": [{"value": v} for v in inputs],
        "outputVariables": [{"value": v} for v in outputs],
    } | more
    return _element("Operation", id_short, semantic, fields)


def submodel(
    id_: str,
    id_short: str,
    semantic: str,
    elements: Iterable[Json],
    *,
    version: tuple[str, str] = ("", ""),
) -> Json:
    """A Submodel that is an instance; `version` is version and revision of its template."""
    found: Json = {
        "modelType": "Submodel",
        "id": id_,
        "idShort": id_short,
        "kind": "Instance",
        "submodelElements": list(elements),
    }
    if semantic:
        found["semanticId"] = reference(semantic)
    if version[0]:
        found["administration"] = {"version": version[0], "revision": version[1]}
    return found


def described(text: str) -> list[Json]:
    """A description in English; none for no text."""
    return [{"language": "en", "text": text[:1023]}] if text else []


def measured(unit: str, name: str) -> list[Json]:
    """The data specification IEC 61360 that tells the unit of a value; none for no unit."""
    if not unit:
        return []
    content = {
        "modelType": "DataSpecificationIec61360",
        "preferredName": [{"language": "en", "text": name[:255]}],
        "unit": unit,
    }
    schema = "https://admin-shell.io/DataSpecificationTemplates/DataSpecificationIec61360/3"
    return [{"dataSpecification": reference(schema), "dataSpecificationContent": content}]
