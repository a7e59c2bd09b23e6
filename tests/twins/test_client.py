"""The Python client of twins and the verbs that use it, against a real server."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aas_core3_1 import types as aas
from tests.twins.api.house import services

import lineshaft
from lineshaft.cli import parser
from lineshaft.client import Client
from lineshaft.core.access import Action, Identity
from lineshaft.core.errors import (
    Denied,
    Invalid,
    LinkLost,
    Missing,
    Refused,
    Stale,
    Unavailable,
    Unknown,
)
from lineshaft.core.path import is_under
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.server import ServerSettings, app, served
from lineshaft.twins import Class, Json, import_routes
from lineshaft.twins.api.services import COLLECTIONS, Still
from lineshaft.twins.client import Twin, Twins
from lineshaft.twins.exchange import packed
from lineshaft.twins.exchange.aasx import write_aasx
from lineshaft.twins.exchange.reading import read_environment
from lineshaft.twins.model.paths import Steps
from lineshaft.twins.routes import mounts

LOOK = frozenset({Action.OWN, Action.LOOK})
ID = "https://acme.example/ids/press?type=Ä#1"


def prop(name: str, value_type: str = "xs:int", value: str = "5") -> Json:
    return {"modelType": "Property", "idShort": name, "valueType": value_type, "value": value}


def reference(value: str) -> Json:
    return {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": value}]}


def submodel(id_: str = ID, **more: Any) -> Json:
    return {
        "modelType": "Submodel",
        "id": id_,
        "idShort": "Data",
        "submodelElements": [
            prop("Speed"),
            prop("Serial", "xs:string", "0815"),
            {
                "modelType": "SubmodelElementCollection",
                "idShort": "Motor",
                "value": [prop("Torque", "xs:double", "1.50"), prop("Running", "xs:boolean", "1")],
            },
            {
                "modelType": "SubmodelElementList",
                "idShort": "Axes",
                "typeValueListElement": "Range",
                "valueTypeListElement": "xs:int",
                "value": [{"modelType": "Range", "valueType": "xs:int", "min": "1", "max": "2"}],
            },
        ],
    } | more


def shell(id_: str, **asset: Any) -> Json:
    information = {"assetKind": "Instance", "globalAssetId": f"{id_}/asset"} | asset
    key = {"type": "Submodel", "value": ID}
    return {
        "modelType": "AssetAdministrationShell",
        "id": id_,
        "idShort": "Press",
        "assetInformation": information,
        "submodels": [{"type": "ModelReference", "keys": [key]}],
    }


class People:
    """Knows a table of tokens."""

    tokens: ClassVar = {
        "ls_engineer": Identity(name="emil", actions=LOOK | {Action.WRITE, Action.CONFIGURE}),
        "ls_viewer": Identity(name="vera", actions=LOOK),
    }

    async def identify(self, *, session: str, token: str, address: str) -> Identity | None:
        return self.tokens.get(token)

    def allows(self, who: Identity, action: Action, path: str = "") -> bool:
        return action in who.actions and any(is_under(path, b) for b in who.branches)


class Adder(Still):
    """A machine that can add two numbers, and that is away when asked for more than 100."""

    async def invoke(
        self, who: Identity, submodel_id: str, steps: Steps, inputs: Json, timeout_s: float
    ) -> Json:
        if steps != ("Add",):
            return await super().invoke(who, submodel_id, steps, inputs, timeout_s)
        if inputs["One"] + inputs["Other"] > 100:
            raise LinkLost("the adder does not answer", remedy="Switch it on.")
        return {"Sum": inputs["One"] + inputs["Other"]}


@pytest.fixture
async def url(tmp_path: Path) -> AsyncGenerator[str]:
    """The address of a server of twins."""
    records = build(Records, {"kind": "memory"})
    people = People()
    twins = services(records, people, tmp_path / "files")
    twins.living = Adder()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(records.opened(COLLECTIONS))
        made = app(
            {"twins": twins, **import_routes.exchange(twins, records)._asdict()},
            import_routes.handlers,
            authenticator=people,
            authorizer=people,
            console_folder=tmp_path,
            mounts=mounts,
        )
        yield await stack.enter_async_context(served(made, ServerSettings(port=0)))


@pytest.fixture
async def client(url: str) -> AsyncGenerator[Client]:
    with lineshaft.connect(url, "ls_engineer") as connected:
        yield connected


@pytest.fixture
def do(client: Client):
    """Does something with the twins in a thread, since the server is on this one's loop."""

    async def run(what: Callable[[Twins[Any]], Any]) -> Any:
        return await asyncio.to_thread(what, client.twins)

    return run


