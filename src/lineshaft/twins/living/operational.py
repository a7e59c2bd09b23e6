"""Operational data: one Property for each point of a machine, its value the newest sample."""

from lineshaft.core.point import Kind, Point
from lineshaft.core.units import symbol
from lineshaft.twins import Json
from lineshaft.twins.living.assets import Asset
from lineshaft.twins.living.building import described, measured, prop, submodel
from lineshaft.twins.living.names import Scheme, id_shorts

SEMANTIC = "urn:lineshaft:submodel:OperationalData:1"
"""Of our own: IDTA has no template for plain process values."""
ID_SHORT = "OperationalData"
TYPES = {
    Kind.NUMBER: "xs:double",
    Kind.INTEGER: "xs:long",
    Kind.BOOLEAN: "xs:boolean",
    Kind.ENUM: "xs:long",
    Kind.TEXT: "xs:string",
    Kind.JSON: "xs:string",
}
"""The type of a value by the kind of its point."""


def operational_data(asset: Asset, scheme: Scheme) -> tuple[Json, dict[str, str]]:
    """The submodel, and which of its elements shows which point."""
    shorts = id_shorts(_name(p) for p in asset.points)
    elements = [_property(p, shorts[_name(p)]) for p in asset.points]
    id_ = scheme.submodel(asset.path, ID_SHORT)
    bound = {shorts[_name(p)]: p.path for p in asset.points}
    return submodel(id_, ID_SHORT, SEMANTIC, elements), bound


def _name(point: Point) -> str:
    return point.path.rpartition("/")[2]


def _property(point: Point, short: str) -> Json:
    name = _name(point)
    meaning = ", ".join(f"{code} {word}" for code, word in point.names.items())
    text = ". ".join(t for t in (point.description.rstrip("."), meaning) if t)
    return prop(
        short,
        None,
        point.class_,
        TYPES[point.kind],
        displayName=[{"language": "en", "text": name}] if name != short else None,
        description=described(text),
        embeddedDataSpecifications=measured(symbol(point.unit) if point.unit else "", name),
    )
