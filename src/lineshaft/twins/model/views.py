"""What the standard shows of an object besides the whole: metadata, core, paths, references."""

from typing import Any, Literal

from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.model.elements import CHILDREN, LIST, children, find, walk
from lineshaft.twins.model.paths import Steps, path_text

Level = Literal["core", "deep"]
"""How far down: direct children only, or everything."""

_ELEMENT = frozenset(
    (
        "modelType",
        "idShort",
        "category",
        "displayName",
        "description",
        "extensions",
        "semanticId",
        "supplementalSemanticIds",
        "qualifiers",
        "embeddedDataSpecifications",
    )
)
_IDENTIFIABLE = _ELEMENT | {"id", "administration"}

_METADATA = {
    "Submodel": _IDENTIFIABLE | {"kind"},
    "AssetAdministrationShell": _IDENTIFIABLE | {"derivedFrom"},
    "Property": _ELEMENT | {"valueType"},
    "Range": _ELEMENT | {"valueType"},
    "SubmodelElementList": _ELEMENT
    | {"orderRelevant", "semanticIdListElement", "typeValueListElement", "valueTypeListElement"},
    "BasicEventElement": _ELEMENT
    | {
        "direction",
        "state",
        "messageTopic",
        "messageBroker",
        "lastUpdate",
        "minInterval",
        "maxInterval",
    },
}
"""Attributes that describe, by type; the API schemas v3.1.2 have one `…Metadata` for each."""

_RELATION = frozenset(("first", "second"))

_REQUIRED = {
    "Blob": frozenset(("contentType",)),
    "File": frozenset(("contentType",)),
    "RelationshipElement": _RELATION,
    "AnnotatedRelationshipElement": _RELATION,
    "Entity": frozenset(("entityType", "globalAssetId", "specificAssetIds")),
    "BasicEventElement": frozenset(("observed",)),
    "AssetAdministrationShell": frozenset(("assetInformation",)),
}
"""Attributes that are no metadata, yet mandatory in version 3.0 of the metamodel."""

_WITHOUT = ("Capability", "Operation")
"""Types that have no value, so that there is nothing to tell apart from it."""


def metadata(obj: Json) -> Json:
    """The description of a shell, submodel or element, without what it holds.

    Raises:
        Invalid: a Capability or Operation has no such form by itself.
    """
    model_type = obj.get("modelType", "")
    if model_type in _WITHOUT:
        raise Invalid(
            f"{model_type} {obj.get('idShort', '')!r} has no metadata form",
            remedy="ask for the element itself, without $metadata",
        )
    return listed_metadata(obj)


def listed_metadata(obj: Json, *, required: bool = False) -> Json:
    """The description as it stands in a list of those of all elements, whatever their type.

    `required`: with the attributes that version 3.0 demands of the type, so that its readers take
    it for an element.
    """
    model_type = obj.get("modelType", "")
    wanted = _METADATA.get(model_type, _ELEMENT)
    if required:
        wanted |= _REQUIRED.get(model_type, frozenset())
    return {name: value for name, value in obj.items() if name in wanted}


def reference(obj: Json, submodel_id: str, steps: Steps = ()) -> Json:
    """A ModelReference to what `steps` lead to within `obj`, the Identifiable of that identifier.

    Raises:
        Missing: there is no such element.
    """
    keys = [{"type": obj.get("modelType", ""), "value": submodel_id}]
    place = obj
    for step in steps:
        place = find(place, (step,))
        keys.append({"type": place.get("modelType", ""), "value": str(step)})
    return {"type": "ModelReference", "keys": keys}


def path_list(obj: Json, steps: Steps, level: Level = "deep") -> list[str]:
    """Paths of a submodel's elements, or of the element at `steps` with those within it."""
    above = path_text(steps)
    paths = [above] if steps else []
    if level == "core":
        names = (
            (f"[{at}]" for at in range(len(children(obj))))
            if obj.get("modelType") == LIST
            else (f".{child['idShort']}" for child in children(obj) if "idShort" in child)
        )
    else:
        names = (name if name.startswith("[") else f".{name}" for name, _ in walk(obj))
    return paths + [f"{above}{name}".removeprefix(".") for name in names]


