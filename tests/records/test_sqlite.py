"""What only a file can suffer: other processes, other versions, a full disk, tampering."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from lineshaft.core.errors import Invalid, SettingsError, Stale, Unavailable
from lineshaft.core.event import Event
from lineshaft.records import (
    And,
    Append,
    Collection,
    Column,
    Compare,
    Contains,
    IsNull,
    Not,
    Some,
    Suffix,
    sqlite,
)
from lineshaft.records.sqlite import finding, words
from lineshaft.records.sqlite.migrations import STEPS
from lineshaft.testing.records import COLLECTIONS, happened, keys, put

VERSION_1 = Path(__file__).with_name("version_1.sql")


@contextlib.contextmanager
def foreign(path):
    """The file as somebody else opens it."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        yield db


async def fill(make, events=6):
    records = make()
    async with records.opened(COLLECTIONS):
        await records.commit(*(happened(f"kind.{n}", "a/b", "eva") for n in range(events)))
        assert await records.verify() == events


# ---- the hash chain


COLUMNS = ("id", "time_ns", "kind", "path", "actor", "data", "hash")
TAMPERINGS = [
    *(
        f"UPDATE events SET {c} = {c} + 1 WHERE seq = {n}"
        if c == "time_ns"
        else f"UPDATE events SET {c} = replace({c}, substr({c}, -2, 1), 'X') WHERE seq = {n}"
        for c in COLUMNS
        for n in (1, 3, 6)
    ),
    "UPDATE events SET data = '{}' WHERE seq = 2",
    "UPDATE events SET data = 'nonsense' WHERE seq = 2",
    "UPDATE events SET data = '5' WHERE seq = 2",
    "UPDATE events SET kind = x'00ff' WHERE seq = 2",
    "UPDATE events SET time_ns = 'late' WHERE seq = 2",
    "DELETE FROM events WHERE seq = 1",
    "DELETE FROM events WHERE seq = 3",
    "DELETE FROM events WHERE seq = 6",
    "DELETE FROM events",
    "UPDATE events SET seq = 99 WHERE seq = 6",
    "INSERT INTO events SELECT 7, id, time_ns, kind, path, actor, data, hash FROM events"
    " WHERE seq = 6",
    "INSERT INTO events SELECT 0, id, time_ns, kind, path, actor, data, hash FROM events"
    " WHERE seq = 6",
    "UPDATE head SET seq = 5",
    "DELETE FROM head",
]


@pytest.mark.parametrize("sql", TAMPERINGS)
async def test_the_chain_tells_what_was_changed_removed_or_put_in(make, path, sql):
    await fill(make)
    with foreign(path) as db:
        # A flip that hits no text leaves all as it was; such a case would prove nothing.
        assert db.execute(sql).rowcount > 0
        before = db.total_changes
        assert before > 0
    records = make()
    async with records.opened(COLLECTIONS):
        with pytest.raises(Invalid, match=r"event|log"):
            await records.verify()


async def test_the_chain_tells_two_events_that_changed_places(make, path):
    await fill(make)
    with foreign(path) as db:
        for old, new in ((2, 99), (4, 2), (99, 4)):
            db.execute("UPDATE events SET seq = ? WHERE seq = ?", (new, old))
    records = make()
    async with records.opened(COLLECTIONS):
        with pytest.raises(Invalid, match="event 2"):
            await records.verify()


async def test_the_chain_tells_a_shortened_log_whose_hashes_fit(make, path):
    await fill(make)
    with foreign(path) as db:
        db.execute("DELETE FROM events WHERE seq > 4")
    records = make()
    async with records.opened(COLLECTIONS):
        with pytest.raises(Invalid, match="ends at event 4, but 6"):
            await records.verify()


# ---- versions of the file


