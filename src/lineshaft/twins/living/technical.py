"""Technical Data 2.0 (IDTA 02003-2-0): what the machine is made for, as far as its points tell."""

from lineshaft.core.point import Point
from lineshaft.core.units import symbol
from lineshaft.twins import Json
from lineshaft.twins.living import Maker
from lineshaft.twins.living.assets import Asset
from lineshaft.twins.living.building import (
    collection,
    described,
    listed,
    measured,
    prop,
    submodel,
    texts,
)
from lineshaft.twins.living.nameplate import UNSTATED
from lineshaft.twins.living.names import Scheme, id_shorts

SEMANTIC = "0173-1#01-AHX837#002"
_ARBITRARY = "https://admin-shell.io/SMT/General/Arbitrary"


def technical_data(asset: Asset, scheme: Scheme, maker: Maker) -> Json:
    """General information, and the ranges of its measured values as technical properties."""
    general = [
        prop("ManufacturerName", maker.name or UNSTATED, "0173-1#02-AAO677#004"),
        texts("ManufacturerProductDesignation", asset.name, "0173-1#02-AAW338#003"),
        prop("ManufacturerArticleNumber", UNSTATED, "0173-1#02-AAO676#005"),
        prop("ManufacturerOrderCode", UNSTATED, "0173-1#02-AAO227#004"),
    ]
    elements = [
        collection("GeneralInformation", general, "0173-1#02-ABK161#002/0173-1#01-AHX838#002")
    ]
    ranged = [p for p in asset.points if p.low is not None or p.high is not None]
    if ranged:
        shorts = id_shorts(_name(p) for p in ranged)
        area = collection(
            "",
            [_range(p, shorts[_name(p)]) for p in ranged],
            "0173-1#02-ABL358#002/0173-1#01-AHX773#002",
        )
        elements.append(
            listed(
                "TechnicalPropertyAreas",
                [area],
                "0173-1#02-ABK163#002",
                of="SubmodelElementCollection",
            )
        )
    id_ = scheme.submodel(asset.path, "TechnicalData")
    return submodel(id_, "TechnicalData", SEMANTIC, elements, version=("2", "0"))


def _name(point: Point) -> str:
    return point.path.rpartition("/")[2]


def _range(point: Point, short: str) -> Json:
    found: Json = {
        "modelType": "Range",
        "idShort": short,
        "semanticId": {
            "type": "ExternalReference",
            "keys": [{"type": "GlobalReference", "value": _ARBITRARY}],
        },
        "valueType": "xs:double",
    }
    ends = {"min": point.low, "max": point.high}
    found |= {name: f"{end!r}" for name, end in ends.items() if end is not None}
    found |= {"description": described(point.description)} if point.description else {}
    unit = measured(symbol(point.unit) if point.unit else "", _name(point))
    return found | ({"embeddedDataSpecifications": unit} if unit else {})
