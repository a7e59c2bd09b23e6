"""ReadRecords and ReadSegments of the Time Series submodel, answered from the history."""

from lineshaft.core.access import Identity
from lineshaft.core.batch import Sample
from lineshaft.core.clock import from_iso, now_ns, to_iso
from lineshaft.core.errors import Invalid
from lineshaft.core.path import parent
from lineshaft.twins import Document, Json
from lineshaft.twins.living import History, Names
from lineshaft.twins.living.assets import assets
from lineshaft.twins.living.building import collection, prop
from lineshaft.twins.living.operational import TYPES
from lineshaft.twins.living.timeseries import columns
from lineshaft.twins.model import xsd

RECORDS_MAX = 10_000
"""Records in one answer; the last one tells the time to go on from."""
SPAN_NS = 3600 * 1_000_000_000
"""What is read when the time span has no beginning: the last hour."""
_AT = "https://admin-shell.io/idta/TimeSeries"


class Reader:
    """Reads what the operations ask for."""

    def __init__(self, names: Names, history: History) -> None:
        self._names, self._history = names, history

    async def carry_out(
        self, who: Identity, document: Document, operation: str, inputs: Json
    ) -> Json | None:
        """Outputs of ReadRecords or ReadSegments; None for any other operation.

        Raises:
            Invalid: the span is none.
            Unavailable: the store cannot be read now.
        """
        if operation not in ("ReadRecords", "ReadSegments"):
            return None
        start, stop = _span(inputs.get("Timespan"))
        records = await self._records(who, document.path, start, stop)
        if operation == "ReadRecords":
            return {"Records": collection("Records", records, f"{_AT}/Records/1/1")}
        segment = [
            prop("RecordCount", str(len(records)), f"{_AT}/Segment/RecordCount/1/1", "xs:long"),
            prop("StartTime", to_iso(start), f"{_AT}/Segment/StartTime/1/1"),
            prop("EndTime", to_iso(stop), f"{_AT}/Segment/EndTime/1/1"),
            collection("Records", records, f"{_AT}/Records/1/1"),
        ]
        inner = collection("InternalSegment", segment, f"{_AT}/Segments/InternalSegment/1/1")
        return {"Segments": collection("Segments", [inner])}

    async def _records(self, who: Identity, path: str, start: int, stop: int) -> list[Json]:
        """One record for each time at which a point of the asset has a sample."""
        seen = [p for p in self._names.under(path, who) if parent(p) == path]
        points = [p for s in seen if (p := self._names.find(s))]
        if not points:
            return []
        shorts = columns(assets(points)[path])
        batch = await self._history.read([p.path for p in points], start, stop, limit=RECORDS_MAX)
        kinds = {p.path: TYPES[p.kind] for p in points}
        at: dict[int, list[Sample]] = {}
        for sample in batch.rows():
            at.setdefault(sample.time_ns, []).append(sample)
        records = []
        for n, time_ns in enumerate(sorted(at)[:RECORDS_MAX]):
            cells = [prop("Time", to_iso(time_ns), f"{_AT}/UtcTime/1/1", "xs:dateTime")]
            for sample in at[time_ns]:
                kind = kinds[sample.point]
                text = None if sample.value is None else xsd.from_json(kind, _fitting(kind, sample))
                cells.append(prop(shorts[sample.point], text, "", kind))
            records.append(collection(f"Record_{n}", cells, f"{_AT}/Record/1/1"))
        return records


def _fitting(kind: str, sample: Sample) -> object:
    """The value as its type has it: columns of numbers hold integers and booleans too."""
    if kind == "xs:boolean":
        return bool(sample.value)
    if kind == "xs:long" and isinstance(sample.value, float) and sample.value.is_integer():
        return int(sample.value)
    return sample.value


def _span(given: object) -> tuple[int, int]:
    """Start and stop of an input `Timespan`, a Range in the form of `$value`."""
    ends = given if isinstance(given, dict) else {}
    stop = from_iso(str(ends["max"])) if ends.get("max") else now_ns()
    start = from_iso(str(ends["min"])) if ends.get("min") else stop - SPAN_NS
    if start >= stop:
        raise Invalid(
            f"the time span from {to_iso(start)} to {to_iso(stop)} is empty",
            remedy="Give min before max.",
        )
    return start, stop
