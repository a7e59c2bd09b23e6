"""Questions from Python and from the command line, against a real server."""

import argparse
import asyncio
import os
from contextlib import asynccontextmanager

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import lineshaft
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid, Missing
from lineshaft.core.point import Kind, Point
from lineshaft.historian.aggregates import Function
from lineshaft.historian.calendar import Interval, Shift
from lineshaft.historian.query import Aggregate, Chart, Last, Query, Raw, Shape
from lineshaft.historian.query.grid import lines
from lineshaft.historian.verbs import question, verbs

T0 = 1_760_000_000 * NS_PER_S
OIL, SPEED = Point(path="press/oil"), Point(path="press/speed")
STATE = Point(path="press/state", kind=Kind.ENUM, names={"0": "Idle", "1": "Executing"})
SPAN = {"start": "2025-10-09T08:53:20Z", "stop": "2025-10-09T09:53:20Z"}
WORDS = tuple(w for name, value in SPAN.items() for w in (f"--{name}", value))


@asynccontextmanager
async def plant(made, server):
    async with made("parquet", OIL, SPEED, STATE) as history:
        rows = [("press/oil", T0 + i * NS_PER_S, float(i)) for i in range(60)]
        rows += [("press/speed", T0 + i * NS_PER_S, i / 3, 0x8000_0000) for i in range(0, 60, 30)]
        rows += [("press/state", T0, 1), ("press/state", T0 + 10 * NS_PER_S, 0)]
        await history.add(rows, settle=True)
        async with server(history) as url:
            with lineshaft.connect(url, "ls_all") as client:
                yield client


async def test_a_question_is_answered_in_python(made, server):
    async with plant(made, server) as client:
        raw = await asyncio.to_thread(client.query, ["press/oil"], **SPAN)
        do = Aggregate(functions=(Function.AVERAGE,), interval=Interval(every="30s"))
        averages = await asyncio.to_thread(client.query, ["press/oil"], do=do, **SPAN)
        wide = await asyncio.to_thread(
            client.query, branch="press", shape=Shape.WIDE, join="asof", **SPAN
        )
        chart = await asyncio.to_thread(
            client.query, Query(points=("press/oil",), do=Chart(samples_max=20), **SPAN)
        )
        with pytest.raises(Missing, match="press/none"):
            await asyncio.to_thread(client.query, ["press/none"])
        parts = await asyncio.to_thread(lambda: list(client.batches(["press/oil"], **SPAN)))
    assert len(raw) == 60
    known = averages.arrow().column("value").drop_null().to_pylist()
    assert known == [4.5, 24.5, 49.5]
    frame = await asyncio.to_thread(wide.pandas)
    assert list(frame.columns) == ["time", "press/oil", "press/speed", "press/state"]
    assert frame["press/state"].sum() == 10
    assert len(chart) <= 20
    assert sum(p.num_rows for p in parts) == 60


async def typed(client, *words):
    def run():
        parser = argparse.ArgumentParser()
        parser.set_defaults(connect=lambda args: lineshaft.connect(args.url, args.token))
        verbs(parser.add_subparsers())
        args = parser.parse_args(["query", *words, "--url", client.url, "--token", "ls_all"])
        return args.call(args)

    return await asyncio.to_thread(run)


