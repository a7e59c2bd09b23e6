"""An import goes in whole, or not at all, and can be taken back."""

import asyncio
import io
import zipfile

import msgspec
import pytest

from lineshaft.core.access import Identity
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Denied, Invalid, Missing, Stale, Unavailable
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.twins import Class, documents, files, undoing
from lineshaft.twins.documents import Documents, Remove, Write
from lineshaft.twins.exchange import Imported, packed
from lineshaft.twins.exchange.aasx import write_aasx
from lineshaft.twins.exchange.reading import read_environment
from lineshaft.twins.exporting import Exporter, Form
from lineshaft.twins.files import UNUSED_AGE_S, Attachments, Files
from lineshaft.twins.importing import DOCUMENTS_MAX, READS_MAX, Importer
from lineshaft.twins.sweeping import Sweeper
from lineshaft.twins.undoing import RECEIPTS_MAX, What

EVA = Identity(name="eva")
COLLECTIONS = (*documents.COLLECTIONS, *files.COLLECTIONS, *undoing.COLLECTIONS)
NAME = "/aasx/files/manual.pdf"


def submodel(id_="urn:s:1", value="one", **more):
    elements = [
        {"modelType": "Property", "idShort": "Text", "valueType": "xs:string", "value": value},
        {"modelType": "File", "idShort": "Manual", "contentType": "a/b", "value": NAME},
    ]
    return {"modelType": "Submodel", "id": id_, "submodelElements": elements, **more}


def shell(id_="urn:a:1", submodels=("urn:s:1",)):
    references = [
        {"type": "ModelReference", "keys": [{"type": "Submodel", "value": s}]} for s in submodels
    ]
    return {
        "modelType": "AssetAdministrationShell",
        "id": id_,
        "assetInformation": {"assetKind": "Instance", "globalAssetId": "urn:asset"},
        "submodels": references,
    }


def imported(*submodels, shells=(), concepts=(), content=b"manual", name=NAME):
    environment = {
        "assetAdministrationShells": list(shells),
        "submodels": list(submodels),
        "conceptDescriptions": list(concepts),
    }
    return Imported(environment=environment, files={name: packed(content, "application/pdf")})


class Plant:
    def __init__(self, records, folder):
        self.refused = set()
        self.records = records
        self.documents = Documents(records)
        self.files = Files(folder)
        self.attachments = Attachments(records)
        self.importer = Importer(self.documents, records, self.files, self.allows)
        self.exporter = Exporter(
            self.documents, self.attachments, self.files, self.allows, self.show
        )

    def allows(self, who, right, document):
        return (right, document.id) not in self.refused

    def show(self, who, document):
        return msgspec.json.decode(document.data)

    async def take(self, *args, path="", **more):
        plan = await self.importer.plan(EVA, imported(*args, **more), path=path)
        return await self.importer.apply(EVA, plan)

    async def state(self):
        """All that is kept of documents and of what they mean."""
        found = {}
        for class_ in (Class.SHELL, Class.SUBMODEL, Class.CONCEPT):
            for document in (await self.documents.find(class_, limit=1000))[0]:
                meant = await self.attachments.of(class_, document.id)
                found[class_, document.id] = (document.data, document.path, document.origin, meant)
        return found

    async def content(self, id_, name=NAME):
        ref = await self.attachments.find(Class.SUBMODEL, id_, name)
        return ref and await self.files.read(ref.hash)


@pytest.fixture(params=["memory", "sqlite"])
async def plant(request, tmp_path):
    table = {"kind": request.param}
    if request.param == "sqlite":
        table["path"] = str(tmp_path / "records.db")
    engine = build(Records, table)
    async with engine.opened(COLLECTIONS):
        yield Plant(engine, tmp_path / "files")


