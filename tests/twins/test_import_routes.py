"""Files of twins over HTTP, for those who may."""

from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest

from lineshaft.core.access import Action, Identity
from lineshaft.core.path import is_under
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.server import ServerSettings, app, served
from lineshaft.twins import Class, documents, files, undoing
from lineshaft.twins.documents import Documents
from lineshaft.twins.exchange import packed
from lineshaft.twins.exchange.aasx import write_aasx
from lineshaft.twins.exporting import Exporter
from lineshaft.twins.files import Attachments, Files
from lineshaft.twins.import_routes import handlers
from lineshaft.twins.importing import Importer

ALL = frozenset({Action.OWN, Action.LOOK, Action.CONFIGURE})
COLLECTIONS = (*documents.COLLECTIONS, *files.COLLECTIONS, *undoing.COLLECTIONS)
NAME = "/aasx/files/manual.pdf"


PEOPLE = {
    "ls_eva": Identity(name="eva", actions=ALL),
    "ls_gina": Identity(name="gina", actions=ALL, branches=("hall-2",)),
    "ls_lea": Identity(name="lea", actions=frozenset({Action.OWN, Action.LOOK})),
}


class People:
    async def identify(self, *, session, token, address):
        return PEOPLE.get(token)

    def allows(self, who, action, path=""):
        return action in who.actions and any(is_under(path, b) for b in who.branches)


class Plant:
    def __init__(self, client, store):
        self.client, self.documents = client, store

    async def ask(self, method, path, *, token="ls_eva", **more):
        headers = {"Authorization": f"Bearer {token}"}
        return await self.client.request(method, f"/api/v1/twins/{path}", headers=headers, **more)


@pytest.fixture
async def plant(tmp_path):
    engine, people = build(Records, {"kind": "memory"}), People()
    async with engine.opened(COLLECTIONS):
        store = Documents(engine)
        attachments, kept = Attachments(engine), Files(tmp_path / "files")

        def allows(who, right, document):
            action = Action.LOOK if right == "READ" else Action.CONFIGURE
            return people.allows(who, action, document.path)

        def show(who, document):
            return msgspec.json.decode(document.data)

        services = {
            "importer": Importer(store, engine, kept, allows),
            "exporter": Exporter(store, attachments, kept, allows, show),
        }
        async with _served(people, services) as client:
            yield Plant(client, store)


