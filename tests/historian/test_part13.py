"""The worked examples of OPC UA Part 13: every table, every row, value, status and bits.

Source: part13-aggregates.json beside this file, which names where its rows come from.
"""

import json
import math
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from lineshaft.core.batch import Ints
from lineshaft.historian.aggregates import Function
from lineshaft.historian.aggregates.compute import compute
from lineshaft.historian.aggregates.series import (
    BITS_MASK,
    DATA_VALUE,
    Configuration,
    Series,
)

FACTS = json.loads(Path(__file__).with_name("part13-aggregates.json").read_text("utf-8"))
CODES = {k: int(v, 16) for k, v in FACTS["statusCodes"].items() if k != "source"}
AGGREGATES = FACTS["aggregates"]
TOLERANCE = 0.001
TABLES = [(name, data) for name, found in AGGREGATES.items() for data in found["expected"]]
DEFINITION = "Total is the time average times seconds, and that is sloped always"
ANNOTATIONS = "annotations are counted, and not raw values"
LOST_START = "the bound at the start is bad, as in Historian2 and in the other source"
IGNORED = "WorstQuality2 does not look at TreatUncertainAsBad, as in Historian3 to 5"
BEYOND = "an uncertain value beyond the good extreme makes the row uncertain"


class Other(NamedTuple):
    """What we give instead of the row, and why."""

    doubt: str
    reason: str
    value: float | str | None = None
    status: str | None = None
    info: list[str] | None = None


def others() -> dict[tuple[str, str, str], Other]:
    """Rows of S1 that we read otherwise, by aggregate, data set and start; decision 0056."""
    found = {}
    ruled = {"D1": DEFINITION, "D2": ANNOTATIONS, "D3": LOST_START}
    for name, data in TABLES:
        for row in AGGREGATES[name]["expected"][data]["rows"]:
            for doubt in row.get("doubts", ()):
                if doubt in ruled and "ruleValue" in row:
                    other = Other(doubt, ruled[doubt], value=row["ruleValue"])
                    found[name, data, row["start"]] = other
    # The status goes with the value: that of the time average in the same data set.
    for row in AGGREGATES["TimeAverage"]["expected"]["Historian3"]["rows"]:
        key = ("Total", "Historian3", row["start"])
        if key in found:
            found[key] = found[key]._replace(status=row["status"])
    for name in ("Maximum", "MaximumActualTime", "Range"):
        found[name, "Historian5", "12:01:04.000"] = Other(
            "D10", BEYOND, status="UncertainDataSubNormal"
        )
    found["WorstQuality2", "Historian2", "12:01:04.000"] = Other(
        "D4", IGNORED, value="Uncertain", info=["Calculated", "MultipleValues"]
    )
    found["WorstQuality2", "Historian2", "12:01:20.000"] = Other(
        "D4", IGNORED, info=["Calculated", "Partial"]
    )
    return found


OTHERS = others()
BITS = {"Calculated": 1, "Interpolated": 2, "Partial": 4, "ExtraData": 8, "MultipleValues": 16}


def ns(clock: str) -> int:
    """Nanoseconds since the epoch, on a day of no meaning."""
    time = datetime.fromisoformat(f"2026-03-02T{clock}+00:00")
    return round(time.timestamp() * 1000) * 1_000_000


def series(data: str) -> Series:
    """Samples of a data set without its first row, which only marks where data begins."""
    rows = FACTS["dataSets"][data]["rows"][1:]
    annotations = FACTS["dataSets"][data].get("annotations", ())
    return Series(
        np.array([ns(r["timestamp"]) for r in rows]),
        np.array([math.nan if r["value"] is None else float(r["value"]) for r in rows]),
        np.array([CODES[r["status"]] for r in rows], dtype=np.uint32),
        annotations_ns=np.array([ns(a["timestamp"]) for a in annotations], dtype=np.int64),
    )