async def test_a_plan_says_what_would_become_of_each_and_writes_nothing(plant):
    await plant.take(submodel("urn:s:1"), submodel("urn:s:2"), submodel("urn:s:3"))
    before = await plant.state()
    plan = await plant.importer.plan(
        EVA, imported(submodel("urn:s:1"), submodel("urn:s:2", "two"), submodel("urn:s:4"))
    )
    assert [(s.id, s.what, s.version) for s in plan.steps] == [
        ("urn:s:1", What.LEAVE, 1),
        ("urn:s:2", What.REPLACE, 1),
        ("urn:s:4", What.CREATE, 0),
    ]
    assert await plant.state() == before


async def test_what_is_applied_is_there_with_its_files_place_and_origin(plant):
    receipt = await plant.take(submodel(), shells=[shell()], path="acme/press")
    assert [s.what for s in receipt.steps] == [What.CREATE, What.CREATE]
    found = await plant.documents.get(Class.SUBMODEL, "urn:s:1")
    assert (msgspec.json.decode(found.data), found.path, found.origin) == (
        submodel(),
        "acme/press",
        "import",
    )
    assert await plant.content("urn:s:1") == b"manual"
    events = await plant.records.events(kind="twin")
    assert [e.event.data["import"] for e in events] == [receipt.id] * 2


async def test_an_undo_puts_back_what_was_and_removes_what_was_not(plant):
    await plant.documents.commit(
        EVA,
        Write(class_=Class.SUBMODEL, id="urn:s:1", obj=submodel(value="by hand"), path="acme"),
    )
    await plant.take(submodel("urn:s:2"), content=b"old manual")
    before = await plant.state()
    receipt = await plant.take(
        submodel("urn:s:1"), submodel("urn:s:2", "new"), shells=[shell()], content=b"new manual"
    )
    assert await plant.content("urn:s:2") == b"new manual"
    assert (await plant.state()) != before
    undone = await plant.importer.undo(EVA, receipt.id)
    assert undone.id == receipt.id
    assert await plant.state() == before
    assert await plant.content("urn:s:2") == b"old manual"
    assert await plant.content("urn:s:1") is None
    with pytest.raises(Missing, match=receipt.id):
        await plant.importer.undo(EVA, receipt.id)


async def test_an_import_after_which_somebody_changed_a_document_is_not_undone(plant):
    receipt = await plant.take(submodel("urn:s:1"), submodel("urn:s:2"))
    await plant.documents.commit(
        EVA, Write(class_=Class.SUBMODEL, id="urn:s:2", obj=submodel("urn:s:2", "by hand"))
    )
    before = await plant.state()
    with pytest.raises(Stale, match="urn:s:2"):
        await plant.importer.undo(EVA, receipt.id)
    assert await plant.state() == before
    await plant.documents.commit(EVA, Remove(class_=Class.SUBMODEL, id="urn:s:2"))
    with pytest.raises(Stale, match="urn:s:2"):
        await plant.importer.undo(EVA, receipt.id)


async def test_a_plan_that_has_gone_stale_changes_nothing(plant):
    await plant.take(submodel("urn:s:1"))
    plan = await plant.importer.plan(EVA, imported(submodel("urn:s:0"), submodel("urn:s:1", "2")))
    await plant.documents.commit(
        EVA, Write(class_=Class.SUBMODEL, id="urn:s:1", obj=submodel("urn:s:1", "3"))
    )
    before = await plant.state()
    with pytest.raises(Stale, match="urn:s:1"):
        await plant.importer.apply(EVA, plan)
    assert await plant.state() == before
    assert len(await plant.importer.receipts()) == 1


async def test_the_same_documents_with_another_file_are_replaced(plant):
    await plant.take(submodel(), content=b"aaaaaa")
    same = await plant.importer.plan(EVA, imported(submodel(), content=b"aaaaaa"))
    assert [s.what for s in same.steps] == [What.LEAVE]
    assert (await plant.importer.apply(EVA, same)).steps == []
    await plant.take(submodel(), content=b"bbbbbb")
    assert await plant.content("urn:s:1") == b"bbbbbb"