async def test_a_file_of_the_version_before_is_brought_up(make, path):
    with foreign(path) as db:
        db.executescript(VERSION_1.read_text())
    records = make()
    async with records.opened(COLLECTIONS):
        assert (await records.get("things", "a")).version == 3
        assert await keys(records, Compare("name", "=", "n")) == ["a"]
        assert await keys(records, IsNull("count")) == ["a"]
        assert [e.event.kind for e in await records.events()] == ["access.login", "write.done"]
        assert (await records.events())[1].event.data == {"value": 1.5, "text": "ü"}
        assert await records.verify() == 2
        assert await records.commit(happened("three"), put("a", expected=3)) == [3, 4]
        assert await records.verify() == 3
    with foreign(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
        db.execute("UPDATE events SET actor = 'adam' WHERE seq = 1")
    again = make()
    async with again.opened(COLLECTIONS):
        with pytest.raises(Invalid, match="event 1"):
            await again.verify()


async def test_rows_that_name_their_document_by_its_key_are_brought_up(make, path):
    with foreign(path) as db:
        db.executescript(VERSION_1.read_text())
        STEPS[1](db)
        db.execute("PRAGMA user_version = 2")
        db.execute("CREATE INDEX by_things_name ON rows_things (c_name, key)")
        for key, names in (("0", "m"), ("b", "nm")):
            db.execute("INSERT INTO documents VALUES ('things', ?, 7, '1')", (key,))
            for row, name in enumerate(names):
                db.execute("INSERT INTO rows_things VALUES (?, ?, ?)", (key, row, name))
    records = make()
    async with records.opened(COLLECTIONS):
        assert await keys(records) == ["0", "a", "b"]
        assert await keys(records, Compare("name", "=", "n")) == ["a", "b"]
        assert await keys(records, Compare("name", "=", "m"), order=("-name",)) == ["0", "b"]
        assert await keys(records, order=("name",)) == ["0", "b", "a"]
        assert await records.commit(put("b", {"name": "x"}, expected=7)) == [8]
        assert await keys(records, Compare("name", "=", "n")) == ["a"]
        assert await records.verify() == 2


async def test_indexes_follow_what_the_collection_names(make, path):
    def there():
        with foreign(path) as db:
            sql = "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'by_things%'"
            return {name for (name,) in db.execute(sql)}

    columns = {"name": Column.TEXT, "count": Column.INTEGER}
    async with make().opened([Collection(name="things", columns=columns)]):
        assert there() == {"by_things_name", "by_things_count"}
    both = Collection(name="things", columns=columns, indexes=(("name", "count"),))
    records = make()
    async with records.opened([both]):
        assert there() == {"by_things_name_and_count"}
        await records.commit(put("a", {"name": "n"}, {"count": 1}), put("b", {"name": "m"}))
        assert await keys(records, Compare("count", "=", 1)) == ["a"]
        assert await keys(records, IsNull("name")) == ["a"]
        assert await keys(records, order=("-name",)) == ["a", "b"]
    with pytest.raises(Invalid, match="no column 'weight'"):
        async with make().opened(
            [Collection(name="things", columns=columns, indexes=(("weight",),))]
        ):
            pass


async def test_rows_that_stay_the_same_are_not_written_again(make):
    records = make()
    async with records.opened(COLLECTIONS):
        rows = [{"name": f"n{n}", "count": n, "colour": "red"} for n in range(5)]
        await records.commit(put("a", *rows))
        statements = []
        records._db.set_trace_callback(statements.append)
        await records.commit(put("a", *rows))
        await records.commit(put("a", *rows[:2], rows[2] | {"count": 9}, *rows[3:]))
        records._db.set_trace_callback(None)
        of_rows = [s for s in statements if "rows_things" in s and not s.startswith("SELECT")]
        assert of_rows == ['UPDATE "rows_things" SET "c_count" = 9 WHERE doc = 1 AND row = 2']
        assert await keys(records, Compare("count", "=", 9)) == ["a"]
        assert await keys(records, Compare("count", "=", 2)) == []


async def test_a_word_of_a_transaction_that_was_undone_is_learned_again(make):
    records = make()
    async with records.opened(COLLECTIONS):
        with pytest.raises(Stale):
            await records.commit(put("a", {"colour": "red"}), put("b", expected=5))
        await records.commit(put("c", {"colour": "blue"}), put("d", {"colour": "red"}))
        assert await keys(records, Compare("colour", "=", "red")) == ["d"]
        assert await keys(records, Compare("colour", "=", "blue")) == ["c"]
        assert await keys(records, Not(Compare("colour", "=", "green"))) == ["c", "d"]


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"MANY": 5},
        {"MANY": 5, "WALK_MAX": 3},
        {"MANY": 5, "WALK_MAX": 3, "MOST": 4},
        {"FEW": 0, "MANY": 5, "WALK_MAX": 1},
    ],
    ids=str,
)
async def test_every_way_to_the_documents_leads_to_the_same_answer(make, monkeypatch, sizes):
    for name, size in sizes.items():
        monkeypatch.setattr(finding, name, size)
    records = make()
    async with records.opened(COLLECTIONS):
        rows = [{"name": "n", "count": n % 3} for n in range(30)]
        await records.commit(*(put(f"k{n:02}", row, {"name": "m"}) for n, row in enumerate(rows)))
        last = And((Some(Compare("name", "=", "m")), Compare("key", ">", "k25")))
        where = And((Some(Compare("name", "=", "m")), Compare("count", "=", 1)))
        wanted = [f"k{n:02}" for n in range(1, 30, 3)]
        for order, expected in (("key", wanted), ("-key", wanted[::-1])):
            assert await keys(records, where, order=(order,)) == expected
            found, cursor = [], ""
            while True:
                page = await records.find("things", where, order=(order,), cursor=cursor, limit=4)
                found += [r.key for r in page.records]
                if not (cursor := page.cursor):
                    break
            assert found == expected
        assert await keys(records, last) == ["k26", "k27", "k28", "k29"]
        assert await keys(records, Compare("name", "=", "nowhere")) == []


