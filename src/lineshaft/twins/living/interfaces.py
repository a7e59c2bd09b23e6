"""Asset Interfaces Description 1.1 (IDTA 02017-1-1): how a machine is reached, by whoever may."""

from collections.abc import Callable

from lineshaft.core.point import Kind, Point
from lineshaft.core.units import to_unece
from lineshaft.twins import Json
from lineshaft.twins.living import Link
from lineshaft.twins.living.assets import Asset
from lineshaft.twins.living.building import (
    collection,
    listed,
    prop,
    reference,
    submodel,
    to_element,
)
from lineshaft.twins.living.names import Scheme, id_short, id_shorts

SEMANTIC = "https://admin-shell.io/idta/AssetInterfacesDescription/1/1/Submodel"
ID_SHORT = "AssetInterfacesDescription"
_AT = "https://admin-shell.io/idta/AssetInterfacesDescription/1/0"
_TD = "https://www.w3.org/2019/wot/td#"
_BINDINGS = {
    "OPC UA": "http://opcfoundation.org/UA/WoT-Binding/",
    "Modbus TCP": "http://www.w3.org/2011/modbus",
    "MQTT": "http://www.w3.org/2011/mqtt",
    "HTTP": "http://www.w3.org/2011/http",
}
_TYPES = {
    Kind.NUMBER: "number",
    Kind.INTEGER: "integer",
    Kind.BOOLEAN: "boolean",
    Kind.ENUM: "integer",
    Kind.TEXT: "string",
    Kind.JSON: "object",
}


def interfaces(asset: Asset, scheme: Scheme, link: Callable[[str], Link | None]) -> Json | None:
    """One interface for each connection that reads the asset; None when none does."""
    id_ = scheme.submodel(asset.path, ID_SHORT)
    found = [(s, made) for s in asset.sources if (made := link(s))]
    if not found:
        return None
    elements = []
    for source, made in found:
        points = [p for p in asset.points if p.source == source]
        elements.append(_interface(id_, made, points))
    return submodel(id_, ID_SHORT, SEMANTIC, elements, version=("1", "1"))


def _interface(submodel_id: str, link: Link, points: list[Point]) -> Json:
    short = id_short(f"Interface_{link.name}")
    definition = to_element(
        submodel_id,
        ("SubmodelElementCollection", short),
        ("SubmodelElementCollection", "EndpointMetadata"),
        ("SubmodelElementCollection", "securityDefinitions"),
        ("SubmodelElementCollection", "nosec_sc"),
    )
    security = f"{_TD}hasSecurityConfiguration"
    chosen = {
        "modelType": "ReferenceElement",
        "semanticId": reference(security),
        "value": definition,
    }
    secured = listed("security", [chosen], security, of="ReferenceElement")
    scheme = prop("scheme", "nosec", "https://www.w3.org/2019/wot/security#SecurityScheme")
    nosec = collection(
        "nosec_sc", [scheme], "https://www.w3.org/2019/wot/security#NoSecurityScheme"
    )
    endpoint = [
        prop("base", link.address, f"{_TD}baseURI", "xs:anyURI"),
        prop(
            "contentType",
            "application/octet-stream",
            "https://www.w3.org/2019/wot/hypermedia#forContentType",
        ),
        secured,
        collection("securityDefinitions", [nosec], f"{_TD}definesSecurityScheme"),
    ]
    names = [p.path.rpartition("/")[2] for p in points]
    shorts = id_shorts(names)
    properties = [_property(p, shorts[n], secured) for p, n in zip(points, names, strict=True)]
    made = collection(
        short,
        [
            prop("title", link.name, f"{_TD}title"),
            collection("EndpointMetadata", endpoint, f"{_AT}/EndpointMetadata"),
            collection(
                "InteractionMetadata",
                [collection("properties", properties, f"{_TD}PropertyAffordance")],
                f"{_AT}/InteractionMetadata",
            ),
        ],
        f"{_AT}/Interface",
    )
    binding = _BINDINGS.get(link.protocol)
    wot = "https://www.w3.org/2019/wot/td"
    kinds = [k for k in (binding, wot) if k]
    made["supplementalSemanticIds"] = [
        {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": k}]}
        for k in kinds
    ]
    return made


def _property(point: Point, short: str, secured: Json) -> Json:
    elements = [
        prop("key", point.path.rpartition("/")[2], f"{_AT}/key"),
        prop("type", _TYPES[point.kind], "https://www.w3.org/1999/02/22-rdf-syntax-ns#type"),
        prop("observable", "true", f"{_TD}isObservable", "xs:boolean"),
    ]
    if point.unit:
        unit = to_unece(point.unit) or point.unit
        elements.append(prop("unit", unit, "https://schema.org/unitCode"))
    ends = {"min": point.low, "max": point.high}
    if point.low is not None or point.high is not None:
        extremes: Json = {
            "modelType": "Range",
            "idShort": "min_max",
            "semanticId": reference(f"{_AT}/minMaxRange"),
            "valueType": "xs:double",
        }
        elements.append(extremes | {n: repr(e) for n, e in ends.items() if e is not None})
    href = prop("href", point.address or "/", "https://www.w3.org/2019/wot/hypermedia#hasTarget")
    forms = [href, secured]
    elements.append(collection("forms", forms, f"{_TD}hasForm"))
    return collection(short, elements, f"{_AT}/PropertyDefinition")