async def test_who_may_not_write_one_document_writes_none(plant):
    await plant.take(submodel("urn:s:2"))
    before = await plant.state()
    for right, id_ in (("CREATE", "urn:s:1"), ("UPDATE", "urn:s:2")):
        plant.refused = {(right, id_)}
        with pytest.raises(Denied, match=id_):
            await plant.take(submodel("urn:s:1"), submodel("urn:s:2", "two"))
    assert await plant.state() == before
    plant.refused = set()
    receipt = await plant.take(submodel("urn:s:1"), submodel("urn:s:2", "two"))
    before = await plant.state()
    for right, id_ in (("DELETE", "urn:s:1"), ("UPDATE", "urn:s:2")):
        plant.refused = {(right, id_)}
        with pytest.raises(Denied, match=id_):
            await plant.importer.undo(EVA, receipt.id)
    assert await plant.state() == before


async def test_receipts_are_bounded_and_the_oldest_goes(plant):
    ids = [(await plant.take(submodel(value=str(n)))).id for n in range(RECEIPTS_MAX + 2)]
    assert [r.id for r in await plant.importer.receipts()] == ids[:1:-1]
    with pytest.raises(Missing):
        await plant.importer.undo(EVA, ids[1])
    assert len((await plant.records.find("twin_undo", limit=1000)).records) == RECEIPTS_MAX


async def test_too_many_documents_are_refused_before_anything_is_read(plant):
    many = [submodel(f"urn:s:{n}") for n in range(DOCUMENTS_MAX + 1)]
    with pytest.raises(Invalid, match=f"{DOCUMENTS_MAX + 1} documents"):
        await plant.importer.plan(EVA, imported(*many))


async def test_a_file_that_does_not_come_gives_its_place_to_others(plant, monkeypatch):
    monkeypatch.setattr("lineshaft.twins.importing.BODY_S", 0)
    for _ in range(READS_MAX + 1):
        with pytest.raises(Unavailable, match="did not come"):
            await plant.importer.read(asyncio.Event().wait, "slow")


async def test_files_that_an_undo_would_bring_back_are_in_use(plant):
    await plant.take(submodel(), content=b"old")
    old = (await plant.attachments.find(Class.SUBMODEL, "urn:s:1", NAME)).hash
    await plant.take(submodel(), content=b"new")
    new = (await plant.attachments.find(Class.SUBMODEL, "urn:s:1", NAME)).hash
    assert await plant.attachments.used() == {new}
    assert await plant.importer.used() == {old, new}


# ---- out again


async def test_a_package_goes_in_and_comes_out_with_the_same_bytes(plant):
    concept = {"modelType": "ConceptDescription", "id": "urn:c:1"}
    means = {
        "type": "ExternalReference",
        "keys": [{"type": "GlobalReference", "value": "urn:c:1"}],
    }
    environment = {
        "assetAdministrationShells": [shell()],
        "submodels": [submodel(semanticId=means)],
        "conceptDescriptions": [concept],
    }
    given = write_aasx(environment, {NAME: packed(b"manual", "application/pdf")})
    read = await asyncio.to_thread(read_environment, given, "x.aasx")
    await plant.importer.apply(EVA, await plant.importer.plan(EVA, read))
    assert await plant.exporter.written(EVA, ["urn:a:1"], Form.AASX) == given
    as_xml = await plant.exporter.written(EVA, ["urn:a:1"], Form.XML)
    as_json = await plant.exporter.written(EVA, ["urn:a:1"], Form.JSON)
    for data in (as_xml, as_json):
        assert (await asyncio.to_thread(read_environment, data, "x")).environment == environment
    turtle = await plant.exporter.written(EVA, ["urn:a:1"], Form.RDF)
    assert b"<urn:s:1> rdf:type aas:Submodel" in turtle