async def test_what_is_put_is_read_back_as_dict_and_as_object(do) -> None:
    assert await do(lambda t: t.put(submodel())) is True
    assert await do(lambda t: t.put(submodel())) is False
    read: Twin = await do(lambda t: t.submodel(ID))
    assert read == submodel()
    assert json.loads(json.dumps(read)) == submodel()
    typed = read.typed()
    assert isinstance(typed, aas.Submodel)
    typed.id_short = "Changed"
    assert await do(lambda t: t.put(typed)) is False
    assert (await do(lambda t: t.submodel(ID)))["idShort"] == "Changed"
    await do(lambda t: t.remove(Class.SUBMODEL, ID))
    with pytest.raises(Missing) as missing:
        await do(lambda t: t.submodel(ID))
    assert missing.value.remedy


async def test_nobody_elses_change_is_lost(do) -> None:
    await do(lambda t: t.put(submodel()))
    mine: Twin = await do(lambda t: t.submodel(ID))
    await do(lambda t: t.set_value(ID, "Speed", 7))
    with pytest.raises(Stale) as stale:
        await do(lambda t: t.put(mine, version=mine.version))
    assert stale.value.remedy
    again: Twin = await do(lambda t: t.submodel(ID))
    await do(lambda t: t.put(again, version=again.version))


async def test_lists_come_whole_over_all_pages(do) -> None:
    for at in range(205):
        await do(lambda t, at=at: t.put(submodel(f"urn:{at:03}", idShort=f"S{at % 2}x")))
    found = await do(lambda t: [twin["id"] for twin in t.submodels()])
    assert found == [f"urn:{at:03}" for at in range(205)]
    assert len(await do(lambda t: list(t.submodels(id_short="S1x")))) == 102


async def test_twins_are_found_by_asset_and_by_meaning(do) -> None:
    serial = {"specificAssetIds": [{"name": "serial", "value": "7"}]}
    await do(lambda t: t.put(shell("urn:a", **serial)))
    await do(lambda t: t.put(shell("urn:b")))
    await do(lambda t: t.put(submodel(semanticId=reference("urn:meaning"))))
    await do(lambda t: t.put(submodel("urn:other")))
    by_serial = await do(lambda t: list(t.shells(asset_ids={"serial": "7"})))
    by_global = await do(lambda t: list(t.shells(asset_ids={"globalAssetId": "urn:b/asset"})))
    assert [twin["id"] for twin in by_serial] == ["urn:a"]
    assert [twin["id"] for twin in by_global] == ["urn:b"]
    for meaning in ("urn:meaning", reference("urn:meaning")):
        found = await do(lambda t, m=meaning: list(t.submodels(semantic_id=m)))
        assert [twin["id"] for twin in found] == [ID]


async def test_twins_are_found_by_a_condition(do) -> None:
    for at in range(120):
        fast = submodel(f"urn:{at:03}")
        fast["submodelElements"][0]["value"] = str(at)
        await do(lambda t, fast=fast: t.put(fast))
    condition = {"$ge": [{"$field": "$sme.Speed#value"}, {"$numVal": 10}]}
    found = await do(lambda t: list(t.query(Class.SUBMODEL, condition)))
    assert [twin["id"] for twin in found] == [f"urn:{at:03}" for at in range(10, 120)]
    assert isinstance(found[0].typed(), aas.Submodel)
    whole = await do(lambda t: list(t.query(Class.SUBMODEL, {"$condition": condition})))
    assert whole == found
    with pytest.raises(Invalid):
        await do(lambda t: list(t.query(Class.SUBMODEL, {"$like": []})))


async def test_elements_are_read_set_added_and_removed(do) -> None:
    await do(lambda t: t.put(submodel()))
    assert [e["idShort"] for e in await do(lambda t: list(t.elements(ID)))] == [
        "Speed",
        "Serial",
        "Motor",
        "Axes",
    ]
    element: Twin = await do(lambda t: t.element(ID, "Motor.Torque"))
    assert element == prop("Torque", "xs:double", "1.50")
    assert isinstance(element.typed(), aas.Property)
    assert await do(lambda t: t.put_element(ID, "Motor.Torque", prop("Torque"))) is False
    assert await do(lambda t: t.put_element(ID, "Motor.New", prop("New"))) is True
    assert (await do(lambda t: t.add_element(ID, prop("Top"))))["idShort"] == "Top"
    await do(lambda t: t.add_element(ID, prop("In"), parent="Motor"))
    with pytest.raises(Stale):
        await do(lambda t: t.add_element(ID, prop("In"), parent="Motor"))
    await do(lambda t: t.remove_element(ID, "Motor.In"))
    with pytest.raises(Missing):
        await do(lambda t: t.element(ID, "Motor.In"))


