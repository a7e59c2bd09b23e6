"""Descriptors of the registries: checked when they come in, made for what is served here."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lineshaft.core.errors import Invalid
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.api import kept
from lineshaft.twins.api.requests import Request, decode
from lineshaft.twins.api.services import Services
from lineshaft.twins.api.shells import target
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.identifier import encode_id

Word = Annotated[str, Meta(max_length=128)]
Long = Annotated[str, Meta(max_length=2048)]
_SHARED = ("id", "idShort", "administration", "description", "displayName", "extensions")
_SEMANTIC = ("semanticId", "supplementalSemanticIds")
_ASSET = ("assetKind", "assetType", "globalAssetId", "specificAssetIds")


class _Security(msgspec.Struct):
    type: str
    key: str
    value: str


class _Protocol(msgspec.Struct, rename="camel"):
    href: Long
    endpoint_protocol: Word | None = None
    endpoint_protocol_version: list[Word] | None = None
    subprotocol: Word | None = None
    subprotocol_body: Long | None = None
    subprotocol_body_encoding: Word | None = None
    security_attributes: Annotated[list[_Security], Meta(min_length=1)] | None = None


class _Endpoint(msgspec.Struct, rename="camel"):
    interface: Word
    protocol_information: _Protocol


_Endpoints = Annotated[list[_Endpoint], Meta(min_length=1)]


class _Submodel(msgspec.Struct, rename="camel"):
    id: Annotated[str, Meta(min_length=1, max_length=2048)]
    endpoints: _Endpoints


class _Shell(msgspec.Struct, rename="camel"):
    id: Annotated[str, Meta(min_length=1, max_length=2048)]
    endpoints: _Endpoints | None = None
    submodel_descriptors: list[_Submodel] | None = None


# ---- checking


def checked(class_: Class, obj: Any, id_: str | None = None) -> Json:  # noqa: ANN401 - JSON
    """The descriptor itself, when it is right and, if one is given, of this identifier.

    Raises:
        Invalid: it is not; the message says where.
    """
    shape = _Shell if class_ is Class.SHELL_DESCRIPTOR else _Submodel
    try:
        msgspec.convert(obj, shape)
    except msgspec.ValidationError as error:
        raise Invalid(f"the {kept.NAMES[class_]} is not right: {error}") from None
    found: Json = obj
    if class_ is Class.SHELL_DESCRIPTOR:
        _check_shell(found)
        names = [d["id"] for d in found.get("submodelDescriptors") or ()]
        if len(names) != len(set(names)):
            raise Invalid("two of the submodelDescriptors have the same id")
        for inner in found.get("submodelDescriptors") or ():
            _check_submodel(inner)
    else:
        _check_submodel(found)
    if id_ is not None and found["id"] != id_:
        raise Invalid(f"the body has the id {found['id']!r}, the address has {id_!r}")
    return found


def decoded(class_: Class, data: bytes, id_: str | None = None) -> Json:
    """A descriptor from its bytes, checked.

    Raises:
        Invalid: it is not right.
    """
    return checked(class_, decode(data), id_)


def _check_submodel(found: Json) -> None:
    """What it has in common with a submodel is checked as of one."""
    alike = {k: found[k] for k in (*_SHARED, *_SEMANTIC) if k in found}
    _check("Submodel", {"modelType": "Submodel", **alike})


def _check_shell(found: Json) -> None:
    asset = {"assetKind": "NotApplicable"} | {k: found[k] for k in _ASSET if k in found}
    if not asset.get("specificAssetIds"):
        asset.pop("specificAssetIds", None)
        # A shell must name its asset, a descriptor need not.
        asset.setdefault("globalAssetId", "none")
    alike = {k: found[k] for k in _SHARED if k in found} | {"assetInformation": asset}
    _check("AssetAdministrationShell", {"modelType": "AssetAdministrationShell", **alike})


def _check(model_type: str, alike: Json) -> None:
    findings = check(model_type, alike)
    if findings:
        raise Invalid(f"the descriptor is not right: {findings[0].path}: {findings[0].message}")


# ---- making


def of_submodel(to: Services, request: Request, document: Document) -> Json:
    """The descriptor of a submodel that is served here."""
    obj = decode(document.data)
    alike = {k: obj[k] for k in (*_SHARED, *_SEMANTIC) if k in obj}
    return alike | {"endpoints": [_endpoint(to, request, "SUBMODEL", "submodels", document.id)]}


async def of_shell(to: Services, request: Request, document: Document) -> Json:
    """The descriptor of a shell that is served here, with its submodels that are too."""
    obj = decode(document.data)
    asset = obj["assetInformation"]
    made = {k: obj[k] for k in _SHARED if k in obj} | {k: asset[k] for k in _ASSET if k in asset}
    made["endpoints"] = [_endpoint(to, request, "AAS", "shells", document.id)]
    inner: dict[str, Json] = {}
    for reference in obj.get("submodels", ()):
        id_ = target(reference)
        found = None if id_ is None else await to.documents.get(Class.SUBMODEL, id_)
        if found is not None and kept.may(to, request, kept.Right.READ, found):
            inner[found.id] = of_submodel(to, request, found)
    if inner:
        made["submodelDescriptors"] = [*inner.values()]
    return made


def _endpoint(to: Services, request: Request, interface: str, place: str, id_: str) -> Json:
    origin = to.url.rstrip("/") or request.origin
    return {
        "interface": f"{interface}-{'3.0' if request.old else '3.1'}",
        "protocolInformation": {
            "href": f"{origin}{request.base}/{place}/{encode_id(id_)}",
            "endpointProtocol": origin.partition(":")[0].upper(),
            "endpointProtocolVersion": ["1.1"],
        },
    }