async def test_two_documents_that_mean_different_files_by_one_name_keep_their_files(plant):
    await plant.take(submodel("urn:s:1"), content=b"one")
    await plant.take(submodel("urn:s:2"), content=b"two")
    await plant.take(submodel("urn:s:3"), content=b"one")
    ids = ["urn:s:1", "urn:s:2", "urn:s:3"]
    data = await plant.exporter.written(EVA, ids, Form.AASX)
    read = await asyncio.to_thread(read_environment, data, "x")
    names = [s["submodelElements"][1]["value"] for s in read.environment["submodels"]]
    assert [read.files[n].data() for n in names] == [b"one", b"two", b"one"]
    assert names[0] == names[2] == NAME
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert sum("manual.pdf" in n for n in package.namelist()) == 2


async def test_what_may_not_be_read_is_missing_when_named_and_left_out_when_it_belongs(plant):
    await plant.take(submodel("urn:s:1"), submodel("urn:s:2"), shells=[shell()])
    plant.refused = {("READ", "urn:s:1")}
    data = await plant.exporter.written(EVA, ["urn:a:1"], Form.JSON)
    assert list(msgspec.json.decode(data)) == ["assetAdministrationShells"]
    for id_ in ("urn:s:1", "urn:none"):
        with pytest.raises(Missing, match=id_):
            await plant.exporter.written(EVA, ["urn:a:1", id_], Form.JSON)


# ---- swept


class Clock:
    now = 0

    def __call__(self):
        return now_ns() + self.now


async def test_a_sweep_removes_what_no_document_means_and_nothing_else(plant, tmp_path):
    clock = Clock()
    sweeper = Sweeper(
        plant.documents, plant.records, Files(tmp_path / "files", clock=clock), plant.importer
    )
    await plant.take(submodel("urn:s:1"), content=b"kept")
    await plant.take(submodel("urn:s:2"), content=b"of one that goes")
    await plant.take(submodel("urn:s:3"), content=b"no longer named")
    await plant.take(submodel("urn:s:4"), content=b"old")
    await plant.take(submodel("urn:s:4"), content=b"new")
    await plant.records.commit(
        plant.attachments.attach(
            Class.PACKAGE, "urn:p", "/package", await plant.files.put(b"of a package", "")
        )
    )
    package = Write(class_=Class.PACKAGE, id="urn:p", obj={"id": "urn:p", "aasIds": []})
    await plant.documents.commit(
        EVA,
        package,
        Remove(class_=Class.SUBMODEL, id="urn:s:2"),
        Write(
            class_=Class.SUBMODEL, id="urn:s:3", obj={**submodel("urn:s:3"), "submodelElements": []}
        ),
    )
    assert await sweeper.sweep() == 0
    clock.now = 2 * UNUSED_AGE_S * NS_PER_S
    assert await sweeper.sweep() == len(b"of one that goes") + len(b"no longer named")
    assert await plant.content("urn:s:1") == b"kept"
    assert await plant.content("urn:s:2") is None
    assert await plant.content("urn:s:3") is None
    assert await plant.content("urn:s:4") == b"new"
    assert await plant.attachments.find(Class.PACKAGE, "urn:p", "/package") is not None
    newest = (await plant.importer.receipts())[0]
    await plant.importer.undo(EVA, newest.id)
    assert await plant.content("urn:s:4") == b"old"


async def test_an_undo_gives_back_a_file_that_the_import_no_longer_named(plant, tmp_path):
    clock = Clock()
    kept = Files(tmp_path / "files", clock=clock)
    await plant.take(submodel(), content=b"the only copy")
    other = {"modelType": "Submodel", "id": "urn:s:1"}
    receipt = await plant.take(other)
    clock.now = 2 * UNUSED_AGE_S * NS_PER_S
    await Sweeper(plant.documents, plant.records, kept, plant.importer).sweep()
    assert await plant.content("urn:s:1") is None
    await plant.importer.undo(EVA, receipt.id)
    assert await plant.content("urn:s:1") == b"the only copy"
