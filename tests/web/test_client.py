"""The Python client and the import of files, against a real server."""

import argparse
import asyncio
import contextlib
import threading

import pyarrow as pa
import pytest
from pyarrow import parquet

import lineshaft
from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Denied, Invalid, LinkLost, Missing, Unavailable, Unknown
from lineshaft.core.point import Kind, Point
from lineshaft.historian.files import Mapping
from lineshaft.historian.verbs import verbs

PRESS = "acme/hall-1/press"
T0 = 1_700_000_000 * NS_PER_S


@pytest.fixture
def client(plant):
    with lineshaft.connect(plant.url, "ls_engineer") as client:
        yield client


async def test_what_is_appended_is_read_back_in_three_forms(plant, client):
    rows = [(f"{PRESS}/oil", T0 + i, float(i)) for i in range(5)] + [(f"{PRESS}/job", T0, "A7")]
    done = await asyncio.to_thread(client.append, Batch.of_rows(rows))
    history = await asyncio.to_thread(
        client.history, [f"{PRESS}/oil", f"{PRESS}/job"], start=T0, stop="now"
    )
    last = await asyncio.to_thread(client.last, [f"{PRESS}/oil"])
    assert done == 6
    assert len(history) == 6
    assert history.arrow().column("value").to_pylist() == [0.0, 1.0, 2.0, 3.0, 4.0, None]
    assert (await asyncio.to_thread(history.pandas))["text"].iloc[-1] == "A7"
    assert set((await asyncio.to_thread(history.polars))["point"]) == {
        f"{PRESS}/oil",
        f"{PRESS}/job",
    }
    assert str(history.arrow().schema.field("time").type) == "timestamp[ns, tz=UTC]"
    assert [v.value for v in last] == [4.0]


async def test_points_are_found_over_all_pages(plant, client):
    plant.historian.namespace.declare(
        Point(path=f"acme/p{i}", kind=Kind.INTEGER, unit="bar") for i in range(1500)
    )
    found = await asyncio.to_thread(client.points, "BAR", "acme")
    assert len(found) == 1500
    assert found[0] == Point(path="acme/p0", kind=Kind.INTEGER, unit="bar")


async def test_errors_come_back_as_what_they_were(plant, client):
    with lineshaft.connect(plant.url, "ls_wrong") as stranger, pytest.raises(Unknown) as unknown:
        await asyncio.to_thread(stranger.points)
    with lineshaft.connect(plant.url, "ls_viewer") as viewer, pytest.raises(Denied):
        await asyncio.to_thread(viewer.append, Batch.of_rows([("a/b", 1, 1.0)]))
    with pytest.raises(Missing, match="a/none"):
        await asyncio.to_thread(client.last, ["a/none"])
    with pytest.raises(Invalid, match="yesterday"):
        await asyncio.to_thread(client.history, ["a/none"], start="yesterday")
    with lineshaft.connect("http://127.0.0.1:9") as nowhere, pytest.raises(LinkLost) as lost:
        await asyncio.to_thread(nowhere.points)
    assert unknown.value.remedy
    assert lost.value.remedy


async def test_live_values_come_to_a_plain_loop(plant, client):
    await plant.publish((f"{PRESS}/oil", 1.0))
    seen: list[object] = []
    enough = threading.Event()

    def watch():
        for value in client.live(branch="acme"):
            seen.append(value.value)
            if len(seen) == 1:
                enough.set()
            if value.value == 2.0:
                return

    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(watch))
        await asyncio.to_thread(enough.wait, 10)
        await plant.publish((f"{PRESS}/oil", 2.0))
    assert seen == [1.0, 2.0]


async def test_live_values_come_to_an_async_loop(plant, client):
    await plant.publish((f"{PRESS}/oil", 1.0), (f"{PRESS}/job", "A7"))
    async with contextlib.aclosing(client.live_async([f"{PRESS}/job"])) as values:
        value = await anext(values)
    assert (value.point, value.value, value.quality_name) == (f"{PRESS}/job", "A7", "Good")