async def test_words_that_come_later_are_found_by_their_end_too(make, monkeypatch):
    monkeypatch.setattr(words, "NUMBERS_MAX", 3)
    ends = Suffix("colour", "red")
    records = make()
    async with records.opened(COLLECTIONS):
        assert await keys(records, ends) == []
        for n in range(6):  # from the fourth on there are too many to be named
            await records.commit(put(f"k{n}", {"colour": f"{n}red"}), put(f"o{n}", {"colour": "o"}))
            assert await keys(records, ends) == [f"k{m}" for m in range(n + 1)]
            assert await keys(records, ends, order=("-key",)) == [f"k{m}" for m in range(n, -1, -1)]
            assert await keys(records, ends, order=("colour",)) == [f"k{m}" for m in range(n + 1)]
            assert len(await keys(records, Not(ends))) == n + 1


async def test_what_several_indexes_name_is_met(make, monkeypatch):
    monkeypatch.setattr(finding, "FEW", 4)
    records = make()
    async with records.opened(COLLECTIONS):
        rows = [({"count": n}, {"count": 100 + n % 5}) for n in range(60)]
        await records.commit(*(put(f"k{n:02}", *two) for n, two in enumerate(rows)))
        for low in range(0, 60, 7):
            where = And(
                (
                    Some(Compare("count", ">=", low)),
                    Some(And((Compare("count", "<", low + 6), Compare("count", ">=", 0)))),
                    Some(Compare("count", "=", 102)),
                )
            )
            wanted = [f"k{n:02}" for n in range(60) if n < low + 6 and n % 5 == 2]
            assert await keys(records, where) == wanted


async def test_commits_that_wait_share_a_transaction_and_no_failure(make, path):
    records = make()
    async with records.opened(COLLECTIONS):
        await records.commit(put("old"))
        outcomes = {}

        async def work(n):
            try:
                match n % 4:
                    case 0:
                        await records.commit(put(f"k{n}", {"colour": f"c{n}"}), happened("put"))
                    case 1:
                        await records.commit(
                            put(f"k{n}", {"colour": f"c{n}"}), put("x", expected=7)
                        )
                    case 2:
                        await records.commit(put(f"k{n}", {"taste": 1}))
                    case 3:
                        await records.commit(put(f"k{n}"), put("old", expected=1))
                outcomes[n] = "done"
            except (Stale, Invalid) as error:
                outcomes[n] = type(error).__name__

        async with asyncio.TaskGroup() as group:
            for n in range(80):
                group.create_task(work(n))
        assert [outcomes[n] for n in range(0, 80, 4)] == ["done"] * 20
        assert {outcomes[n] for n in range(1, 80, 4)} == {"Stale"}
        assert {outcomes[n] for n in range(2, 80, 4)} == {"Invalid"}
        assert sorted(outcomes[n] for n in range(3, 80, 4)) == ["Stale"] * 19 + ["done"]
        winner = next(n for n in range(3, 80, 4) if outcomes[n] == "done")
        assert set(await keys(records)) == {
            "old",
            f"k{winner}",
            *(f"k{n}" for n in range(0, 80, 4)),
        }
        for n in range(0, 80, 4):
            assert await keys(records, Compare("colour", "=", f"c{n}")) == [f"k{n}"]
        assert await records.verify() == 20