async def test_the_verb_prints_a_table(made, server, capsys):
    async with plant(made, server) as client:
        code = await typed(client, "press/speed", "press/state", *WORDS)
        raw = capsys.readouterr().out.splitlines()
        words = ("--every", "30s", "--functions", "average,Count", "--wide")
        await typed(client, "press/oil", *words, *WORDS[:2], "--stop", "2025-10-09T08:54:20Z")
        wide = capsys.readouterr().out.splitlines()
        await typed(client, "press/oil", "--while", "press/state=Executing", *WORDS)
        held = capsys.readouterr().out.splitlines()
        await typed(client, "press/oil", "--start", "-2m")
        nothing = capsys.readouterr().out
    assert code == 0
    assert raw == [
        "point        time                  value  quality",
        "-----------  --------------------  -----  -------",
        "press/speed  2025-10-09T08:53:20Z      0  Bad",
        "press/speed  2025-10-09T08:53:50Z     10  Bad",
        "press/state  2025-10-09T08:53:20Z      1  Good",
        "press/state  2025-10-09T08:53:30Z      0  Good",
        "4 rows",
    ]
    assert wide[2].split() == ["2025-10-09T08:53:20Z", "2025-10-09T08:53:30Z", "4.5", "10"]
    assert held[-1] == "10 rows"
    assert nothing == "no rows\n"


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "json", "ndjson"])
async def test_the_verb_writes_files(made, server, tmp_path, kind):
    path = tmp_path / "file"
    async with plant(made, server) as client:
        await typed(client, "--branch", "press", *WORDS, "--format", kind, "-o", str(path))
    if kind == "csv":
        assert csv.read_csv(path).num_rows == 64
    elif kind == "parquet":
        assert parquet.read_table(path).num_rows == 64
    elif kind == "arrow":
        assert pa.ipc.open_stream(path.read_bytes()).read_all().num_rows == 64
    elif kind == "ndjson":
        assert len(path.read_text().splitlines()) == 64
    else:
        assert path.read_text().count('"press/') == 64


async def test_the_verb_tells_that_json_has_one_page(made, server, capsys):
    async with made("memory", OIL) as history:
        await history.add([(OIL.path, T0 + i, float(i)) for i in range(10_001)])
        async with server(history) as url:
            with lineshaft.connect(url, "ls_all") as client:
                await typed(client, OIL.path, *WORDS, "--format", "json", "-o", os.devnull)
                first = capsys.readouterr().err
                words = ("--start", str(T0 + 1), *WORDS[2:], "--format", "json", "-o", os.devnull)
                await typed(client, OIL.path, *words)
                whole = capsys.readouterr().err
    assert "first page of 10000 rows" in first
    assert whole == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--last", "--chart", "9"), "--last and --chart"),
        (("--every", "1h", "--functions", "Mean"), "no aggregate 'Mean'"),
        (("--while", "press is on"), "no condition"),
        (("--chart", "1"), ">= 8"),
        (("--shift", "early"), "'early' is no shift"),
        (("--shift", "e=06:00-14:00", "--every", "1h"), "--every and --shifts"),
        (("--before",), "--before is for --last"),
        (("--last", "--bounds"), "--bounds is for"),
    ],
)
def test_options_that_make_no_question_are_explained(words, says):
    parser = argparse.ArgumentParser()
    verbs(parser.add_subparsers())
    with pytest.raises(Invalid, match=says):
        question(parser.parse_args(["query", "press/oil", *words]))


def asked(*words):
    parser = argparse.ArgumentParser()
    verbs(parser.add_subparsers())
    return question(parser.parse_args(["query", "press/oil", *words])).do


def test_shifts_bounds_and_what_was_before_can_be_asked_for():
    words = ("--shift", "early=06:00-14:00/1-5", "--shift", "late-1=22:00-06:00")
    assert asked(*words, "--time-zone", "Europe/Berlin") == Aggregate(
        functions=(Function.AVERAGE,),
        interval=Interval(
            time_zone="Europe/Berlin",
            shifts=(
                Shift(name="early", start="06:00", stop="14:00", days=(1, 2, 3, 4, 5)),
                Shift(name="late-1", start="22:00", stop="06:00"),
            ),
        ),
    )
    assert asked("--last", "--before") == Last(before=True)
    assert asked("--bounds") == Raw(bounds=True)
    assert asked("--chart", "90", "--bounds") == Chart(samples_max=90, bounds=True)


def test_two_points_named_value_and_text_are_two_columns():
    batch = pa.record_batch({"time": ["now"], "value": [1.5], "text": ["A7"]})
    assert list(lines(iter([batch])))[-2].split() == ["now", "1.5", "A7"]


def test_a_grid_is_as_wide_as_its_cells():
    batch = pa.record_batch({"value": [1.5, None], "text": [None, "longer than the head"]})
    assert list(lines(iter([batch]))) == [
        "               value",
        "--------------------",
        "                 1.5",
        "longer than the head",
        "2 rows",
    ]
