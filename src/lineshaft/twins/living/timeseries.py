"""Time Series Data 1.1 (IDTA 02008-1-1): the history of a machine, linked and readable."""

from urllib.parse import quote

from lineshaft.core.point import Point
from lineshaft.core.units import symbol
from lineshaft.twins import Json
from lineshaft.twins.living.assets import Asset
from lineshaft.twins.living.building import (
    collection,
    described,
    measured,
    operation,
    prop,
    submodel,
    texts,
)
from lineshaft.twins.living.names import Scheme, id_shorts
from lineshaft.twins.living.operational import TYPES

SEMANTIC = "https://admin-shell.io/idta/TimeSeries/1/1"
ID_SHORT = "TimeSeries"
_AT = "https://admin-shell.io/idta/TimeSeries"
HISTORY = "/api/v1/history"
"""Address of our own API that answers for a linked segment."""


def time_series(asset: Asset, scheme: Scheme, url: str) -> Json:
    """Columns of the record, the linked segment, and the operations that read from it.

    `url` is the address of this server; empty gives an address relative to it.
    """
    shorts = columns(asset)
    record = [prop("Time", None, f"{_AT}/UtcTime/1/1", "xs:dateTime")]
    record += [_column(p, shorts[p.path]) for p in asset.points]
    query = "&".join(f"points={quote(p.path)}" for p in asset.points)
    linked = [
        texts("Name", f"All samples of {asset.name}", f"{_AT}/Segment/Name/1/1"),
        prop("State", "in progress", f"{_AT}/Segment/State/1/1"),
        prop("Endpoint", f"{url}{HISTORY}", f"{_AT}/Endpoint/1/1"),
        prop("Query", query, f"{_AT}/Query/1/1"),
    ]
    metadata = [
        texts("Name", asset.name, f"{_AT}/Metadata/Name/1/1"),
        collection("Record", record, f"{_AT}/Record/1/1"),
    ]
    elements = [
        collection("Metadata", metadata, f"{_AT}/Metadata/1/1"),
        collection(
            "Segments",
            [collection("LinkedSegment", linked, f"{_AT}/Segments/LinkedSegment/1/1")],
            f"{_AT}/Segments/1/1",
        ),
        _reader("ReadRecords", "Records"),
        _reader("ReadSegments", "Segments"),
    ]
    id_ = scheme.submodel(asset.path, ID_SHORT)
    return submodel(id_, ID_SHORT, SEMANTIC, elements, version=("1", "1"))


def columns(asset: Asset) -> dict[str, str]:
    """The column of each point, by its path; none is called Time."""
    names = [p.path.rpartition("/")[2] for p in asset.points]
    shorts = id_shorts(["Time", *names])
    return {p.path: shorts[n] for p, n in zip(asset.points, names, strict=True)}


def _column(point: Point, short: str) -> Json:
    name = point.path.rpartition("/")[2]
    return prop(
        short,
        None,
        point.class_,
        TYPES[point.kind],
        description=described(point.description),
        embeddedDataSpecifications=measured(symbol(point.unit) if point.unit else "", name),
    )


def _reader(name: str, output: str) -> Json:
    span = {
        "modelType": "Range",
        "idShort": "Timespan",
        "semanticId": {
            "type": "ExternalReference",
            "keys": [{"type": "GlobalReference", "value": f"{_AT}/Timespan/1/1"}],
        },
        "valueType": "xs:dateTime",
    }
    given = {"modelType": "SubmodelElementCollection", "idShort": output}
    return operation(name, f"{_AT}/{name}/1/1", [span], [given])