async def test_values_are_read_and_set(do) -> None:
    await do(lambda t: t.put(submodel()))
    assert await do(lambda t: t.value(ID)) == {
        "Speed": 5,
        "Serial": "0815",
        "Motor": {"Torque": 1.5, "Running": True},
        "Axes": [{"min": 1, "max": 2}],
    }
    await do(lambda t: t.set_value(ID, "Axes[0]", {"max": 9}))
    await do(lambda t: t.set_value(ID, "", {"Speed": 6, "Motor": {"Torque": float("inf")}}))
    assert await do(lambda t: t.value(ID, "Axes[0]")) == {"min": 1, "max": 9}
    assert await do(lambda t: t.value(ID, "Motor")) == {"Torque": "INF", "Running": True}
    assert (await do(lambda t: t.element(ID, "Speed")))["value"] == "6"


async def test_operations_are_called_with_values(do) -> None:
    def variables(*names: str) -> list[Json]:
        return [
            {"value": {"modelType": "Property", "idShort": n, "valueType": "xs:int"}} for n in names
        ]

    add = {
        "modelType": "Operation",
        "idShort": "Add",
        "inputVariables": variables("One", "Other"),
        "outputVariables": variables("Sum"),
    }
    await do(lambda t: t.put(submodel(submodelElements=[add, add | {"idShort": "Other"}])))
    assert await do(lambda t: t.invoke(ID, "Add", {"One": 2, "Other": 40})) == {"Sum": 42}
    with pytest.raises(Unavailable, match="adder"):
        await do(lambda t: t.invoke(ID, "Add", {"One": 99, "Other": 2}))
    with pytest.raises(Invalid):
        await do(lambda t: t.invoke(ID, "Add", {"One": "two"}))
    with pytest.raises(Refused, match="Other"):
        await do(lambda t: t.invoke(ID, "Other", {"One": 1, "Other": 1}))


async def test_refusals_say_what_is_wrong(do, url: str) -> None:
    await do(lambda t: t.put(submodel()))
    with pytest.raises(Invalid, match="xs:int"):
        await do(lambda t: t.set_value(ID, "Speed", "fast"))
    with pytest.raises(Invalid, match=r"Motor\.\.Torque"):
        await do(lambda t: t.value(ID, "Motor..Torque"))
    with pytest.raises(Invalid, match="idShort"):
        await do(lambda t: t.put(submodel(idShort="x")))
    with pytest.raises(Invalid, match="Property") as refusal:
        await do(lambda t: t.put(prop("Speed")))
    assert "put_element" in refusal.value.remedy
    with lineshaft.connect(url, "ls_viewer") as viewer, pytest.raises(Denied):
        await asyncio.to_thread(viewer.twins.put, submodel())
    with lineshaft.connect(url, "ls_wrong") as stranger, pytest.raises(Unknown) as unknown:
        await asyncio.to_thread(stranger.twins.submodel, ID)
    with lineshaft.connect("http://127.0.0.1:9") as nowhere, pytest.raises(LinkLost) as lost:
        await asyncio.to_thread(nowhere.twins.submodel, ID)
    assert unknown.value.remedy
    assert "127.0.0.1:9" in str(lost.value)


