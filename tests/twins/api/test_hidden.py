"""What rules hide: no list, cursor, answer or edit gives it away, and no edit takes it away."""

import base64
import binascii
import io
import zipfile

import msgspec
import pytest
from tests.conformance.environment import prop
from tests.twins.api.house import fill

from lineshaft.core.access import SYSTEM
from lineshaft.twins import Class
from lineshaft.twins.api.table import ROUTES
from lineshaft.twins.documents import Write
from lineshaft.twins.model.identifier import encode_id

HIDDEN = "verborgen"
LISTS = sorted(
    {
        (route.method, route.template)
        for route in ROUTES
        if "{" not in route.template
        and not route.template.startswith(("/aas", "/submodel/", "/bulk"))
        and (route.method == "GET" or route.template.startswith(("/query", "/lookup")))
    }
    - {("GET", path) for path in ("/submodel", "/description", "/serialization")}
)
"""Every operation of the interface that gives a page of documents."""


def rule(formula, *objects, rights=("READ",), **more):
    return {
        "ACL": {
            "ATTRIBUTES": [{"GLOBAL": "ANONYMOUS"}],
            "RIGHTS": list(rights),
            "ACCESS": "ALLOW",
        },
        "OBJECTS": list(objects) or [{"ROUTE": "*"}],
        "FORMULA": formula,
        **more,
    }


async def rules(plant, *those):
    await plant.twins.access.replace(SYSTEM, {"AllAccessPermissionRules": {"rules": list(those)}})


def starts(root, text):
    # The index cannot answer a pattern, so that documents are looked at one by one.
    return {"$regex": [{"$field": f"{root}#id"}, {"$strVal": f"^{text}.*$"}]}


def document(class_, id_):
    asset = {"assetKind": "Instance", "globalAssetId": id_}
    href = {"interface": "AAS-3.1", "protocolInformation": {"href": "http://h/x"}}
    match class_:
        case Class.SHELL:
            return {"modelType": "AssetAdministrationShell", "id": id_, "assetInformation": asset}
        case Class.SUBMODEL:
            return {"modelType": "Submodel", "id": id_, "submodelElements": [prop("Note", "n")]}
        case Class.CONCEPT:
            return {"modelType": "ConceptDescription", "id": id_}
        case Class.SHELL_DESCRIPTOR | Class.SUBMODEL_DESCRIPTOR:
            return {"id": id_, "idShort": "One", "endpoints": [href]}
        case Class.LINKS:
            return {"id": id_, "specificAssetIds": [{"name": "globalAssetId", "value": id_}]}
        case Class.PACKAGE:
            return {"id": id_, "aasIds": [], "fileName": "x.aasx"}


def layers(text):
    """A text, and what it is in base64, as often as it can be decoded."""
    data = text.encode()
    for _ in range(4):
        yield data
        try:
            data = base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))
        except (binascii.Error, ValueError):
            return


@pytest.mark.parametrize(("method", "path"), LISTS)
async def test_no_cursor_names_what_is_hidden(plant, method, path):
    for class_ in Class:
        # All but the first of each class are hidden, and one at the end.
        for n in range(45):
            id_ = f"urn:{HIDDEN}:{class_.value}:{n:03}" if 0 < n < 44 else f"urn:{'vx'[n > 0]}:{n}"
            made = Write(class_=class_, id=id_, obj=document(class_, id_))
            await plant.twins.documents.commit(SYSTEM, made)
    roots = ("$aas", "$sm", "$cd", "$aasdesc", "$smdesc")
    seen = [rule(starts(root, "urn:[vx]:"), {"ROUTE": "*"}) for root in roots]
    await rules(plant, *seen, rule({"$boolean": True}, {"IDENTIFIABLE": '$sm("urn:v:0")'}))
    cursors, cursor = [], ""
    async with plant.http("viewer") as http:
        for _ in range(200):
            params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            body = [] if path.startswith("/lookup") else {"$condition": {"$boolean": True}}
            how = {} if method == "GET" else {"json": body}
            answer = await http.request(method, path, params=params, **how)
            assert answer.status_code == 200, answer.text
            assert HIDDEN not in answer.text
            cursor = answer.json()["paging_metadata"].get("cursor", "")
            if not cursor:
                break
            cursors.append(cursor)
    assert not cursor
    assert cursors or path == "/packages"  # of packages no rule can tell one from the other
    assert not [c for c in cursors for layer in layers(c) if HIDDEN.encode() in layer]


# ---- edits by who sees a part


def only(name, text):
    """A filter that lets elements of this beginning through, and the collections above them."""
    return {
        "FRAGMENT": "$sme",
        "CONDITION": {name: [{"$field": "$sme#idShort"}, {"$strVal": text}]},
    }


