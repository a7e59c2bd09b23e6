"""Documents of a machine: added over HTTP, read by the standard's interface."""

import asyncio

import httpx
import msgspec
import pytest
from tests.twins.api.house import PEOPLE, People, services
from tests.twins.living.templates import differences, template

from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.server import ServerSettings, app, served
from lineshaft.twins import Class
from lineshaft.twins.api.services import COLLECTIONS
from lineshaft.twins.documents import Write
from lineshaft.twins.living.handover import Handover
from lineshaft.twins.living.handover_routes import handlers
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.identifier import encode_id
from lineshaft.twins.routes import mounts

SHELL = {
    "modelType": "AssetAdministrationShell",
    "id": "urn:press",
    "assetInformation": {"assetKind": "Instance", "globalAssetId": "urn:asset:press"},
}


class House:
    def __init__(self, url, twins):
        self.url, self.twins = url, twins

    def http(self, token="engineer"):
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {token}"})

    async def add(self, http, content=b"%PDF", **params):
        params = {"shell": "urn:press", "title": "Manual", "name": "manual.pdf"} | params
        headers = {"Content-Type": "application/pdf"}
        return await http.post(
            "/api/v1/twins/documents", params=params, content=content, headers=headers
        )


@pytest.fixture
async def house(tmp_path):
    records, people = build(Records, {"kind": "memory"}), People()
    async with records.opened(COLLECTIONS):
        twins = services(records, people, tmp_path / "files")
        await twins.documents.commit(
            PEOPLE["engineer"],
            Write(class_=Class.SHELL, id="urn:press", obj=SHELL, path="acme/hall-1/press"),
        )
        parts = {"twins": twins, "handover": Handover(twins)}
        made = app(parts, handlers, mounts=mounts, authenticator=people, authorizer=people)
        async with served(made, ServerSettings(port=0)) as url:
            yield House(url, twins)


async def test_a_document_stands_in_the_papers_of_its_machine_and_its_file_comes_back(house):
    async with house.http() as http:
        first = await house.add(http)
        assert first.status_code == 201, first.text
        about = {"title": "Zeichnung", "language": "de", "class_id": "02-02"}
        second = await house.add(http, b"drawing", **about)
        assert second.json()["path"] == "Documents[1]"
        at = f"/api/v3.1/submodels/{encode_id(first.json()['submodel'])}"
        file = await http.get(f"{at}/submodel-elements/{second.json()['file']}/attachment")
        assert file.content == b"drawing"
        refs = await http.get(f"/api/v3.1/shells/{encode_id('urn:press')}/submodel-refs")
        assert len(refs.json()["result"]) == 1
        papers = (await http.get(at)).json()
    assert check("Submodel", papers) == []
    kept = await house.twins.documents.get(Class.SUBMODEL, papers["id"])
    assert kept.path == "acme/hall-1/press"


async def test_the_papers_are_what_the_template_asks_for(house):
    wanted = template("02004-2-0-1-handover-documentation.json")
    async with house.http() as http:
        made = (await house.add(http)).json()
    kept = await house.twins.documents.get(Class.SUBMODEL, made["submodel"])
    assert list(differences(wanted, msgspec.json.decode(kept.data))) == []


async def test_what_cannot_be_a_document_is_refused_and_changes_nothing(house):
    async with house.http() as http:
        for params, content, word in (
            ({"class_id": "9"}, b"x", "03-02"),
            ({"language": "not a language"}, b"x", "language"),
            ({}, b"", "empty"),
        ):
            answer = await house.add(http, content, **params)
            assert answer.status_code == 400
            assert word in answer.text
        assert (await house.add(http, shell="urn:none")).status_code == 404
    for token, status in (("viewer", 403), ("operator", 403), ("guest", 404)):
        async with house.http(token) as http:
            assert (await house.add(http)).status_code == status
    assert await house.twins.documents.find(Class.SUBMODEL) == ([], "")


async def test_many_at_once_are_all_kept(house):
    async with house.http() as http, asyncio.TaskGroup() as group:
        asked = [group.create_task(house.add(http, title=f"Paper {n}")) for n in range(20)]
    assert sorted(a.result().json()["path"] for a in asked) == sorted(
        f"Documents[{n}]" for n in range(20)
    )