def core(obj: Json) -> Json:
    """The object with its direct children, those without children of theirs; a copy at the top."""
    key = CHILDREN.get(obj.get("modelType", ""))
    if key is None or key not in obj:
        return obj
    return {**obj, key: [_childless(child) for child in children(obj)]}


def without_blobs(obj: Json) -> Json:
    """The object without the content of Blobs; shares all that it need not copy."""
    if obj.get("modelType") == "Blob":
        return {name: value for name, value in obj.items() if name != "value"}
    elements = children(obj)
    bare = [without_blobs(element) for element in elements]
    if all(one is other for one, other in zip(bare, elements, strict=True)):
        return obj
    return {**obj, CHILDREN[obj["modelType"]]: bare}


def patched(obj: Json, patch: Json) -> Json:
    """A copy with the attributes that `patch` names; null takes one away.

    Elements are patched in turn, found by idShort or index; a patch creates none. What says which
    object it is (`id`, `idShort`, `modelType`) may be repeated, not changed.

    Raises:
        Invalid: another identity, or an element that does not exist; the message names its path.
    """
    return _patched(obj, patch, "")


def patched_metadata(obj: Json, patch: Json) -> Json:
    """A copy with the describing attributes that `patch` names; values and elements stay.

    Raises:
        Invalid: another identity, an attribute that is not metadata, or a type without that form.
    """
    bare = metadata(obj)
    known = _METADATA.get(obj.get("modelType", ""), _ELEMENT)
    if isinstance(patch, dict) and (more := patch.keys() - known):
        raise Invalid(
            f"attribute {min(more)!r} is not metadata of a {obj.get('modelType')}",
            remedy="send it in a PATCH without $metadata, or to $value",
        )
    _patched(bare, patch, "")
    return _patched(obj, patch, "")


def _patched(obj: Json, patch: Any, path: str) -> Json:  # noqa: ANN401 - JSON
    if not isinstance(patch, dict):
        raise Invalid(f"patch of {path or 'the object'!r} is no JSON object", remedy="send one")
    for name in ("id", "idShort", "modelType"):
        if name in patch and patch[name] != obj.get(name):
            raise Invalid(
                f"patch of {path or 'the object'!r} has the {name} {patch[name]!r:.80}, "
                f"which is {obj.get(name)!r:.80}",
                remedy="a PATCH keeps the identity; to change it, delete and create",
            )
    key = CHILDREN.get(obj.get("modelType", ""))
    result = {name: value for name, value in {**obj, **patch}.items() if value is not None}
    if key in patch and patch[key] is not None:
        result[key] = _patched_elements(obj, patch[key], path)
        if not result[key]:
            del result[key]
    return result


def _patched_elements(parent: Json, patches: Any, path: str) -> list[Json]:  # noqa: ANN401 - JSON
    if not isinstance(patches, list) or not all(isinstance(patch, dict) for patch in patches):
        raise Invalid(f"elements of {path or 'the submodel'!r} are no list of objects")
    elements = list(children(parent))
    listed = parent.get("modelType") == LIST
    places = {element.get("idShort"): at for at, element in enumerate(elements)}
    for index, patch in enumerate(patches):
        name = patch.get("idShort")
        where = f"{path}[{index}]" if listed else f"{path}.{name}".lstrip(".")
        at = index if listed else places.get(name if isinstance(name, str) else None)
        if at is None or at >= len(elements):
            raise Invalid(
                f"patch has the element {where!r:.200}, which does not exist",
                remedy="create it with POST or PUT; a PATCH only changes what is there",
            )
        elements[at] = _patched(elements[at], patch, where)
    return elements


def _childless(child: Json) -> Json:
    key = CHILDREN.get(child.get("modelType", ""))
    return {name: value for name, value in child.items() if name != key} if key else child