def smc(name, *elements):
    return {"modelType": "SubmodelElementCollection", "idShort": name, "value": list(elements)}


SECRET = prop("Secret", "gold")
WHOLE = {
    "modelType": "Submodel",
    "id": "urn:s:a",
    "idShort": "Recipe",
    "submodelElements": [
        prop("Speed", "1", "xs:int"),
        SECRET,
        smc("Part", prop("Length", "2", "xs:int"), SECRET),
    ],
}
AT = f"/submodels/{encode_id('urn:s:a')}"


@pytest.fixture
async def recipe(plant):
    """A submodel of whose elements everybody may change those that are not called Secret."""
    async with plant.http() as http:
        await fill(http, {"submodels": [WHOLE]})
    every = ("READ", "UPDATE", "CREATE", "DELETE", "EXECUTE")
    filtered = rule({"$boolean": True}, rights=every, FILTER=only("$ne", "Secret"))
    await rules(plant, filtered)
    return plant


async def kept(plant, id_="urn:s:a", class_=Class.SUBMODEL):
    found = await plant.twins.documents.get(class_, id_)
    return msgspec.json.decode(found.data)


def without(obj, name):
    """A submodel or element without what has a name."""
    inner = {
        key: [without(e, name) for e in obj[key] if e.get("idShort") != name]
        for key in ("submodelElements", "value")
        if isinstance(obj.get(key), list)
    }
    return obj | inner


async def test_who_reads_a_part_and_sends_it_back_changes_nothing_else(recipe):
    async with recipe.http() as http:
        seen = (await http.get(AT)).json()
        assert seen == without(WHOLE, "Secret")
        assert (await http.put(AT, json=seen)).status_code == 204
        assert await kept(recipe) == WHOLE
        part = seen["submodelElements"][1]
        part["value"][0]["value"] = "7"
        assert (await http.put(f"{AT}/submodel-elements/Part", json=part)).status_code == 204
        now = await kept(recipe)
        assert now["submodelElements"][2]["value"] == [prop("Length", "7", "xs:int"), SECRET]
        # What is left out with what it holds stays for what is hidden in it.
        bare = seen | {"submodelElements": [prop("Speed", "3", "xs:int")]}
        assert (await http.put(AT, json=bare)).status_code == 204
        now = await kept(recipe)
        assert without(now, "Secret")["submodelElements"] == [
            prop("Speed", "3", "xs:int"),
            smc("Part"),
        ]
        assert now["submodelElements"][2]["value"] == [SECRET]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "", {"submodelElements": [prop("Secret", "lead")]}, 403),
        ("PUT", "", {"submodelElements": [prop("Part", "x")]}, 403),
        ("PUT", "/submodel-elements/Part", smc("Part", prop("Secret", "lead")), 403),
        ("PUT", "/submodel-elements/Part", prop("Part", "x"), 403),
        ("PUT", "/submodel-elements/Secret", prop("Secret", "lead"), 403),
        ("PATCH", "", {"submodelElements": [prop("Secret", "lead")]}, 403),
        ("PATCH", "/$value", {"Secret": "lead"}, 400),
        ("PATCH", "/$value", {"Part": {"Secret": "lead"}}, 400),
        ("PATCH", "/submodel-elements/Part/$value", {"Secret": "lead"}, 400),
        ("PATCH", "/submodel-elements/Secret/$value", "lead", 404),
        ("PATCH", "/submodel-elements/Secret", {"value": "lead"}, 404),
        ("PATCH", "/submodel-elements/Secret/$metadata", {"category": "CONSTANT"}, 404),
        ("DELETE", "/submodel-elements/Secret", None, 404),
    ],
)
async def test_what_is_hidden_cannot_be_changed(recipe, method, path, body, status):
    if path == "" and isinstance(body, dict):
        body = (WHOLE if method == "PUT" else {}) | body
    async with recipe.http() as http:
        how = {} if body is None else {"json": body}
        answer = await http.request(method, AT + path, **how)
    assert answer.status_code == status, answer.text
    assert await kept(recipe) == WHOLE


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/$value", None),
        ("GET", "/$path", None),
        ("GET", "/$reference", None),
        ("GET", "/$metadata", None),
        ("GET", "/attachment", None),
        ("PATCH", "", {"value": "lead"}),
        ("PATCH", "/$value", "lead"),
        ("PATCH", "/$metadata", {"category": "CONSTANT"}),
        ("DELETE", "", None),
        ("POST", "", prop("Inner", "x")),
        ("POST", "/invoke", {"inputArguments": []}),
    ],
)
@pytest.mark.parametrize("where", ["", "Part."])
async def test_what_is_hidden_answers_as_what_is_not_there(recipe, where, method, path, body):
    told = []
    async with recipe.http() as http:
        for name in ("Secret", "Absent"):
            how = {} if body is None else {"json": body}
            at = f"{AT}/submodel-elements/{where}{name}{path}"
            answer = await http.request(method, at, headers={"If-Match": '"9"'}, **how)
            text = answer.json()["messages"][0]["text"]
            told.append((answer.status_code, text.replace(name, "…")))
    assert told[0] == told[1]
    assert told[0][0] == 404


