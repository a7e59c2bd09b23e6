"""Shells and submodels over HTTP: what is stored comes back, writers do not undo each other."""

import asyncio
import json

import pytest
from tests.conformance.environment import environment, prop, shell, submodel
from tests.twins.api.house import fill, house

from lineshaft.twins.model.identifier import encode_id

SUBMODEL = submodel("urn:s:1", "Small", [prop("Note", "none"), prop("Count", "1", "xs:int")])
AT = f"/submodels/{encode_id('urn:s:1')}"
SHELL = shell(1, [SUBMODEL])
BARE = {k: v for k, v in SHELL.items() if k != "submodels"}
SHELL_AT = f"/shells/{encode_id(SHELL['id'])}"


def messages(answer) -> list[dict]:
    body = answer.json()
    assert set(body) == {"messages"}
    assert all(
        set(m) == {"messageType", "text", "code", "correlationId", "timestamp"}
        for m in body["messages"]
    )
    return body["messages"]


async def test_a_new_submodel_is_created_once_and_found_where_it_says(plant):
    async with plant.http() as http:
        made = await http.post("/submodels", json=SUBMODEL)
        again = await http.post("/submodels", json=SUBMODEL)
        assert (made.status_code, again.status_code) == (201, 409)
        assert messages(again)[0]["code"] == "409"
        read = await http.get(made.headers["location"].removeprefix("/api/v3.1"))
        assert read.json() == made.json() == SUBMODEL


async def test_put_creates_then_replaces_and_the_tag_says_which_version(plant):
    async with plant.http() as http:
        first = await http.put(AT, json=SUBMODEL)
        second = await http.put(AT, json=SUBMODEL | {"category": "CONSTANT"})
        assert (first.status_code, second.status_code) == (201, 204)
        old, new = first.headers["etag"], second.headers["etag"]
        assert old != new
        known = await http.get(AT, headers={"If-None-Match": new})
        assert (known.status_code, known.content) == (304, b"")
        late = await http.put(AT, json=SUBMODEL, headers={"If-Match": old})
        assert (late.status_code, messages(late)[0]["code"]) == (412, "412")
        odd = await http.put(AT, json=SUBMODEL, headers={"If-Match": "yesterday"})
        assert odd.status_code == 400
        right = await http.put(AT, json=SUBMODEL, headers={"If-Match": new})
        assert right.status_code == 204


async def test_a_tag_never_fits_a_document_made_anew_after_a_deletion(plant):
    async with plant.http() as http:
        old = (await http.put(AT, json=SUBMODEL)).headers["etag"]
        assert (await http.delete(AT)).status_code == 204
        again = await http.put(AT, json=SUBMODEL | {"category": "CONSTANT"})
        assert again.status_code == 201
        read = await http.get(AT, headers={"If-None-Match": old})
        assert (read.status_code, read.headers["etag"]) == (200, again.headers["etag"])
        for method in ("PUT", "DELETE"):
            late = await http.request(method, AT, json=SUBMODEL, headers={"If-Match": old})
            assert late.status_code == 412, method
        note = f"{AT}/submodel-elements/Note/$value"
        assert (await http.patch(note, json="x", headers={"If-Match": old})).status_code == 412
        assert (await http.get(AT)).json()["category"] == "CONSTANT"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"[]", "object"),
        (b'"\xff"', "JSON"),
        (b"[" * 100_000, "deep"),
        (b'{"modelType":"Submodel","id":"urn:other"}', "urn:other"),
        (b'{"modelType":"Submodel","id":"urn:s:1","idShort":"x y"}', "idShort"),
        (b'{"modelType":"Property","id":"urn:s:1"}', "Property"),
    ],
)
async def test_what_is_no_submodel_is_refused_with_a_reason(plant, body, said):
    async with plant.http() as http:
        answer = await http.put(AT, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert said in messages(answer)[0]["text"]


async def test_bodies_are_bounded_and_must_say_that_they_are_json(plant):
    async with plant.http() as http:
        large = await http.put(
            AT, content=b" " * (17 << 20), headers={"Content-Type": "application/json"}
        )
        form = await http.put(AT, data={"a": "b"})
        assert (large.status_code, form.status_code) == (413, 415)
        assert "more than 16777216 bytes" in messages(large)[0]["text"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/shells?limit=0", 400),
        ("/shells?limit=-1", 400),
        ("/shells?limit=1&limit=2", 400),
        ("/shells?limit=99999999999999999999", 200),
        ("/shells?cursor=%00", 400),
        ("/shells?assetIds=e30", 400),
        ("/shells?assetIds=W10", 400),
        ("/shells?idShort=%FF", 400),
        ("/submodels?level=middle", 400),
        ("/submodels?extent=some", 400),
        ("/submodels?semanticId=%2A", 400),
        ("/submodels/*", 400),
        ("/submodels/dXJuOnM6OQ", 404),
        ("/nothing", 404),
        ("/", 404),
        ("/submodels/dXJuOnM6OQ/submodel-elements/a..b", 400),
        ("/serialization?includeConceptDescriptions=maybe", 400),
        ("/serialization?aasIds=dXJuOnM6OQ", 404),
        ("/lookup/shells?assetIds=!", 400),
        ("/shell-descriptors?assetKind=Ghost", 400),
    ],
)
async def test_every_odd_question_has_an_answer_in_the_standards_form(plant, path, status):
    async with plant.http() as http:
        answer = await http.get(path)
        assert answer.status_code == status
        if status != 200:
            assert messages(answer)[0]["code"] == str(status)


