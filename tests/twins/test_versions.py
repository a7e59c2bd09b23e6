"""What people replace is kept for a while: as many versions as are asked for, and no more bytes."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.errors import Missing, Stale
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.twins import Class, set_values
from lineshaft.twins.documents import COLLECTIONS, Documents, Remove, Write
from lineshaft.twins.versions import COLLECTION, Versions

EVA = Identity(name="eva")
SHELL = Class.SHELL


def write(text, **more):
    return Write(class_=SHELL, id="urn:a b", obj={"id": "urn:a b", "category": text}, **more)


@pytest.fixture
async def records(tmp_path):
    engine = build(Records, {"kind": "sqlite", "path": str(tmp_path / "records.db")})
    async with engine.opened((*COLLECTIONS, COLLECTION, set_values.COLLECTION)):
        yield engine


def following(records, count=3, bytes_max=10_000):
    versions = Versions(records, count=count, bytes_max=bytes_max)
    documents = Documents(records)
    versions.follow(documents)
    return documents, versions


async def kept(versions):
    return [b'"category":' in d.data and d.data for _, d in await versions.all(SHELL, "urn:a b")]


async def test_the_last_versions_are_kept_newest_first_over_a_restart(records):
    documents, versions = following(records)
    tags = []
    for n in range(6):
        if n == 4:
            documents, versions = following(records)
        (made,) = await documents.commit(EVA, write(f"v{n}"))
        tags.append(made.tag)
    found = await versions.all(SHELL, "urn:a b")
    assert [v.tag for v, _ in found] == [tags[4], tags[3], tags[2]]
    assert [(v.by, v.deed) for v, _ in found] == [("eva", "updated")] * 3
    for version, document in found:
        again = await versions.get(SHELL, "urn:a b", version.at)
        assert again == document
        assert again.tag == version.tag
    with pytest.raises(Missing):
        await versions.get(SHELL, "urn:a b", "0")


async def test_a_deleted_document_is_among_its_versions_also_when_it_is_made_anew(records):
    documents, versions = following(records)
    await documents.commit(EVA, write("first", path="acme", origin="import"))
    await documents.commit(EVA, Remove(class_=SHELL, id="urn:a b"))
    await documents.commit(EVA, write("second"))
    await documents.commit(EVA, write("third"))
    (newer, _), (deleted, document) = await versions.all(SHELL, "urn:a b")
    assert (newer.deed, deleted.deed) == ("updated", "deleted")
    assert (document.path, document.origin) == ("acme", "import")
    assert b"first" in document.data


async def test_what_is_generated_makes_no_versions_what_is_imported_does(records):
    documents, versions = following(records)
    await documents.commit(EVA, write("a"))
    await documents.commit(SYSTEM, write("b"))
    assert await versions.all(SHELL, "urn:a b") == []
    with pytest.raises(Stale):
        await documents.commit(EVA, write("e", expected=1))
    assert await versions.all(SHELL, "urn:a b") == []
    await documents.commit(EVA, write("c", detail={"import": "1"}))
    await documents.commit(EVA, write("d", detail={"undone": "1"}))
    assert [msgspec.json.decode(d)["category"] for d in await kept(versions)] == ["c", "b"]


def prop(name, value):
    return {"modelType": "Property", "idShort": name, "valueType": "xs:string", "value": value}


def recipe(speed, oil="", **more):
    inner = {"modelType": "SubmodelElementCollection", "idShort": "Oil", "value": [prop("A", oil)]}
    elements = [prop("Speed", speed), inner, *(prop(n, v) for n, v in more.items())]
    return {"modelType": "Submodel", "id": "urn:r", "submodelElements": elements}


def setting(obj, path=""):
    detail = {"idShortPath": path} if path else {}
    return Write(class_=Class.SUBMODEL, id="urn:r", obj=obj, kind="twin.value", detail=detail)


async def values(documents, versions, path):
    found = await versions.values.of(await documents.get(Class.SUBMODEL, "urn:r"), path)
    return [(msgspec.json.decode(s.before), msgspec.json.decode(s.value)) for s in found]


async def test_of_what_is_set_the_last_values_of_each_element_are_kept(records):
    documents, versions = following(records)
    await documents.commit(EVA, setting(recipe("0")))
    for n in range(1, 6):
        await documents.commit(EVA, setting(recipe(str(n)), "Speed"))
        if n == 3:
            _, versions = following(records)
            versions.follow(documents)
    await documents.commit(EVA, setting(recipe("9", oil="thin"), ""))
    await documents.commit(EVA, setting(recipe("9", oil="thick"), "Oil"))
    assert await values(documents, versions, "Speed") == [("3", "4"), ("4", "5"), ("5", "9")]
    assert await values(documents, versions, "Oil.A") == [("", "thin"), ("thin", "thick")]
    assert await values(documents, versions, "Oil") == []
    assert await versions.all(Class.SUBMODEL, "urn:r") == []
    with pytest.raises(Stale):
        await documents.commit(
            EVA, msgspec.structs.replace(setting(recipe("x"), "Speed"), expected=1)
        )
    assert (await values(documents, versions, "Speed"))[-1] == ("5", "9")
    # What is made anew has no past of what was there before.
    await documents.commit(EVA, Remove(class_=Class.SUBMODEL, id="urn:r"))
    await documents.commit(EVA, setting(recipe("0")))
    assert await values(documents, versions, "Speed") == []
    page = await records.find(set_values.COLLECTION.name)
    assert page.records == ()


async def test_what_is_too_much_to_be_told_by_values_is_kept_whole(records):
    documents, versions = following(records, bytes_max=10_000_000)
    many = {f"P{n}": "0" for n in range(set_values.TOGETHER_MAX + 1)}
    await documents.commit(EVA, setting(recipe("0", **many)))
    await documents.commit(EVA, setting(recipe("0", **dict.fromkeys(many, "1"))))
    long = "x" * set_values.VALUE_BYTES_MAX
    await documents.commit(EVA, setting(recipe(long, **dict.fromkeys(many, "1")), "Speed"))
    assert len(await versions.all(Class.SUBMODEL, "urn:r")) == 2
    assert await values(documents, versions, "P0") == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 300), max_size=12),
    st.integers(0, 4),
    st.integers(0, 600),
    st.integers(0, 2**32),
)
async def test_neither_count_nor_bytes_go_beyond_their_bounds(records, sizes, count, most, seed):
    documents, versions = following(records, count, most)
    id_ = f"urn:{seed}:{count}:{most}:{len(sizes)}:{sum(sizes)}"
    written = []
    for size in sizes:
        obj = {"id": id_, "category": "x" * size}
        await documents.commit(EVA, Write(class_=SHELL, id=id_, obj=obj))
        written.append((await documents.get(SHELL, id_)).data)
    found = [d.data for _, d in await versions.all(SHELL, id_)]
    assert len(found) <= count
    assert sum(map(len, found)) <= most
    # Those that are kept are the last ones that fit by themselves, without gaps between them.
    fitting = [d for d in written[:-1][::-1] if len(d) <= most]
    assert found == fitting[: len(found)]
    if count and fitting:
        assert found


async def test_a_change_that_fails_leaves_no_trace_among_the_versions(records):
    documents, versions = following(records, count=2)
    for text in ("a", "b", "c"):
        await documents.commit(EVA, write(text))
    other = Write(class_=SHELL, id="urn:other", obj={"id": "urn:other"}, expected=7)
    for _ in range(3):
        with pytest.raises(Stale):
            await documents.commit(EVA, write("never"), other)
    before = await kept(versions)
    await documents.commit(EVA, write("d"))
    after = await kept(versions)
    assert len(before) == len(after) == 2
    assert after[1] == before[0]


async def test_a_version_is_not_found_by_the_end_of_another_identifier(records):
    documents, versions = following(records)
    await documents.commit(EVA, write("a"))
    await documents.commit(EVA, write("b"))
    ((version, _),) = await versions.all(SHELL, "urn:a b")
    with pytest.raises(Missing):
        await versions.get(SHELL, "urn:a", f"b {version.at}")
