"""Documents are read as they were written, whoever writes beside."""

import asyncio
import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.core.access import Identity
from lineshaft.core.errors import Missing, Stale, Unavailable
from lineshaft.core.event import Event
from lineshaft.core.plugin import build
from lineshaft.records import Append, Compare, Records
from lineshaft.twins import Class
from lineshaft.twins.documents import COLLECTIONS, Documents, Remove, Write

EVA = Identity(name="eva")


def shell(id_, **more):
    return {"modelType": "AssetAdministrationShell", "id": id_, **more}


def write(id_, **more):
    class_ = more.pop("class_", Class.SHELL)
    options = {k: more.pop(k) for k in ("expected", "path", "origin", "detail") if k in more}
    return Write(class_=class_, id=id_, obj=shell(id_, **more), **options)


@pytest.fixture(params=["memory", "sqlite"])
async def records(request, tmp_path):
    table = {"kind": request.param}
    if request.param == "sqlite":
        table["path"] = str(tmp_path / "records.db")
    engine = build(Records, table)
    async with engine.opened(COLLECTIONS):
        yield engine


@pytest.fixture
def documents(records):
    return Documents(records)


async def test_what_is_written_is_read_at_once_with_its_version_and_place(documents):
    (made,) = await documents.commit(EVA, write("a", path="acme/press", origin="import"))
    assert (made.version, made.path, made.origin) == (1, "acme/press", "import")
    assert msgspec.json.decode(made.data) == shell("a")
    (after,) = await documents.commit(EVA, write("a", idShort="A1"))
    assert (after.version, after.path, after.origin) == (2, "acme/press", "import")
    assert await documents.get(Class.SHELL, "a") == after
    assert await documents.get(Class.SUBMODEL, "a") is None
    assert await documents.path_of(Class.SHELL, "a") == "acme/press"
    with pytest.raises(Missing, match="'b'"):
        await documents.path_of(Class.SHELL, "b")


async def test_another_object_on_the_same_records_reads_the_same(documents, records):
    (made,) = await documents.commit(EVA, write("ü/a b", path="acme", description="ü"))
    assert await Documents(records).get(Class.SHELL, "ü/a b") == made


async def test_expectations_are_kept(documents):
    await documents.commit(EVA, write("a", expected=0))
    with pytest.raises(Stale, match="exists already"):
        await documents.commit(EVA, write("a", expected=0))
    with pytest.raises(Stale, match="has version 1"):
        await documents.commit(EVA, write("a", expected=2))
    with pytest.raises(Stale, match="does not exist"):
        await documents.commit(EVA, write("b", expected=1))
    with pytest.raises(Missing):
        await documents.commit(EVA, Remove(class_=Class.SHELL, id="b"))
    with pytest.raises(Stale):
        await documents.commit(EVA, Remove(class_=Class.SHELL, id="a", expected=3))
    assert await documents.commit(EVA, Remove(class_=Class.SHELL, id="a", expected=1)) == [None]
    assert await documents.get(Class.SHELL, "a") is None


async def test_a_commit_is_done_wholly_or_not_at_all(documents, records):
    with pytest.raises(Missing):
        await documents.commit(EVA, write("a"), Remove(class_=Class.SHELL, id="nowhere"))
    assert await documents.get(Class.SHELL, "a") is None
    assert await records.events() == []
    done = await documents.commit(EVA, write("a"), write("b"), write("a", idShort="twice"))
    assert [d.version for d in done] == [1, 1, 2]
    assert (await documents.get(Class.SHELL, "a")).version == 2


async def test_every_change_has_one_event_in_the_log_and_is_told_afterwards(records):
    told = []

    async def announce(event):
        assert event in [e.event for e in await records.events()]
        told.append(event)

    documents = Documents(records, announce=announce)
    await documents.commit(EVA, write("a", path="acme/press", detail={"why": "new"}))
    await documents.change(Class.SHELL, "a", EVA, lambda obj: None, detail={"idShortPath": "A.B"})
    await documents.change(Class.SHELL, "a", EVA, lambda obj: None, kind="twin.value")
    await documents.commit(EVA, Remove(class_=Class.SHELL, id="a"))
    assert [e.event for e in await records.events()] == told
    assert [(e.kind, e.path, e.actor) for e in told] == [
        ("twin.created", "acme/press", "eva"),
        ("twin.updated", "acme/press", "eva"),
        ("twin.value", "acme/press", "eva"),
        ("twin.deleted", "acme/press", "eva"),
    ]
    assert told[0].data == {"class": "shells", "id": "a", "version": 1, "why": "new"}
    assert told[1].data == {"class": "shells", "id": "a", "version": 2, "idShortPath": "A.B"}
    assert told[3].data["version"] == 3


async def test_an_event_that_cannot_be_told_does_not_undo_the_write(records):
    async def announce(event):
        raise Unavailable("nobody listens")

    (made,) = await Documents(records, announce=announce).commit(EVA, write("a"))
    assert made.version == 1
    assert len(await records.events()) == 1


async def test_other_changes_go_along_in_the_same_transaction(documents, records):
    more = (Append(event=Event(kind="beside")),)
    await documents.commit(EVA, Write(class_=Class.SHELL, id="a", obj=shell("a"), more=more))
    assert [e.event.kind for e in await records.events()] == ["twin.created", "beside"]