@asynccontextmanager
async def _served(people, services):
    application = app(services, handlers, authenticator=people, authorizer=people)
    async with (
        served(application, ServerSettings(port=0)) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        yield client


def submodel(id_="urn:s:1", value="1"):
    elements = [
        {"modelType": "Property", "idShort": "Speed", "valueType": "xs:int", "value": value},
        {"modelType": "File", "idShort": "Manual", "contentType": "a/b", "value": NAME},
    ]
    return {"modelType": "Submodel", "id": id_, "submodelElements": elements}


def package(*submodels):
    return write_aasx({"submodels": list(submodels)}, {NAME: packed(b"manual", "a/b")})


async def test_a_package_goes_in_comes_out_and_is_taken_back(plant):
    given = package(submodel())
    dry = (await plant.ask("POST", "import?dry=true&name=x.aasx", content=given)).json()
    assert (dry["id"], [s["what"] for s in dry["steps"]]) == ("", ["create"])
    assert await plant.documents.get(Class.SUBMODEL, "urn:s:1") is None
    done = await plant.ask("POST", "import?name=x.aasx&branch=hall-2/press", content=given)
    assert done.status_code == 200
    step = {"class": "submodels", "id": "urn:s:1", "what": "create", "version": 0}
    assert done.json()["steps"] == [step]
    out = await plant.ask("GET", "export", params={"ids": ["urn:s:1"]})
    assert (out.status_code, out.content) == (200, given)
    assert out.headers["content-disposition"] == 'attachment; filename="twins.aasx"'
    for form, kind in (("json", "application/json"), ("xml", "application/xml")):
        out = await plant.ask("GET", "export", params={"ids": ["urn:s:1"], "format": form})
        assert out.headers["content-type"].startswith(kind)
    listed = (await plant.ask("GET", "imports")).json()["items"]
    assert [r["id"] for r in listed] == [done.json()["id"]]
    undone = await plant.ask("POST", f"imports/{done.json()['id']}/undo")
    assert undone.status_code == 200
    assert await plant.documents.get(Class.SUBMODEL, "urn:s:1") is None
    assert (await plant.ask("POST", f"imports/{done.json()['id']}/undo")).status_code == 404


async def test_findings_are_told_by_check_and_by_import(plant):
    bad = submodel()
    bad["submodelElements"][0]["valueType"] = "xs:nothing"
    bad["submodelElements"][1]["idShort"] = "1 wrong"
    for where in ("check", "import", "import?dry=true"):
        answer = await plant.ask("POST", where, content=msgspec.json.encode(bad))
        found = answer.json()["items" if where == "check" else "findings"]
        assert sorted({f["level"] for f in found}) == ["error", "warning"]
    for content in (b"", b"<x/>", b"{}", b"PK\x03\x04"):
        answer = await plant.ask("POST", "check?name=broken", content=content)
        assert answer.status_code == 400
        assert answer.json()["remedy"]


async def test_two_documents_are_compared(plant):
    await plant.ask("POST", "import", content=package(submodel(), submodel("urn:s:2", "2")))
    answer = await plant.ask("GET", "compare", params={"one": "urn:s:1", "other": "urn:s:2"})
    assert answer.json()["differences"] == [
        {"path": "id", "what": "changed", "before": "urn:s:1", "after": "urn:s:2"},
        {
            "path": "submodelElements[Speed].value",
            "what": "changed",
            "before": "1",
            "after": "2",
        },
    ]
    for params, status in (
        ({"one": "urn:s:1", "other": "urn:none"}, 404),
        ({"one": "urn:s:1", "other": "urn:s:2", "class": "shells"}, 404),
        ({"one": "urn:s:1", "other": "urn:s:2", "class": "things"}, 400),
        ({"one": "urn:s:1"}, 400),
    ):
        assert (await plant.ask("GET", "compare", params=params)).status_code == status


async def test_rights_hold_for_files_as_for_single_documents(plant):
    given = package(submodel())
    assert (await plant.ask("POST", "import", token="ls_lea", content=given)).status_code == 403
    assert (await plant.ask("POST", "import", token="ls_gina", content=given)).status_code == 403
    own = await plant.ask("POST", "import?branch=hall-2/a", token="ls_gina", content=given)
    assert own.status_code == 200
    assert (await plant.ask("POST", "check", token="ls_lea", content=given)).status_code == 200
    other = await plant.ask("POST", "import", content=package(submodel("urn:s:2")))
    for path in ("export?ids=urn:s:2", "compare?one=urn:s:1&other=urn:s:2"):
        assert (await plant.ask("GET", path, token="ls_gina")).status_code == 404
        assert (await plant.ask("GET", path)).status_code == 200
    undo = f"imports/{other.json()['id']}/undo"
    assert (await plant.ask("POST", undo, token="ls_gina")).status_code == 403
    listed = (await plant.ask("GET", "imports", token="ls_gina")).json()["items"]
    assert [r["id"] for r in listed] == [own.json()["id"]]
    assert len((await plant.ask("GET", "imports")).json()["items"]) == 2


async def test_a_form_or_version_that_there_is_not_is_refused(plant):
    await plant.ask("POST", "import", content=package(submodel()))
    for params in ("format=pdf", "format=xml&version=2.0"):
        answer = await plant.ask("GET", f"export?ids=urn:s:1&{params}")
        assert answer.status_code == 400
    answer = await plant.ask("GET", "export?ids=urn:s:1&format=xml&version=3.0")
    assert b"https://admin-shell.io/aas/3/0" in answer.content
