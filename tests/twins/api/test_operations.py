"""Operations over HTTP: called, started, asked about, and refused honestly."""

import asyncio

import pytest
from tests.conformance.environment import environment
from tests.twins.api.house import fill

from lineshaft.core.errors import Refused
from lineshaft.twins.api.operations import seconds_of
from lineshaft.twins.api.services import Still
from lineshaft.twins.model.identifier import encode_id

SUBMODEL = environment()["submodels"][0]
AT = f"/submodels/{encode_id(SUBMODEL['id'])}/submodel-elements/Reset"
CALL = {"inputArguments": {"Depth": 2}, "clientTimeoutDuration": "PT5S"}


class Machine(Still):
    """Does what it is told once it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.may.set()

    async def invoke(self, who, submodel_id, steps, inputs, timeout_s):
        await self.may.wait()
        if inputs["Depth"] == 13:
            raise Refused("the machine is superstitious")
        return {"Result": f"depth {inputs['Depth']}"}


@pytest.fixture
async def http(plant):
    plant.twins.living = Machine()
    async with plant.http() as http:
        await fill(http, {"submodels": [SUBMODEL]})
        yield http


async def test_a_call_gives_values_or_whole_variables(http):
    bare = (await http.post(f"{AT}/invoke/$value", json=CALL)).json()
    assert bare["outputArguments"] == {"Result": "depth 2"}
    assert (bare["executionState"], bare["success"]) == ("Completed", True)
    depth = {"modelType": "Property", "idShort": "Depth", "valueType": "xs:int", "value": "3"}
    full = (await http.post(f"{AT}/invoke", json={"inputArguments": [{"value": depth}]})).json()
    assert full["outputArguments"][0]["value"]["value"] == "depth 3"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"inputArguments": {"Depth": "deep"}},
        {"inputArguments": {"Depth": 1, "More": 2}},
        {"inputArguments": [1]},
        CALL | {"clientTimeoutDuration": "soon"},
        CALL | {"clientTimeoutDuration": "PT0S"},
    ],
)
async def test_arguments_that_are_not_declared_reach_no_machine(http, body):
    assert (await http.post(f"{AT}/invoke/$value", json=body)).status_code == 400


async def test_what_the_machine_refuses_or_does_not_end_is_told_as_such(plant, http):
    failed = (await http.post(f"{AT}/invoke/$value", json={"inputArguments": {"Depth": 13}})).json()
    assert (failed["executionState"], failed["success"]) == ("Failed", False)
    assert "superstitious" in failed["messages"][0]["text"]
    plant.twins.living.may.clear()
    late = CALL | {"clientTimeoutDuration": "PT0.01S"}
    told = (await http.post(f"{AT}/invoke/$value", json=late)).json()
    assert told["executionState"] == "Timeout"


async def test_what_nothing_carries_out_is_said_to_be_so(plant, http):
    plant.twins.living = Still()
    answer = await http.post(f"{AT}/invoke/$value", json=CALL)
    assert answer.status_code == 405
    assert "bound to nothing" in answer.json()["messages"][0]["text"]


async def test_a_started_call_is_asked_about_until_it_has_ended(plant, http):
    plant.twins.living.may.clear()
    started = await http.post(f"{AT}/invoke-async/$value", json=CALL)
    assert started.status_code == 202
    at = started.headers["location"].removeprefix("/api/v3.1")
    running = await http.get(at)
    assert running.json()["executionState"] in ("Initiated", "Running")
    assert (await http.get(at.replace("-status", "-results"))).status_code == 404
    plant.twins.living.may.set()
    while (ended := await http.get(at)).status_code == 200:
        await asyncio.sleep(0)
    assert ended.status_code == 302
    result = await http.get(ended.headers["location"].removeprefix("/api/v3.1") + "/$value")
    assert result.json()["outputArguments"] == {"Result": "depth 2"}
    async with plant.http("operator") as other:
        assert (await other.get(at)).status_code == 404


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT30S", 30), ("PT1M0.5S", 60.5), ("P1DT1H", 3600), ("PT2H", 3600)],
)
def test_durations_are_read_and_bounded(text, seconds):
    assert seconds_of(text) == seconds