async def test_commits_that_wait_are_synced_together(make, path):
    records = make()
    async with records.opened(COLLECTIONS):
        begun = []
        with foreign(path) as db:
            records._db.set_trace_callback(begun.append)
            async with asyncio.TaskGroup() as group:
                for n in range(50):
                    group.create_task(records.commit(put(f"k{n}")))
            await records.commit(put("last"))
            records._db.set_trace_callback(None)
            assert db.execute("SELECT count(*) FROM documents").fetchone() == (51,)
        assert begun.count("COMMIT") < 25


async def test_a_defect_in_one_commit_is_told_and_later_ones_are_done(make, monkeypatch):
    records = make()
    async with records.opened(COLLECTIONS):
        await records.commit(put("before"), happened("first"))

        def broken(*_):
            raise RuntimeError("canary 4713")

        with monkeypatch.context() as patch:
            patch.setattr(records._commits._writing, "change", broken)
            with pytest.raises(RuntimeError, match="4713"):
                await records.commit(happened("lost"), put("k"))
        await records.commit(put("after"), happened("second"))
        assert await keys(records) == ["after", "before"]
        assert [e.event.kind for e in await records.events()] == ["first", "second"]
        assert await records.verify() == 2


async def test_a_question_that_looks_at_too_much_is_ended(make, monkeypatch):
    records = make()
    async with records.opened(COLLECTIONS):
        await records.commit(*(put(f"k{n}", *[{"count": n}] * 50) for n in range(200)))
        monkeypatch.setattr(sqlite, "STEPS_A_CALL", 1000)
        monkeypatch.setattr(sqlite, "STEPS_MAX", 3)
        with pytest.raises(Unavailable, match="too much"):
            await records.find("things", Contains("name", "x"))
        assert (await records.get("things", "k1")).version == 1
        assert await records.verify() == 0