async def test_a_value_for_what_is_hidden_is_refused_as_for_what_is_not_there(recipe):
    async with recipe.http() as http:
        texts = []
        for name in ("Secret", "Absent"):
            answer = await http.patch(f"{AT}/$value", json={name: "x", "Speed": 2})
            texts.append(answer.json()["messages"][0]["text"].replace(name, "…"))
    assert texts[0] == texts[1]


async def test_hidden_places_of_a_list_stay_where_they_were(plant):
    values = [{"modelType": "Property", "valueType": "xs:int", "value": str(n)} for n in range(4)]
    whole = {
        "modelType": "SubmodelElementList",
        "idShort": "Numbers",
        "typeValueListElement": "Property",
        "valueTypeListElement": "xs:int",
        "value": values,
    }
    async with plant.http() as http:
        document_ = {"modelType": "Submodel", "id": "urn:s:a", "submodelElements": [whole]}
        await fill(http, {"submodels": [document_]})
        await rules(
            plant,
            rule({"$boolean": True}, rights=["UPDATE"]),
            *(
                rule({"$boolean": True}, {"REFERABLE": f'$sme("urn:s:a").Numbers[{n}]'})
                for n in (1, 3)
            ),
        )
        seen = (await http.get(f"{AT}/submodel-elements/Numbers")).json()
        assert [e["value"] for e in seen["value"]] == ["1", "3"]
        seen["value"][1]["value"] = "33"
        sent = await http.put(f"{AT}/submodel-elements/Numbers", json=seen)
        assert sent.status_code == 204, sent.text
    (now,) = (await kept(plant))["submodelElements"]
    assert [e["value"] for e in now["value"]] == ["0", "1", "2", "33"]


SERIAL, MONEY = {"name": "serial", "value": "s1"}, {"name": "price", "value": "9"}


async def test_asset_identifiers_that_are_held_back_outlive_every_edit(plant):
    asset = {"assetKind": "Instance", "specificAssetIds": [MONEY, SERIAL]}
    shell = {"modelType": "AssetAdministrationShell", "id": "urn:a", "assetInformation": asset}
    href = {"interface": "AAS-3.1", "protocolInformation": {"href": "http://h/x"}}
    told = {
        "id": "urn:d",
        "idShort": "Told",
        "endpoints": [href],
        "specificAssetIds": [MONEY, SERIAL],
    }
    for class_, obj in ((Class.SHELL, shell), (Class.SHELL_DESCRIPTOR, told)):
        new = Write(class_=class_, id=obj["id"], obj=obj)
        await plant.twins.documents.commit(SYSTEM, new)
    held = [
        {
            "FRAGMENT": f"{at}specificAssetIds[]",
            "CONDITION": {
                "$ne": [{"$field": f"{at}specificAssetIds[].name"}, {"$strVal": "price"}]
            },
        }
        for at in ("$aas#assetInformation.", "$aasdesc#")
    ]
    await rules(plant, rule({"$boolean": True}, rights=["READ", "UPDATE"], FILTERLIST=held))
    async with plant.http() as http:
        for path in ("/shells/urn", "/shells/asset", "/shell-descriptors", "/bulk"):
            at, of = ("/shells", "urn:a") if "shells" in path else ("/shell-descriptors", "urn:d")
            address = f"{at}/{encode_id(of)}"
            if path.endswith("asset"):
                address += "/asset-information"
            seen = (await http.get(address)).json()
            assert seen.get("assetInformation", seen)["specificAssetIds"] == [SERIAL]
            if path == "/bulk":
                sent = await http.put("/bulk/shell-descriptors", json=[seen])
            else:
                sent = await http.put(address, json=seen)
            assert sent.status_code in (202, 204), sent.text
    assert await kept(plant, "urn:a", Class.SHELL) == shell
    assert await kept(plant, "urn:d", Class.SHELL_DESCRIPTOR) == told