async def test_wrong_methods_name_the_right_ones(plant):
    async with plant.http() as http:
        answer = await http.delete("/shells")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
        head = await http.head("/shells")
        assert (head.status_code, head.content) == (200, b"")


async def test_strangers_are_refused_in_the_standards_form(plant):
    async with plant.http("") as http:
        answer = await http.get("/shells")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert messages(answer)[0]["code"] == "401"


async def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(plant):
    host, port = plant.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = ["PUT /api/v3.1/submodels/dXJuOmE HTTP/1.1", "Host: x", "Connection: close"]
    lines += ["Authorization: Bearer engineer", f"Content-Length: {10**12}", "", ""]
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(20):
        assert b" 413 " in await reader.readline()
    writer.close()


async def test_no_answer_is_kept_on_the_way_not_even_a_refusal(plant):
    async with plant.http("") as http:
        refused = await http.get("/shells")
    async with plant.http() as http:
        given = await http.get("/shells")
    assert (refused.status_code, given.status_code) == (401, 200)
    assert refused.headers["cache-control"] == given.headers["cache-control"] == "private, no-cache"


async def test_lists_go_on_where_they_stopped(plant):
    made = [submodel(f"urn:s:{n}", "Small", [prop("Note", "none")]) for n in range(7)]
    async with plant.http() as http:
        await fill(http, {"submodels": made})
        for path in ("/submodels", "/submodels/$metadata", "/submodels/$reference"):
            seen, cursor = [], ""
            while True:
                page = (await http.get(f"{path}?limit=3&cursor={cursor}")).json()
                seen += [x["id"] if "id" in x else x["keys"][0]["value"] for x in page["result"]]
                cursor = page["paging_metadata"].get("cursor", "")
                if not cursor:
                    break
            assert seen == [s["id"] for s in made], path
        paths, cursor = [], ""
        while True:
            page = (await http.get(f"/submodels/$path?limit=2&cursor={cursor}")).json()
            paths += page["result"]
            cursor = page["paging_metadata"].get("cursor", "")
            if not cursor:
                break
        assert paths == ["Note"] * 7


async def test_lists_are_filtered_by_what_stands_in_the_document_itself(plant):
    async with plant.http() as http:
        await fill(http, environment())
        named = await http.get("/submodels", params={"idShort": "Speed"})
        assert named.json()["result"] == []  # the name of an element is not that of a submodel
        meaning = encode_id("urn:lineshaft:meaning:Small")
        meant = await http.get("/submodels", params={"semanticId": meaning})
        assert {s["idShort"] for s in meant.json()["result"]} == {"Small"}
        whole = encode_id(json.dumps({"keys": [{"value": "urn:lineshaft:meaning:Small"}]}))
        assert (await http.get("/submodels", params={"semanticId": whole})).json() == meant.json()
        link = {"name": "globalAssetId", "value": "urn:lineshaft:asset:2"}
        linked = await http.get("/shells", params={"assetIds": encode_id(json.dumps(link))})
        assert [s["idShort"] for s in linked.json()["result"]] == ["Pump2"]


async def test_a_hundred_writers_at_once_lose_nothing(tmp_path):
    async with house(tmp_path, "sqlite") as plant, plant.http() as http:
        await fill(http, {"submodels": [SUBMODEL]})
        async with asyncio.TaskGroup() as group:
            for n in range(100):
                element = prop(f"Added{n}", str(n))
                group.create_task(http.post(f"{AT}/submodel-elements", json=element))
        found = await http.get(f"{AT}/submodel-elements?limit=1000")
        assert len(found.json()["result"]) == 102


async def test_a_submodel_is_reached_through_the_shells_that_refer_to_it_only(plant):
    other = submodel("urn:s:2", "Other", [prop("Note", "none")])
    async with plant.http() as http:
        await fill(http, {"submodels": [SUBMODEL, other], "assetAdministrationShells": [SHELL]})
        through = f"{SHELL_AT}/submodels/{encode_id('urn:s:1')}"
        assert (await http.get(through)).json() == SUBMODEL
        strange = f"{SHELL_AT}/submodels/{encode_id('urn:s:2')}"
        assert (await http.get(strange)).status_code == 404
        assert (await http.put(strange, json=other)).status_code == 204
        assert (await http.get(strange)).json() == other
        assert (await http.delete(strange)).status_code == 204
        assert (await http.get(f"/submodels/{encode_id('urn:s:2')}")).status_code == 404
        references = (await http.get(f"{SHELL_AT}/submodel-refs")).json()["result"]
        assert [r["keys"][0]["value"] for r in references] == ["urn:s:1"]


