"""Carbon Footprint 1.0 (IDTA 02023-1-0): greenhouse gases per part, from two counters."""

from lineshaft.core.point import Kind, Point
from lineshaft.twins import Json
from lineshaft.twins.living.assets import Asset
from lineshaft.twins.living.building import collection, listed, prop, submodel
from lineshaft.twins.living.names import Scheme

SEMANTIC = "https://admin-shell.io/idta/CarbonFootprint/CarbonFootprint/1/0"
ID_SHORT = "CarbonFootprint"
PCF = "ProductCarbonFootprints[0].PcfCO2eq"
"""Path of the figure that is worked out on read."""
PUBLISHED = "ProductCarbonFootprints[0].PublicationDate"
"""Path of its time."""
_AT = "https://admin-shell.io/idta/CarbonFootprint"
_ENERGY_UNITS = ("kW.h", "W.h", "MW.h")
_PARTS = ("parts", "pieces", "good_parts", "parts_good", "good", "strokes", "count", "packages")


def counters(asset: Asset) -> tuple[Point, Point] | None:
    """The points that count energy and parts; None where the asset has not both."""
    energy = next((p for p in asset.points if p.unit in _ENERGY_UNITS), None)
    numbers = {
        p.path.rpartition("/")[2]: p
        for p in asset.points
        if p.kind in (Kind.INTEGER, Kind.NUMBER) and p is not energy
    }
    parts = next((numbers[n] for n in _PARTS if n in numbers), None)
    return (energy, parts) if energy and parts else None


def carbon_footprint(asset: Asset, scheme: Scheme) -> Json:
    """The footprint of one piece in the production phase; its value is filled in on read."""
    footprint = [
        listed(
            "PcfCalculationMethods",
            [prop("", "ISO 14067", "0173-1#02-ABG854#003")],
            f"{_AT}/PcfCalculationMethods/1/0",
            of="Property",
            type_="xs:string",
        ),
        prop("PcfCO2eq", None, "0173-1#02-ABG855#003", "xs:decimal"),
        prop("ReferenceImpactUnitForCalculation", "piece", "0173-1#02-ABG856#003"),
        prop("QuantityOfMeasureForCalculation", "1", "0173-1#02-ABG857#003", "xs:double"),
        listed(
            "LifeCyclePhases",
            [prop("", "A3 - production", "0173-1#02-ABG858#003")],
            f"{_AT}/LifeCyclePhases/1/0",
            of="Property",
            type_="xs:string",
        ),
        prop("PublicationDate", None, f"{_AT}/PublicationDate/1/0", "xs:dateTime"),
    ]
    each = collection("", footprint, f"{_AT}/ProductCarbonFootprint/1/0")
    footprints = listed(
        "ProductCarbonFootprints",
        [each],
        f"{_AT}/ProductCarbonFootprints/1/0",
        of="SubmodelElementCollection",
    )
    id_ = scheme.submodel(asset.path, ID_SHORT)
    return submodel(id_, ID_SHORT, SEMANTIC, [footprints], version=("1", "0"))
