"""The ClickHouse store keeps the contract, on ClickHouse's engine in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stores.clickhouse_checks import CHECKS

from lineshaft.core.batch import Batch
from lineshaft.core.errors import SettingsError
from lineshaft.core.plugin import find, load_example
from lineshaft.testing.stores import STORE

pytest.importorskip("chdb")
pytest.importorskip("clickhouse_connect")

from lineshaft.stores.clickhouse.engine import Engine, _shown
from lineshaft.stores.clickhouse.latest import last_of_each
from lineshaft.stores.clickhouse.tables import Layout, among, during, name, text

SCRIPT = Path(__file__).with_name("clickhouse_check.py")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What came of each check: nothing, or the traceback."""
    command = [sys.executable, SCRIPT, tmp_path_factory.mktemp("clickhouse") / "data"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return dict(lines), done.stderr[-3000:]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("check", [c.__name__ for c in (*STORE, *CHECKS)])
def test_clickhouse_keeps_the_contract(outcomes, check):
    known, errors = outcomes
    assert check in known, errors
    assert not known[check], known[check]


FEED = """
import asyncio, sys
from lineshaft.core.batch import Batch, Sample
from lineshaft.core.plugin import build
from lineshaft.stores import Store

async def main():
    store = build(Store, {"kind": "clickhouse", "path": sys.argv[1], "pace_s": 0})
    async with store.opened():
        if sys.argv[2] == "look":
            print(await store.count(["p"], 0, 2**62), len(await store.last()), flush=True)
            return
        for i in range(10_000):
            await store.append(Batch.of_rows(Sample("p", i * 10 + j, 1.0) for j in range(10)))
            print(i + 1, flush=True)

asyncio.run(main())
"""


@pytest.mark.timeout(300)
def test_what_was_acknowledged_survives_kill_9(tmp_path):
    run = [sys.executable, "-c", FEED, tmp_path / "data"]
    with subprocess.Popen([*run, "feed"], stdout=subprocess.PIPE, text=True) as feeding:
        for line in feeding.stdout:
            done = int(line)
            if done == 20:
                break
        os.kill(feeding.pid, signal.SIGKILL)
        done = max([done, *(int(line) for line in feeding.stdout.read().split())])
    look = subprocess.run([*run, "look"], capture_output=True, text=True, timeout=120)
    rows, points = map(int, look.stdout.split())
    assert rows in (done * 10, done * 10 + 10), look.stderr
    assert points == 1


# ---- what needs no engine


def test_a_table_on_one_server_replaces_by_version():
    made = Layout(database="plant", table="samples", partition_days=30).create()
    assert made[0] == "CREATE DATABASE IF NOT EXISTS `plant`"
    assert "CREATE TABLE IF NOT EXISTS `plant`.`samples` (" in made[1]
    assert "ENGINE = ReplacingMergeTree(version)" in made[1]
    assert "PARTITION BY intDiv(time_ns, 2592000000000000)" in made[1]
    assert "ORDER BY (point, time_ns)" in made[1]
    for statement in made[1:]:
        assert "fsync_after_insert = 1, fsync_part_directory = 1" in statement
    assert not any("CLUSTER" in s or "Replicated" in s for s in made)


def test_a_cluster_has_a_local_table_and_one_that_spreads():
    layout = Layout(
        database="plant", table="samples", partition_days=30, cluster="works", replicated=True
    )
    database, local, spread, last = layout.create()
    assert all("ON CLUSTER `works`" in s for s in (database, local, spread, last))
    assert "`plant`.`samples_local`" in local
    assert (
        "ENGINE = ReplicatedReplacingMergeTree("
        "'/clickhouse/tables/{shard}/plant/samples_local', '{replica}', version)"
    ) in local
    assert spread == (
        "CREATE TABLE IF NOT EXISTS `plant`.`samples` ON CLUSTER `works`"
        " AS `plant`.`samples_local`"
        " ENGINE = Distributed('works', 'plant', 'samples_local', cityHash64(point))"
    )
    assert "'/clickhouse/tables/all/plant/samples_last', '{replica}', mark)" in last
    assert layout.insert_settings() == {
        "async_insert": 0,
        "max_partitions_per_insert_block": 0,
        "optimize_on_insert": 0,
        "distributed_foreground_insert": 1,
        "insert_quorum": "auto",
        "insert_quorum_parallel": 0,
    }
    assert "select_sequential_consistency = 1" in layout.select_settings()


def test_copies_without_a_cluster_and_shards_without_copies():
    base = {"database": "d", "table": "t", "partition_days": 1}
    copies = Layout(**base, replicated=True).create()
    assert "ReplicatedReplacingMergeTree('/clickhouse/tables/all/d/t'" in copies[1]
    assert len(copies) == 3
    shards = Layout(**base, cluster="c").create()
    assert "ENGINE = ReplacingMergeTree(version)" in shards[1]
    assert "ENGINE = Distributed(" in shards[2]


def test_words_cannot_leave_their_quotes():
    assert name("a`; DROP") == "`a\\`; DROP`"
    assert text("a'b\\") == "'a\\'b\\\\'"
    assert among(["x", "y'"]) == "point IN ('x', 'y\\'')"
    assert during(-(2**63), 2**63) == "1 AND 1"
    assert during(0, 5) == "time_ns >= 0 AND time_ns < 5"


def test_of_equal_keys_the_last_row_counts():
    batch = Batch.of_rows([("a", 1, 1.0), ("b", 1, 2.0), ("a", 1, 3.0), ("a", 0, 4.0)])
    kept = {(r.point, r.time_ns): r.value for r in last_of_each(batch, by_time=True).rows()}
    assert kept == {("a", 1): 3.0, ("b", 1): 2.0, ("a", 0): 4.0}
    newest = {r.point: r.value for r in last_of_each(batch, by_time=False).rows()}
    assert newest == {"a": 3.0, "b": 2.0}
    assert len(last_of_each(Batch.empty(), by_time=True)) == 0


def test_an_address_is_shown_without_its_password():
    assert _shown("clickhouse://me:secret@db:8123/x") == "clickhouse://me@db:8123/x"
    assert _shown("chdb:///data") == "chdb:///data"


def test_a_server_that_is_not_there_is_a_mistake_in_the_settings():
    with pytest.raises(SettingsError, match="cannot be opened") as caught:
        Engine("clickhouse://me:secret@127.0.0.1:9/x", "", 1.0).open()
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(caught.value.__cause__)


def test_the_example_loads():
    plugin = find("stores", "clickhouse")
    assert isinstance(plugin.from_table("store", load_example(plugin)), plugin)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.floats(0, 9)), max_size=12))
def test_of_any_rows_the_last_of_each_key_is_kept(rows):
    batch = Batch.of_rows(rows)
    kept = list(last_of_each(batch, by_time=True).rows())
    assert {(r.point, r.time_ns): r.value for r in kept} == {(p, t): v for p, t, v in rows}
    assert len(kept) == len({(p, t) for p, t, _ in rows})
    newest = {r.point: (r.time_ns, r.value) for r in last_of_each(batch, by_time=False).rows()}
    wanted = {}
    for point, time, value in rows:
        if time >= wanted.get(point, (-1,))[0]:
            wanted[point] = (time, value)
    assert newest == wanted