async def test_a_submodel_put_below_a_shell_is_one_commit_with_its_reference(plant):
    async with plant.http() as http:
        await fill(http, {"assetAdministrationShells": [BARE]})
        below = f"{SHELL_AT}/submodels/{encode_id('urn:s:1')}"
        first = await http.put(below, json=SUBMODEL)
        assert first.status_code == 201
        assert (await http.get(below)).headers["etag"] == first.headers["etag"]
        # The header speaks of the submodel, whatever became of its shell.
        again = await http.put(below, json=SUBMODEL, headers={"If-Match": first.headers["etag"]})
        assert again.status_code == 204
        late = await http.put(below, json=SUBMODEL, headers={"If-Match": first.headers["etag"]})
        assert late.status_code == 412
        strange = f"{SHELL_AT}/submodels/{encode_id('urn:s:3')}"
        other = SUBMODEL | {"id": "urn:s:3"}
        for tag, status in (("*", 404), (first.headers["etag"], 404)):
            answer = await http.put(strange, json=other, headers={"If-Match": tag})
            assert answer.status_code == status
        assert len((await http.get(f"{SHELL_AT}/submodel-refs")).json()["result"]) == 1


async def test_many_submodels_put_below_one_shell_at_once_are_all_referred_to(plant):
    async with plant.http() as http:
        await fill(http, {"assetAdministrationShells": [BARE]})

        async def put(n: int) -> int:
            obj = SUBMODEL | {"id": f"urn:m:{n}"}
            answer = await http.put(f"{SHELL_AT}/submodels/{encode_id(obj['id'])}", json=obj)
            return answer.status_code

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(put(n)) for n in range(4)]
        assert [t.result() for t in tasks] == [201] * 4
        assert len((await http.get(f"{SHELL_AT}/submodel-refs")).json()["result"]) == 4


async def test_the_single_services_serve_the_first_or_what_the_settings_name(plant):
    async with plant.http() as http:
        assert (await http.get("/aas")).status_code == 404
        await fill(http, environment())
        assert (await http.get("/aas")).json()["idShort"] == "Pump1"
        assert (await http.get("/submodel")).json()["id"] == "urn:lineshaft:submodel:1:a"
        asked = {"aasIdentifier": encode_id("urn:lineshaft:shell:2")}
        assert (await http.get("/aas", params=asked)).json()["idShort"] == "Pump2"
        asked = {"submodelIdentifier": encode_id("urn:lineshaft:submodel:2:b")}
        assert (await http.get("/submodel/$value", params=asked)).json() == {"Note": "none"}
        plant.twins.shell = "urn:lineshaft:shell:2"
        assert (await http.get("/aas/$reference")).json()["keys"][0]["value"] == plant.twins.shell


async def test_references_are_added_once_and_taken_out(plant):
    reference = {"type": "ModelReference", "keys": [{"type": "Submodel", "value": "urn:s:9"}]}
    async with plant.http() as http:
        await fill(http, {"assetAdministrationShells": [SHELL]})
        first = await http.post(f"{SHELL_AT}/submodel-refs", json=reference)
        again = await http.post(f"{SHELL_AT}/submodel-refs", json=reference)
        odd = await http.post(
            f"{SHELL_AT}/submodel-refs",
            json={"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": "x"}]},
        )
        assert (first.status_code, again.status_code, odd.status_code) == (201, 409, 400)
        at = first.headers["location"].removeprefix("/api/v3.1")
        assert [(await http.delete(at)).status_code for _ in range(2)] == [204, 404]


async def test_the_two_versions_differ_where_their_documents_do(plant):
    async with plant.http() as new, plant.http(version="3.0") as old:
        await fill(new, {"submodels": [SUBMODEL]})
        for path, listed, keyed in (
            ("/submodels/$value", [{"Note": "none", "Count": 1}], "urn:s:1"),
            (f"{AT}/submodel-elements/$value", [{"Note": "none"}, {"Count": 1}], "Note"),
        ):
            assert (await old.get(path)).json()["result"] == listed
            assert keyed in (await new.get(path)).json()["result"]
        one = f"{AT}/submodel-elements/Count/$value"
        assert ((await old.get(one)).json(), (await new.get(one)).json()) == ({"Count": 1}, 1)
        for http, value in ((old, {"Count": 2}), (old, 3), (new, 4)):
            assert (await http.patch(one, json=value)).status_code == 204
        assert (await new.get(one)).json() == 4