async def test_a_hundred_writers_of_one_shell_lose_nothing(documents):
    await documents.commit(EVA, write("a", count=0))

    def count(obj):
        obj["count"] += 1
        return obj["count"]

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(documents.change(Class.SHELL, "a", EVA, count)) for _ in range(100)
        ]
    assert sorted(t.result()[1] for t in tasks) == list(range(1, 101))
    assert sorted(t.result()[0].version for t in tasks) == list(range(2, 102))
    found = await documents.get(Class.SHELL, "a")
    assert msgspec.json.decode(found.data)["count"] == 100


async def test_of_many_who_change_the_same_version_one_wins(documents):
    (made,) = await documents.commit(EVA, write("a"))
    first = f'"{made.tag}"'

    async def change():
        try:
            await documents.change(Class.SHELL, "a", EVA, lambda obj: None, if_match=first)
        except Stale:
            return 0
        return 1

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(change()) for _ in range(20)]
    assert sum(t.result() for t in tasks) == 1


@pytest.mark.parametrize("form", ['"{}"', "{}", 'W/"{}"', '"7", "{}"', "*", " "])
async def test_an_if_match_that_fits_lets_through(documents, form):
    (made,) = await documents.commit(EVA, write("a"))
    first = form.format(made.tag)
    after, _ = await documents.change(Class.SHELL, "a", EVA, lambda obj: None, if_match=first)
    assert after.version == 2


async def test_what_alter_refuses_changes_nothing(documents, records):
    await documents.commit(EVA, write("a"))

    def refuse(obj):
        obj["idShort"] = "spoiled"
        raise Missing("no such element")

    with pytest.raises(Missing, match="element"):
        await documents.change(Class.SHELL, "a", EVA, refuse)
    assert msgspec.json.decode((await documents.get(Class.SHELL, "a")).data) == shell("a")
    assert len(await records.events()) == 1


async def test_a_caller_who_goes_away_leaves_cache_and_records_alike(documents, records):
    await documents.commit(EVA, write("a", count=0))

    def count(obj):
        obj["count"] += 1

    for waits in range(12):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(documents.change(Class.SHELL, "a", EVA, count))
            for _ in range(waits):
                await asyncio.sleep(0)
            task.cancel()
    # Those cut off have been brought to their end when the next one has its turn.
    await documents.change(Class.SHELL, "a", EVA, count)
    found = await documents.get(Class.SHELL, "a")
    assert found == await Documents(records).get(Class.SHELL, "a")
    assert len(await records.events()) == found.version


async def test_the_cache_keeps_within_its_bytes(records):
    documents = Documents(records, cache_mb=0.01)
    for n in range(50):
        await documents.commit(EVA, write(f"{n}", idShort="x" * 400))
    assert 1 < len(documents._cache._kept) < 20
    assert documents._cache._bytes <= 10_000
    for n in range(50):
        assert (await documents.get(Class.SHELL, f"{n}")).version == 1
    assert documents._cache._bytes <= 10_000


async def test_readers_beside_a_writer_never_go_back(records):
    documents = Documents(records, cache_mb=0.001)
    await documents.commit(EVA, write("a"))
    done = False

    async def look():
        last = 0
        while not done:
            version = (await documents.get(Class.SHELL, "a")).version
            assert version >= last
            last = version
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(look())
        for n in range(30):
            (after,) = await documents.commit(EVA, write("a", count=n))
            assert await documents.get(Class.SHELL, "a") == after
        done = True


async def test_pages_beside_a_writer_never_go_back(records):
    documents = Documents(records)
    await documents.commit(EVA, write("a"), write("b"))
    done = False

    async def look():
        last = (0, 0)
        while not done:
            some, _ = await documents.find(Class.SHELL)
            versions = tuple(d.version for d in some)
            assert versions >= last
            last = versions
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(look())
        for n in range(30):
            after = await documents.commit(EVA, write("a", count=n), write("b", count=n))
            some, _ = await documents.find(Class.SHELL)
            assert some == after
        done = True


async def all_of(documents, where=None, limit=3):
    found, cursor = [], ""
    while True:
        some, cursor = await documents.find(Class.SHELL, where, cursor=cursor, limit=limit)
        found += [d.id for d in some]
        if not cursor:
            return found


async def test_all_are_found_in_order_page_by_page(documents):
    await documents.commit(EVA, *(write(f"{n:02}", path=f"acme/{n % 2}") for n in range(20)))
    assert await all_of(documents) == [f"{n:02}" for n in range(20)]
    odd = await all_of(documents, Compare("path", "=", "acme/1"))
    assert odd == [f"{n:02}" for n in range(1, 20, 2)]


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=30),
    st.integers(1, 5),
)
async def test_pages_have_no_gap_and_no_double_while_documents_come_and_go(changes, limit):
    engine = build(Records, {"kind": "memory"})
    async with engine.opened(COLLECTIONS):
        documents = Documents(engine)
        stay = {f"{n:02}" for n in range(0, 31, 3)}
        await documents.commit(EVA, *(write(id_) for id_ in stay))
        found, cursor = [], ""
        todo = iter(changes)
        while True:
            some, cursor = await documents.find(Class.SHELL, cursor=cursor, limit=limit)
            found += [d.id for d in some]
            if not cursor:
                break
            for comes, n in itertools.islice(todo, 3):
                id_ = f"{n:02}"
                if id_ in stay:
                    continue
                if comes:
                    await documents.commit(EVA, write(id_))
                elif await documents.get(Class.SHELL, id_):
                    await documents.commit(EVA, Remove(class_=Class.SHELL, id=id_))
        assert found == sorted(set(found))
        assert stay <= set(found)