async def test_a_descriptor_that_is_registered_by_a_part_seer_is_whole_for_all(plant):
    shell = {
        "modelType": "AssetAdministrationShell",
        "id": "urn:a",
        "assetInformation": {"assetKind": "Instance", "globalAssetId": "urn:x"},
        "submodels": [
            {"type": "ModelReference", "keys": [{"type": "Submodel", "value": f"urn:s:{n}"}]}
            for n in ("seen", "hidden")
        ],
    }
    parts = [{"modelType": "Submodel", "id": f"urn:s:{n}"} for n in ("seen", "hidden")]
    async with plant.http() as http:
        await fill(http, {"submodels": parts, "assetAdministrationShells": [shell]})
    every = ("READ", "UPDATE", "CREATE", "DELETE")
    shown = rule({"$boolean": True}, {"IDENTIFIABLE": '$sm("urn:s:seen")'})
    shells = rule(
        {"$boolean": True}, {"IDENTIFIABLE": '$aas("*")'}, {"DESCRIPTOR": '$aasdesc("*")'}
    )
    await rules(plant, shown, shells | {"ACL": rule({}, rights=every)["ACL"]})
    at = f"/shell-descriptors/{encode_id('urn:a')}"
    href = {"interface": "SUBMODEL-3.1", "protocolInformation": {"href": "http://h/x"}}
    new = {"id": "urn:s:new", "endpoints": [href]}

    async def ids(http):
        inner = (await http.get(f"{at}/submodel-descriptors")).json()["result"]
        return [d["id"] for d in inner]

    async def kept_ids():
        inner = (await kept(plant, "urn:a", Class.SHELL_DESCRIPTOR))["submodelDescriptors"]
        return [d["id"] for d in inner]

    async with plant.http() as http:
        assert await ids(http) == ["urn:s:seen"]
        made = await http.post(f"{at}/submodel-descriptors", json=new)
        assert made.status_code == 201, made.text
        assert await kept_ids() == ["urn:s:seen", "urn:s:hidden", "urn:s:new"]
        assert await ids(http) == ["urn:s:seen", "urn:s:new"]
        # Sent back as it was seen, and taken out one by one.
        assert (await http.put(at, json=(await http.get(at)).json())).status_code == 204
        assert sorted(await kept_ids()) == ["urn:s:hidden", "urn:s:new", "urn:s:seen"]
        one = f"{at}/submodel-descriptors/"
        gone = [await http.delete(one + encode_id(f"urn:s:{n}")) for n in ("hidden", "never")]
        assert [a.status_code for a in gone] == [404, 404]
        texts = {a.json()["messages"][0]["text"].replace("hidden", "never") for a in gone}
        assert len(texts) == 1
        sent = await http.put(one + encode_id("urn:s:hidden"), json=new | {"id": "urn:s:hidden"})
        assert sent.status_code == 409
        assert "urn:s:hidden" in await kept_ids()


# ---- files


@pytest.fixture
async def folder(plant):
    """A submodel with a public file and a hidden one, of which the viewer may change the first."""
    files = [{"modelType": "File", "idShort": name} for name in ("Public", "Hidden")]
    at = f"/submodels/{encode_id('urn:files')}"
    async with plant.http("engineer") as http:
        made = {"modelType": "Submodel", "id": "urn:files", "submodelElements": files}
        assert (await http.post("/submodels", json=made)).status_code == 201
        for name in ("Public", "Hidden"):
            answer = await http.put(
                f"{at}/submodel-elements/{name}/attachment",
                files={"file": ("a.txt", f"canary {name}".encode(), "text/plain")},
            )
            assert answer.is_success, answer.text
    public = {"REFERABLE": '$sme("urn:files").Public'}
    await rules(plant, rule({"$boolean": True}, public, rights=("ALL",)))
    return plant, at


async def test_the_name_of_a_hidden_file_gives_nobody_the_file(folder):
    plant, at = folder
    public = f"{at}/submodel-elements/Public"
    async with plant.http("engineer") as http:
        assert (await http.get(f"{public}/attachment")).content == b"canary Public"
        stolen = {"contentType": "text/plain", "value": "/aasx/files/Hidden/a.txt"}
        assert (await http.patch(f"{public}/$value", json=stolen)).status_code == 204
        answer = await http.get(f"{public}/attachment")
        assert answer.status_code == 404
        aasx = {"Accept": "application/asset-administration-shell-package"}
        answer = await http.get(f"{at}/serialization", headers=aasx)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
            assert not [n for n in package.namelist() if b"canary Hidden" in package.read(n)]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_nobody_takes_the_file_of_a_hidden_element_away(folder, method):
    plant, at = folder
    public = f"{at}/submodel-elements/Public"
    async with plant.http("engineer") as http:
        stolen = {"contentType": "text/plain", "value": "/aasx/files/Hidden/a.txt"}
        assert (await http.patch(f"{public}/$value", json=stolen)).status_code == 204
        new = {"files": {"file": ("b.txt", b"new", "text/plain")}} if method == "PUT" else {}
        await http.request(method, f"{public}/attachment", **new)
    await rules(plant, rule({"$boolean": True}))
    async with plant.http("engineer") as http:
        answer = await http.get(f"{at}/submodel-elements/Hidden/attachment")
        assert answer.content == b"canary Hidden"
