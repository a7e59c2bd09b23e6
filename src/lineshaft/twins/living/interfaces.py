"""Asset Interfaces Description 1.1 (IDTA 02017-1-1): how a machine is reached, by whoever may."""

from collections.abc import Callable

from lineshaft.core.point import Kind, Point
from lineshaft.core.units import to_unece
from lineshaft.twins import Json
from lineshaft.twins.living import Link
from lineshaft.twins.living.assets import Asset
from lineshaft.twins.living.building import (
    collection,
    described,
    listed,
    prop,
    reference,
    submodel,
    to_element,
)
from lineshaft.twins.living.forms import JSON, Place, place_of
from lineshaft.twins.living.names import Scheme, id_short, id_shorts

SEMANTIC = "https://admin-shell.io/idta/AssetInterfacesDescription/1/1/Submodel"
ID_SHORT = "AssetInterfacesDescription"
_AT = "https://admin-shell.io/idta/AssetInterfacesDescription/1/0"
_TD = "https://www.w3.org/2019/wot/td#"
_SCHEMA = "https://www.w3.org/2019/wot/json-schema#"
_TYPE = "https://www.w3.org/1999/02/22-rdf-syntax-ns#type"
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
            JSON if link.protocol in ("MQTT", "HTTP") else "application/octet-stream",
            "https://www.w3.org/2019/wot/hypermedia#forContentType",
        ),
        secured,
        collection("securityDefinitions", [nosec], f"{_TD}definesSecurityScheme"),
    ]
    properties = _properties(link, points, secured)
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


def _properties(link: Link, points: list[Point], secured: Json) -> list[Json]:
    """Every point that can be described; those that come in one message within one object."""
    alone: list[tuple[Point, Place]] = []
    shared: dict[str, list[tuple[Point, Place]]] = {}
    for point in points:
        if (place := place_of(link, point)) is not None:
            (shared.setdefault(place.carrier, []) if place.carrier else alone).append(
                (point, place)
            )
    names = [p.path.rpartition("/")[2] for p, _ in alone]
    shorts = id_shorts([*names, *shared])
    found = []
    for name, (point, place) in zip(names, alone, strict=True):
        form = collection("forms", [*place.form, secured], f"{_TD}hasForm")
        found.append(_property(point, shorts[name], name, [form], _scaled(link, point)))
    for carrier, within in shared.items():
        form = collection("forms", [*within[0][1].form, secured], f"{_TD}hasForm")
        inner = _nested([(place.keys, point) for point, place in within])
        about = [
            prop("type", "object", _TYPE),
            prop("observable", "true", f"{_TD}isObservable", "xs:boolean"),
            collection("properties", inner, f"{_SCHEMA}properties"),
            form,
        ]
        found.append(collection(shorts[carrier], about, f"{_AT}/PropertyDefinition"))
    return found


def _nested(within: list[tuple[tuple[str, ...], Point]]) -> list[Json]:
    """Properties of an object, and of the objects in it."""
    keys = list(dict.fromkeys(k[0] for k, _ in within))
    shorts = id_shorts(keys)
    found = []
    for key in keys:
        leaves = [p for k, p in within if k == (key,)]
        deeper = [(k[1:], p) for k, p in within if k[0] == key and len(k) > 1]
        if leaves:
            found.append(_property(leaves[0], shorts[key], key, [], "", inner=True))
        elif deeper:
            about = [
                prop("key", key, f"{_AT}/key"),
                prop("type", "object", _TYPE),
                collection("properties", _nested(deeper), f"{_SCHEMA}properties"),
            ]
            found.append(collection(shorts[key], about, f"{_SCHEMA}propertyName"))
    return found


def _scaled(link: Link, point: Point) -> str:
    register = link.registers.get(point.address)
    return (
        f"The value is the device's figure times {register.scale}."
        if register and register.scale
        else ""
    )


def _property(
    point: Point, short: str, key: str, forms: list[Json], note: str, *, inner: bool = False
) -> Json:
    elements = [
        prop("key", key, f"{_AT}/key"),
        prop("type", _TYPES[point.kind], _TYPE),
        prop("observable", "true", f"{_TD}isObservable", "xs:boolean"),
    ]
    if point.unit:
        elements.append(
            prop("unit", to_unece(point.unit) or point.unit, "https://schema.org/unitCode")
        )
    ends = {"min": point.low, "max": point.high}
    if point.low is not None or point.high is not None:
        extremes: Json = {
            "modelType": "Range",
            "idShort": "min_max",
            "semanticId": reference(f"{_AT}/minMaxRange"),
            "valueType": "xs:double",
        }
        elements.append(extremes | {n: repr(e) for n, e in ends.items() if e is not None})
    text = ". ".join(t for t in (point.description.rstrip("."), note) if t)
    means = f"{_SCHEMA}propertyName" if inner else f"{_AT}/PropertyDefinition"
    return collection(short, [*elements, *forms], means, description=described(text))