# ---- files


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An AASX package with a file inside, and one odd thing."""
    manual = {
        "modelType": "File",
        "idShort": "Manual",
        "contentType": "text/plain",
        "value": "/aasx/files/manual.txt",
    }
    document = submodel()
    document["submodelElements"] += [manual, prop("x")]
    environment = {
        "assetAdministrationShells": [shell("urn:shell")],
        "submodels": [document],
        "conceptDescriptions": [],
    }
    path = tmp_path / "press.aasx"
    files = {"/aasx/files/manual.txt": packed(b"Read me.", "text/plain")}
    path.write_bytes(write_aasx(environment, files))
    return path


async def test_a_package_goes_in_and_out_with_its_files(do, package: Path) -> None:
    would = await do(lambda t: t.import_file(package, dry=True))
    assert [step["what"] for step in would["steps"]] == ["create", "create"]
    assert not would["id"]
    with pytest.raises(Missing):
        await do(lambda t: t.submodel(ID))

    done = await do(lambda t: t.import_file(package))
    assert [step["id"] for step in done["steps"]] == ["urn:shell", ID]
    assert [finding["level"] for finding in done["findings"]] == ["warning"]
    assert (await do(lambda t: t.element(ID, "Manual")))["contentType"] == "text/plain"

    def exported(twins: Twins[Any]) -> bytes:
        with twins.export("urn:shell") as parts:
            return b"".join(parts)

    again = await asyncio.to_thread(read_environment, await do(exported), "again.aasx")
    assert [s["id"] for s in again.environment["submodels"]] == [ID]
    assert [file.data() for file in again.files.values()] == [b"Read me."]

    await do(lambda t: t.undo_import(done["id"]))
    with pytest.raises(Missing):
        await do(lambda t: t.submodel(ID))


async def test_what_is_no_file_of_twins_is_refused(do, tmp_path: Path) -> None:
    with pytest.raises(Missing, match="none"):
        await do(lambda t: t.import_file(tmp_path / "none.aasx"))
    (tmp_path / "text.json").write_text("hello")
    with pytest.raises(Invalid, match=r"text\.json"):
        await do(lambda t: t.import_file(tmp_path / "text.json"))
    with pytest.raises(Invalid) as refusal:
        await do(lambda t: t.export(ID, kind="pdf").__enter__())
    assert "aasx" in refusal.value.remedy
    with pytest.raises(Missing):
        await do(lambda t: t.export("urn:none").__enter__())


# ---- the verbs


@pytest.fixture
def run(url: str, capsys: pytest.CaptureFixture[str]):
    """Runs a verb of twins; what it printed."""

    async def call(*words: str) -> str:
        args = parser("twin").parse_args(["twin", *words, "--url", url, "--token", "ls_engineer"])
        assert await asyncio.to_thread(args.call, args) == 0
        return capsys.readouterr().out

    return call


async def test_values_are_got_and_set_from_the_command_line(do, run) -> None:
    await do(lambda t: t.put(submodel()))
    assert json.loads(await run("get", ID))["Motor"]["Torque"] == 1.5
    assert json.loads(await run("get", ID, "Motor.Torque")) == 1.5
    assert json.loads(await run("get", ID, "Motor.Torque", "--whole"))["valueType"] == "xs:double"
    assert json.loads(await run("get", ID, "--whole")) == submodel()
    assert json.loads(await run("set", ID, "Speed", "-7")) == -7
    assert json.loads(await run("set", ID, "Serial", "0042")) == "0042"
    assert json.loads(await run("set", ID, "Motor.Running", "false")) is False
    assert json.loads(await run("set", ID, "Axes[0]", '{"min": -3}')) == {"min": -3, "max": 2}
    with pytest.raises(Invalid, match="Range"):
        await run("set", ID, "Axes[0]", "three")


async def test_what_there_is_is_listed(do, run) -> None:
    await do(lambda t: t.put(shell("urn:shell")))
    await do(lambda t: t.put(submodel()))
    await do(lambda t: t.put(submodel("urn:alone")))
    assert (await run("get")).splitlines() == [
        "urn:shell  Press",
        f"  {ID}  Data",
        "urn:alone  Data",
    ]
    assert json.loads(await run("get", "urn:shell", "--whole"))["idShort"] == "Press"


async def test_files_go_in_and_out_from_the_command_line(run, package: Path) -> None:
    assert "2 to create" in await run("import", str(package), "--dry")
    said = await run("import", str(package))
    assert "2 created, 0 replaced, 0 unchanged" in said
    assert "0 created, 0 replaced, 2 unchanged" in await run("import", str(package))

    out = package.with_name("out.json")
    await run("export", "urn:shell", "-o", str(out))
    environment = json.loads(out.read_bytes())
    assert [s["id"] for s in environment["assetAdministrationShells"]] == ["urn:shell"]
    assert [s["id"] for s in environment["submodels"]] == [ID]

    before = out.read_bytes()
    with pytest.raises(Missing):
        await run("export", "urn:none", "-o", str(out))
    assert out.read_bytes() == before
    assert not list(out.parent.glob("*.part"))

    assert "undone" in await run("undo", said.split()[-1])
    with pytest.raises(Missing):
        await run("get", ID)
