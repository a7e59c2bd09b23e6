"""The contract of records, as plain coroutines that take what opens them; questions stand apart.

`Make` gives a new object on the same place each time it is called, so that a check can close
the records and open them again.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lineshaft.core.errors import Invalid, Missing, Stale
from lineshaft.core.event import Event
from lineshaft.records import (
    Append,
    Cell,
    Collection,
    Column,
    Compare,
    Delete,
    IsNull,
    Predicate,
    Put,
    Records,
)

Make = Callable[[], Records]
Check = Callable[[Make], Awaitable[None]]

THINGS = Collection(
    name="things",
    columns={
        "name": Column.TEXT,
        "count": Column.INTEGER,
        "weight": Column.REAL,
        "on": Column.BOOLEAN,
        "colour": Column.WORD,
    },
)
OTHERS = Collection(name="others")
COLLECTIONS = (THINGS, OTHERS)


def put(key: str, *rows: dict[str, Cell], expected: int | None = None) -> Put:
    """A change that writes a thing with these index rows."""
    data = b'{"key":"' + key.encode() + b'"}'
    return Put(collection="things", key=key, data=data, rows=rows, expected=expected)


def drop(key: str, expected: int | None = None) -> Delete:
    """A change that removes a thing."""
    return Delete(collection="things", key=key, expected=expected)


def happened(kind: str, path: str = "", actor: str = "lineshaft") -> Append:
    """A change that logs an event."""
    return Append(event=Event(kind=kind, path=path, actor=actor, data={"n": 1, "text": "ü"}))


async def keys(
    records: Records, where: Predicate | None = None, *, order: tuple[str, ...] = ("key",)
) -> list[str]:
    """The keys of all things that fit, in order."""
    return [r.key for r in (await records.find("things", where, order=order, limit=1000)).records]


async def gives_back_what_was_put(make: Make) -> None:
    """The bytes come back, versions count up, and what is not there is None."""
    records = make()
    async with records.opened(COLLECTIONS):
        assert await records.get("things", "a") is None
        text = '{"ü": [1, 2.5, null]}'.encode()
        assert await records.commit(Put(collection="things", key="a", data=text)) == [1]
        kept = await records.get("things", "a")
        assert kept is not None
        assert (kept.key, kept.version, kept.data) == ("a", 1, text)
        assert await records.commit(put("a"), put("a")) == [2, 3]
        assert await records.get("others", "a") is None
        other = Put(collection="others", key="a", data=b"1")
        assert await records.commit(other, other) == [1, 2]
        assert await records.commit(drop("a")) == [0]
        assert await records.get("things", "a") is None
        assert await records.commit(put("a")) == [1]


async def refuses_a_stale_version(make: Make) -> None:
    """A change for another version than the present one is refused and changes nothing."""
    records = make()
    async with records.opened(COLLECTIONS):
        await records.commit(put("a", expected=0))
        with pytest.raises(Stale, match="version 1"):
            await records.commit(put("a", expected=0))
        with pytest.raises(Stale, match="does not exist"):
            await records.commit(put("b", expected=1))
        assert await records.commit(put("a", expected=1)) == [2]
        with pytest.raises(Stale):
            await records.commit(drop("a", expected=1))
        with pytest.raises(Missing):
            await records.commit(drop("b", expected=1))
        assert await records.commit(drop("b")) == [0]
        assert await records.commit(drop("a", expected=2)) == [0]


async def only_one_of_two_writers_wins(make: Make) -> None:
    """Of many who change the same version at once, exactly one succeeds."""
    records = make()
    async with records.opened(COLLECTIONS):
        await records.commit(put("a"))
        won = 0

        async def change() -> None:
            nonlocal won
            try:
                await records.commit(put("a", expected=1))
                won += 1
            except Stale:
                pass

        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(change())
        assert won == 1


async def commits_all_or_nothing(make: Make) -> None:
    """A failing change leaves neither documents, index rows nor events of the others."""
    records = make()
    async with records.opened(COLLECTIONS):
        await records.commit(put("old", {"name": "old"}), happened("one"))
        with pytest.raises(Stale):
            await records.commit(
                put("new", {"name": "new"}),
                put("old", {"name": "changed"}),
                happened("two"),
                drop("old"),
                put("nowhere", expected=7),
            )
        assert await keys(records) == ["old"]
        assert await keys(records, Compare("name", "=", "old")) == ["old"]
        assert [e.event.kind for e in await records.events()] == ["one"]
        assert await records.commit(happened("three")) == [2]
        assert await records.verify() == 2


async def refuses_what_no_column_can_hold(make: Make) -> None:
    """Values of another type, unknown columns and text that is not JSON are told."""
    records = make()
    wrong: list[dict[str, Cell]] = [
        {"name": 1},
        {"name": "a\0b"},
        {"name": "\ud800"},
        {"count": 1.5},
        {"count": True},
        {"count": 2**63},
        {"weight": float("nan")},
        {"weight": "1"},
        {"on": 1},
        {"taste": "sour"},
        {"colour": 1},
        {"key": "b"},
    ]
    async with records.opened(COLLECTIONS):
        for row in wrong:
            with pytest.raises(Invalid):
                await records.commit(put("a", row))
        with pytest.raises(Invalid, match="JSON"):
            await records.commit(Put(collection="things", key="a", data=b"{'a': 1}"))
        with pytest.raises(Invalid, match="nothing_such"):
            await records.commit(Put(collection="nothing_such", key="a", data=b"1"))
        with pytest.raises(Invalid, match="nothing_such"):
            await records.get("nothing_such", "a")
        with pytest.raises(Invalid, match="JSON"):
            await records.commit(Append(event=Event(kind="x", data={"it": object()})))
        assert await keys(records) == []
        assert await records.events() == []


async def filters_events(make: Make) -> None:
    """Events come in order, within the span, by kind, branch and actor."""
    records = make()
    async with records.opened(COLLECTIONS):
        made = [
            happened("access.login", "a/b", "eva"),
            happened("access", "a/bc", "eva"),
            happened("accessory", "a", "adam"),
            happened("write.done", "a/b/c", "adam"),
        ]
        assert await records.commit(*made) == [1, 2, 3, 4]

        async def seqs(**asked: object) -> list[int]:
            return [e.seq for e in await records.events(**asked)]  # type: ignore[arg-type]

        assert await seqs() == [1, 2, 3, 4]
        assert [e.event for e in await records.events()] == [m.event for m in made]
        assert await seqs(newest_first=True, limit=2) == [4, 3]
        assert await seqs(after=1, before=4) == [2, 3]
        assert await seqs(after=2**70) == []
        assert await seqs(before=-1) == []
        assert await seqs(kind="access") == [1, 2]
        assert await seqs(kind="access.login") == [1]
        assert await seqs(path="a/b") == [1, 4]
        assert await seqs(path="a") == [1, 2, 3, 4]
        assert await seqs(actor="eva") == [1, 2]
        assert await seqs(actor="adam", path="a/b", kind="write") == [4]


async def chains_events(make: Make) -> None:
    """Each hash covers the one before it, so equal events have different hashes."""
    records = make()
    async with records.opened(COLLECTIONS):
        assert await records.verify() == 0
        event = Event(kind="same", data={"2": 1, "10": [1.0, {"b": None, "a": "é"}]})
        await records.commit(Append(event=event), Append(event=event))
        first, second = await records.events()
        assert first.event == second.event == event
        assert first.hash != second.hash
        assert len(first.hash) == 64
        assert await records.verify() == 2


async def serves_many_at_once(make: Make) -> None:
    """Readers and writers at the same time neither fail nor lose events."""
    records = make()
    async with records.opened(COLLECTIONS):

        async def work(n: int) -> None:
            for m in range(5):
                key = f"k{n}-{m}"
                await records.commit(put(key, {"count": n}), happened("put", key))
                assert await records.get("things", key)
                assert key in await keys(records, Compare("count", "=", n))

        async with asyncio.TaskGroup() as group:
            for n in range(8):
                group.create_task(work(n))
        assert [e.seq for e in await records.events()] == list(range(1, 41))
        assert await records.verify() == 40


RECORDS: tuple[Check, ...] = (
    gives_back_what_was_put,
    refuses_a_stale_version,
    only_one_of_two_writers_wins,
    commits_all_or_nothing,
    refuses_what_no_column_can_hold,
    filters_events,
    chains_events,
    serves_many_at_once,
)
"""What every engine must pass, beside `testing.questions`."""


async def keeps_over_a_restart(make: Make) -> None:
    """What was committed is there when the records are opened again, by a new object."""
    first = make()
    async with first.opened(COLLECTIONS):
        await first.commit(put("a", {"name": "n"}, {"name": "m"}), happened("one"))
        before = await first.events()
    second = make()
    async with second.opened(COLLECTIONS):
        assert await keys(second, Compare("name", "=", "m")) == ["a"]
        assert await second.events() == before
        assert await second.commit(put("a", expected=1), happened("two")) == [2, 2]
        assert await second.verify() == 2


async def grows_new_columns(make: Make) -> None:
    """A column that is declared later is null until a document is put again."""
    narrow = Collection(name="things", columns={"name": Column.TEXT})
    first = make()
    async with first.opened([narrow]):
        await first.commit(put("a", {"name": "n"}), put("b", {"name": "n"}))
    second = make()
    async with second.opened(COLLECTIONS):
        assert await keys(second, IsNull("on")) == ["a", "b"]
        await second.commit(put("a", {"name": "n", "on": True}))
        assert await keys(second, Compare("on", "=", True)) == ["a"]
        assert await keys(second, Compare("name", "=", "n")) == ["a", "b"]


KEPT_RECORDS: tuple[Check, ...] = (keeps_over_a_restart, grows_new_columns)
"""What every engine must pass that keeps records when the process ends."""