async def test_a_token_that_may_not_watch_is_told_so(plant):
    with lineshaft.connect(plant.url, "ls_wrong") as stranger, pytest.raises(Unknown):
        await asyncio.to_thread(next, stranger.live())


# ---- files


@pytest.fixture
def long_csv(tmp_path):
    path = tmp_path / "old.csv"
    lines = ["time,point,value"]
    lines += [f"2023-11-14T22:13:{i % 60:02d}.{i:03d}Z,press/p{i % 3},{i}" for i in range(100)]
    path.write_text("\n".join([*lines, "2023-11-14T22:13:00Z,press/job,A7", ""]))
    return path


async def test_a_file_is_brought_in_and_again_without_doubles(plant, client, long_csv):
    states = []
    mapping = Mapping(at="acme/hall-1")
    done = await asyncio.to_thread(client.import_file, long_csv, mapping, states.append)
    again = await asyncio.to_thread(client.import_file, long_csv, mapping)
    assert (done.rows_done, done.rows_total) == (101, 101)
    assert done.finished
    assert again == done
    assert states[-1].rows_done == 101
    assert plant.historian.store.counts().accepted == 101
    job = await asyncio.to_thread(client.last, [f"{PRESS}/job"])
    assert job[0].value == "A7"
    assert job[0].time == "2023-11-14T22:13:00Z"


async def test_a_broken_off_import_goes_on_where_it_stopped(plant, client, tmp_path, monkeypatch):
    monkeypatch.setattr("lineshaft.historian.files.ROWS_MAX", 10)
    path = tmp_path / "wide.parquet"
    times = pa.array([T0 + i * NS_PER_S for i in range(25)], pa.timestamp("ns", tz="UTC"))
    table = pa.table({"time": times, "oil": [float(i) for i in range(25)], "on": [True] * 25})
    parquet.write_table(table, path)
    mapping = Mapping(at=PRESS)

    def stop_after_two(state):
        if state.rows_done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await asyncio.to_thread(_keyboard_safe, client, path, mapping, stop_after_two)
    states = []
    done = await asyncio.to_thread(client.import_file, path, mapping, states.append)
    assert states[0].rows_done > 20
    assert (done.rows_done, done.rows_total) == (50, 50)
    assert plant.historian.store.counts().accepted == 50


def _keyboard_safe(client, path, mapping, progress):
    client.import_file(path, mapping, progress)


async def test_an_import_waits_while_the_store_takes_nothing(plant, client, long_csv, monkeypatch):
    monkeypatch.setattr("lineshaft.client.wait_s", lambda _: 0.01)
    store, calls = plant.historian.store, []
    append = store.append

    async def full(batch):
        calls.append(len(batch))
        if len(calls) < 3:
            raise Unavailable("disk full", remedy="Make room.")
        await append(batch)

    monkeypatch.setattr(store, "append", full)
    done = await asyncio.to_thread(client.import_file, long_csv)
    assert done.rows_done == 101
    assert len(calls) == 3


async def test_the_verb_brings_a_file_in_and_says_how_much(plant, long_csv, capsys):
    def typed(*words: str) -> int:
        parser = argparse.ArgumentParser()
        parser.set_defaults(connect=lambda args: lineshaft.connect(args.url, args.token))
        verbs(parser.add_subparsers())
        args = parser.parse_args(words)
        return args.call(args)

    connection = ("--url", plant.url, "--token", "ls_engineer")
    code = await asyncio.to_thread(typed, "import", str(long_csv), "--at", "acme", *connection)
    assert code == 0
    assert "101 samples are in the store" in capsys.readouterr().err


async def test_a_file_that_does_not_fit_is_explained(plant, client, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("when;what\n1;2\n")
    with pytest.raises(Invalid, match="no column 'time'") as missing:
        await asyncio.to_thread(client.import_file, path)
    with pytest.raises(Missing, match="nowhere"):
        await asyncio.to_thread(client.import_file, tmp_path / "nowhere.csv")
    assert "--time" in missing.value.remedy