async def test_a_step_that_fails_leaves_the_file_as_it_was(make, path):
    with foreign(path) as db:
        db.executescript(VERSION_1.read_text())
        db.execute("CREATE TABLE head (in_the_way)")
    records = make()
    with pytest.raises(SettingsError, match="cannot be used"):
        async with records.opened(COLLECTIONS):
            pass
    with foreign(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        db.execute("DROP TABLE head")
    async with make().opened(COLLECTIONS):
        pass


async def test_a_file_of_a_newer_program_is_left_alone(make, path):
    await fill(make)
    with foreign(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(SettingsError, match="version 99, this program knows up to 3"):
        async with make().opened(COLLECTIONS):
            pass


async def test_a_foreign_database_is_left_alone(make, path):
    with foreign(path) as db:
        db.execute("CREATE TABLE bookkeeping (sum)")
    with pytest.raises(SettingsError, match="not of this program"):
        async with make().opened(COLLECTIONS):
            pass


@pytest.mark.parametrize("content", [b"not a database, but long enough to look like one" * 99])
async def test_a_file_that_is_no_database_is_told(make, path, content):
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="cannot be used"):
        async with make().opened(COLLECTIONS):
            pass
    assert path.read_bytes() == content


async def test_a_column_of_another_type_is_told(make):
    await fill(make)
    changed = Collection(name="things", columns={"count": Column.TEXT})
    with pytest.raises(SettingsError, match="column count of things is of type integer"):
        async with make().opened([changed]):
            pass


@pytest.mark.parametrize("name", ["key", "row", "Things", "drop table", "", "a" * 41])
async def test_a_name_that_cannot_be_a_column_is_told(make, name):
    with pytest.raises(Invalid, match="cannot be a name"):
        async with make().opened([Collection(name="things", columns={name: Column.TEXT})]):
            pass


# ---- other processes


HOLD = """
import asyncio, sys
from lineshaft.core.plugin import build
from lineshaft.records import Records

async def hold():
    records = build(Records, {"kind": "sqlite", "path": sys.argv[1]})
    async with records.opened(()):
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(hold())
"""


async def test_a_second_process_is_told_who_has_the_file(make, path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert await asyncio.to_thread(holder.stdout.readline) == b"open\n"
        with pytest.raises(SettingsError, match=f"in use by process {holder.pid}") as caught:
            async with make().opened(COLLECTIONS):
                pass
        assert "Stop that process" in caught.value.remedy
        holder.kill()
    async with make().opened(COLLECTIONS):
        pass


async def test_the_same_process_cannot_open_the_file_twice(make):
    async with make().opened(COLLECTIONS):
        with pytest.raises(SettingsError, match="in use"):
            async with make().opened(COLLECTIONS):
                pass


async def test_only_the_owner_can_read_the_file(make, path):
    records = make()
    async with records.opened(COLLECTIONS):
        await records.commit(put("a"))
        files = sorted(path.parent.iterdir())
        assert {f.name for f in files} == {
            "records.db",
            "records.db-wal",
            "records.db-shm",
            "records.db.lock",
        }
        assert [f.stat().st_mode & 0o777 for f in files] == [0o600] * 4


@pytest.mark.parametrize("place", ["", "/dev/null/records.db"])
async def test_a_place_that_cannot_be_is_told(make, place):
    records = type(make())("records", type(make()).Config(path=place))
    with pytest.raises(SettingsError, match=r"path is empty|cannot be opened"):
        async with records.opened(COLLECTIONS):
            pass


# ---- the disk


FULL = """
import asyncio, resource, signal, sys
from lineshaft.core.errors import Unavailable
from lineshaft.core.event import Event
from lineshaft.core.plugin import build
from lineshaft.records import Append, Collection, Put, Records

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

async def fill():
    records = build(Records, {"kind": "sqlite", "path": sys.argv[1]})
    async with records.opened([Collection(name="things")]):
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        done, full = 0, 0
        while not full:
            try:
                await records.commit(
                    Put(collection="things", key=str(done), data=b'"' + b"x" * 5000 + b'"'),
                    Append(event=Event(kind="kept")),
                )
                done += 1
            except Unavailable as error:
                full += 1
                assert error.remedy
        # Reading goes on, and each further try is refused as long as there is no room.
        assert await records.get("things", str(done - 1)), done
        assert await records.get("things", str(done)) is None
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await records.commit(Append(event=Event(kind="after")))
        print(done, await records.verify())

asyncio.run(fill())
"""


async def test_a_full_disk_refuses_what_it_cannot_keep_and_mends_itself(make, path):
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", FULL, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kept, verified = map(int, done.stdout.split())
    assert kept > 10
    assert verified == kept + 1


DIE = """
import asyncio, itertools, sys
from lineshaft.core.event import Event
from lineshaft.core.plugin import build
from lineshaft.records import Append, Collection, Put, Records

async def write():
    records = build(Records, {"kind": "sqlite", "path": sys.argv[1]})
    async with records.opened([Collection(name="things")]):
        for n in itertools.count():
            await records.commit(
                Put(collection="things", key=f"{n:06}", data=b"1"), Append(event=Event(kind="k"))
            )
            print(n, flush=True)

asyncio.run(write())
"""


async def test_what_was_acknowledged_survives_a_kill(make, path):
    writer = subprocess.Popen([sys.executable, "-c", DIE, str(path)], stdout=subprocess.PIPE)
    with writer:
        for _ in range(20):
            last = int(await asyncio.to_thread(writer.stdout.readline))
        writer.kill()
        rest = await asyncio.to_thread(writer.stdout.read)
    last = int((rest.split(b"\n")[-2]) if rest.endswith(b"\n") else last)
    records = make()
    async with records.opened([Collection(name="things")]):
        kept = {r.key for r in (await records.find("things", limit=1000)).records}
        assert kept >= {f"{n:06}" for n in range(last + 1)}
        assert await records.verify() == len(kept)


async def test_an_error_of_the_engine_is_told_as_unavailable(make, path):
    records = make()
    async with records.opened(COLLECTIONS):
        with foreign(path) as db:
            db.execute("DROP TABLE rows_things")
        with pytest.raises(Unavailable, match="cannot be read: no such table"):
            await records.find("things", IsNull("name"))
        await records.commit(Append(event=Event(kind="still.works")))


async def test_an_event_that_cannot_be_read_is_told(make, path):
    await fill(make)
    records = make()
    async with records.opened(COLLECTIONS):
        with foreign(path) as db:
            db.execute("UPDATE events SET data = 'nonsense' WHERE seq = 3")
        with pytest.raises(Unavailable, match="an event that cannot be read"):
            await records.events()
        assert len(await records.events(before=3)) == 2
