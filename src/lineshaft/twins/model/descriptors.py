"""What registries and discovery keep: descriptors, asset links (IDTA-01002 v3.1, payload)."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from lineshaft.twins import Finding, Json
from lineshaft.twins.model import metamodel

_Short = Annotated[str, msgspec.Meta(max_length=128)]
_Long = Annotated[str, msgspec.Meta(max_length=2048)]


class _Security(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    type: Annotated[str, msgspec.Meta(pattern="^(NONE|RFC_TLSA|W3C_DID)$")]
    value: str


class _Protocol(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    href: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]
    endpoint_protocol: _Short | msgspec.UnsetType = msgspec.UNSET
    endpoint_protocol_version: list[_Short] | msgspec.UnsetType = msgspec.UNSET
    subprotocol: _Short | msgspec.UnsetType = msgspec.UNSET
    subprotocol_body: _Long | msgspec.UnsetType = msgspec.UNSET
    subprotocol_body_encoding: _Short | msgspec.UnsetType = msgspec.UNSET
    security_attributes: (
        Annotated[list[_Security], msgspec.Meta(min_length=1)] | msgspec.UnsetType
    ) = msgspec.UNSET


class _Endpoint(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    interface: _Short
    protocol_information: _Protocol


class _Submodel(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    id: str
    endpoints: Annotated[list[_Endpoint], msgspec.Meta(min_length=1)]
    id_short: Any = None
    administration: Any = None
    description: Any = None
    display_name: Any = None
    extensions: Any = None
    semantic_id: Any = None
    supplemental_semantic_ids: Any = None


class _Shell(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    id: str
    endpoints: Annotated[list[_Endpoint], msgspec.Meta(min_length=1)] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    submodel_descriptors: list[_Submodel] | msgspec.UnsetType = msgspec.UNSET
    id_short: Any = None
    administration: Any = None
    description: Any = None
    display_name: Any = None
    extensions: Any = None
    asset_kind: Any = None
    asset_type: Any = None
    global_asset_id: Any = None
    specific_asset_ids: Any = None


class _Link(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    value: str


TYPES: dict[str, type[msgspec.Struct]] = {
    "AssetAdministrationShellDescriptor": _Shell,
    "SubmodelDescriptor": _Submodel,
    "AssetLink": _Link,
}
"""What is checked here, by name of its schema in the API."""

_ASSET = ("assetKind", "assetType", "globalAssetId", "specificAssetIds")
_OWN = ("endpoints", "submodelDescriptors", *_ASSET)
_WHERE = re.compile(r" - at `(?:key in )?\$\.?(.*?)`$")


def findings(type_: str, obj: Any) -> Iterator[Finding]:  # noqa: ANN401 - any JSON
    """What is wrong, first with the shape, then with the parts that the metamodel has."""
    wrong = False
    for finding in metamodel.shape(obj):
        wrong = True
        yield finding
    if wrong:
        return
    try:
        msgspec.convert(obj, TYPES[type_])
    except msgspec.ValidationError as error:
        where = _WHERE.search(str(error))
        yield Finding(path=where[1] if where else "", message=_WHERE.sub("", str(error)))
        return
    yield from _of_metamodel(type_, obj)
    for at, inner in enumerate(obj.get("submodelDescriptors", [])):
        for finding in _of_metamodel("SubmodelDescriptor", inner):
            path = f"submodelDescriptors[{at}].{finding.path}".rstrip(".")
            yield Finding(path=path, message=finding.message)


def _of_metamodel(type_: str, obj: Json) -> Iterator[Finding]:
    """The findings of an object of the metamodel that has the same attributes."""
    alike = {name: value for name, value in obj.items() if name not in _OWN and value != []}
    match type_:
        case "AssetLink":
            found = metamodel.findings("SpecificAssetId", alike)
        case "SubmodelDescriptor":
            found = metamodel.findings("Submodel", {"modelType": "Submodel"} | alike)
        case _:
            asset = {name: obj[name] for name in _ASSET if obj.get(name, []) != []}
            # A shell says of which asset it is; its descriptor may leave that out.
            asset = {"assetKind": "Instance", "globalAssetId": "urn:any"} | asset
            stand_in = {"modelType": "AssetAdministrationShell", "assetInformation": asset} | alike
            found = metamodel.findings("AssetAdministrationShell", stand_in)
    for finding in found:
        path = finding.path.removeprefix("assetInformation").removeprefix(".")
        yield Finding(path=path, message=finding.message)