def configuration(data: str) -> Configuration:
    settings = FACTS["dataSets"][data]["settings"]
    return Configuration(
        stepped=settings["stepped"],
        treat_uncertain_as_bad=settings["treatUncertainAsBad"],
        percent_data_bad=settings["percentDataBad"],
        percent_data_good=settings["percentDataGood"],
        sloped_extrapolation=settings["useSlopedExtrapolation"],
    )


def wanted(name: str, data: str, row: dict) -> tuple[str, float | None, int]:
    """Time, value and status with bits that a row of the facts asks for, as we read it."""
    other = OTHERS.get((name, data, row["start"]), Other("", ""))
    value = row["value"] if other.value is None else other.value
    if isinstance(value, str):
        value = CODES[value]
    code = CODES[other.status or row["status"]]
    bits = row["bits"] if other.info is None else sum(BITS[i] for i in other.info)
    return row["timestamp"], value, code | DATA_VALUE | bits


def table(rows: list[dict]) -> Ints:
    return np.array([(ns(r["start"]), ns(r["end"])) for r in rows])


def test_all_tables_are_there():
    assert len(TABLES) == 159
    assert set(AGGREGATES) == {f.value for f in Function}


@pytest.mark.parametrize(("name", "data"), TABLES)
def test_a_table_of_the_standard_comes_out_as_printed(name, data):
    rows = AGGREGATES[name]["expected"][data]["rows"]
    found = compute(Function(name), series(data), table(rows), configuration(data))
    for i, row in enumerate(rows):
        time, value, status = wanted(name, data, row)
        place = f"{name} {data} {row['start']}"
        assert found.time_ns[i] == ns(time), place
        assert hex(found.status[i]) == hex(status), place
        if value is None:
            assert math.isnan(found.value[i]), place
        else:
            assert found.value[i] == pytest.approx(value, abs=TOLERANCE), place


def test_exactly_the_listed_rows_differ_from_the_printed_ones():
    """Each row that is read otherwise is used, and none differs that is not listed."""
    differing = set()
    for name, data in TABLES:
        rows = AGGREGATES[name]["expected"][data]["rows"]
        found = compute(Function(name), series(data), table(rows), configuration(data))
        for i, row in enumerate(rows):
            value = CODES.get(row["value"], row["value"])
            same = found.status[i] == CODES[row["status"]] | DATA_VALUE | row["bits"] and (
                math.isnan(found.value[i])
                if value is None
                else abs(found.value[i] - value) <= TOLERANCE
            )
            if not same:
                differing.add((name, data, row["start"]))
    assert differing == set(OTHERS)


def test_every_other_reading_is_of_a_row_that_the_facts_call_doubtful():
    for (name, data, start), other in OTHERS.items():
        rows = AGGREGATES[name]["expected"][data]["rows"]
        row = next(r for r in rows if r["start"] == start)
        assert other.doubt in row["doubts"]
        assert other.reason
    counted = {
        d: sum(o.doubt == d for o in OTHERS.values()) for d in ("D1", "D2", "D3", "D4", "D10")
    }
    assert counted == {"D1": 18, "D2": 29, "D3": 4, "D4": 2, "D10": 3}


def test_annotations_are_counted_as_in_the_edition_before():
    found = AGGREGATES["AnnotationCount"]["v104Table"]["expected"]["Historian1"]
    minutes = np.array([[ns(r["start"]), ns(r["start"]) + 60 * 10**9] for r in found])
    rows = compute(
        Function.ANNOTATION_COUNT, series("Historian1"), minutes, configuration("Historian1")
    )
    assert list(rows.value) == [r["value"] for r in found]


def test_composed_status_codes_are_those_of_the_standard():
    for example in FACTS["historianBits"]["examples"]:
        code, *info = example["text"].split(", ")
        status = CODES[code] | DATA_VALUE | sum(BITS[i] for i in info)
        assert status == int(example["code"], 16)
    assert int(FACTS["historianBits"]["mask"], 16) == BITS_MASK
