"""What other parts of the plant say of a machine stands in its twin, as it is now."""

import pytest
from tests.twins.living.plants import plant, publish, until

from lineshaft.core.access import SYSTEM
from lineshaft.meanings import States
from lineshaft.operations.alarms.settings import Alarm, Limit
from lineshaft.operations.states.settings import StateRule, WorkUnit
from lineshaft.twins import Class
from lineshaft.twins.documents import Write
from lineshaft.twins.living import Config, Contribution
from lineshaft.twins.living.assets import Asset
from lineshaft.twins.living.building import prop, submodel
from lineshaft.twins.living.contributions import Contributions
from lineshaft.twins.living.making import documents
from lineshaft.twins.living.names import Scheme
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.identifier import encode_id

PRESS = "acme/hall/press"
BASE = "urn:lineshaft:lineshaft:"
ALARMS = f"{BASE}submodel/{PRESS}/Alarms"
AT = f"/api/v3.1/submodels/{encode_id(ALARMS)}"
SHELL = f"/api/v3.1/shells/{encode_id(f'{BASE}shell/{PRESS}')}"
SETTINGS = """
[[alarms]]
name = "Oil too hot"
point = "acme/hall/press/oil"
hihi = { value = 90.0, priority = "critical" }
hi = { value = 80.0 }
description = "The oil of the press."
advice = { cause = "Pump stands", action = "Start the pump", respond_s = 600.0 }
"""
STATE = f"{AT}/submodel-elements/Definitions.Oil_too_hot.State"


@pytest.mark.timeout(60)
async def test_alarms_stand_in_the_twin_with_why_and_how_they_are_now(tmp_path):
    async with plant(tmp_path, SETTINGS) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5))

        async def grown():
            return (await http.get(AT)).is_success

        await until(grown)
        whole = (await http.get(AT)).json()
        assert check("Submodel", whole) == []
        value = (await http.get(f"{AT}/$value")).json()
        told = value["Definitions"]["Oil_too_hot"]
        assert (told["Name"], told["Point"]) == ("Oil too hot", f"{PRESS}/oil")
        assert told["Limits"]["HiHi"] == {"Value": 90.0, "Priority": "critical", "Severity": 875}
        assert told["Advice"]["Cause"] == [{"en": "Pump stands"}]
        assert (value["ActiveCount"], told["State"]["Active"]) == (0, False)
        tag = (await http.get(AT)).headers["etag"]

        await publish(made, (f"{PRESS}/oil", 95.0))

        async def rings():
            return (await http.get(f"{AT}/$value")).json()["ActiveCount"]

        await until(rings)
        state = (await http.get(f"{STATE}/$value")).json()
        assert (state["Letter"], state["Severity"], state["Limit"]) == ("B", 875, "HiHi")
        assert state["ActiveSince"].startswith("20")
        assert (await http.get(AT)).headers["etag"] == tag
        found = await http.get("/api/v3.1/submodels", params={"idShort": "Alarms"})
        (listed,) = found.json()["result"]
        assert listed["submodelElements"][0]["value"] == "1"


@pytest.mark.timeout(60)
async def test_with_the_last_alarm_its_submodel_goes_and_comes_again_with_another(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5))
        desk = made.operations.desk
        alarm = Alarm(name="hot", point=f"{PRESS}/oil", hi=Limit(value=80.0))
        for _ in range(2):
            await desk.define(SYSTEM, alarm)
            await until(lambda: _is(http, AT, 200))
            assert _named(await http.get(SHELL)) == 1
            await desk.remove(SYSTEM, "hot")
            await until(lambda: _is(http, AT, 404))
            assert _named(await http.get(SHELL)) == 0


async def _is(http, url, status):
    return (await http.get(url)).status_code == status


def _named(shell):
    return sum(r["keys"][0]["value"] == ALARMS for r in shell.json()["submodels"])


@pytest.mark.timeout(60)
async def test_who_takes_the_identifier_elsewhere_is_told_no_values(tmp_path):
    async with plant(tmp_path, SETTINGS) as (made, http):
        counted = submodel(ALARMS, "Alarms", "", [prop("ActiveCount", "7", "", "xs:int")])
        mine = Write(class_=Class.SUBMODEL, id=ALARMS, obj=counted, path="acme/hall-2")
        await made.life.services.documents.commit(SYSTEM, mine)
        await publish(made, (f"{PRESS}/oil", 95.0))

        async def taken():
            return ALARMS in made.life.gardener.taken

        await until(taken)
        assert (await http.get(f"{AT}/$value")).json() == {"ActiveCount": 7}


class Timelines:
    def units(self):
        rules = (
            StateRule(name="running", when="speed > 0", item="executing"),
            StateRule(name="no parts", when="!parts", loss="outside"),
        )
        return [WorkUnit(path=PRESS, states=rules)]

    async def timeline(self, path, start_ns, stop_ns):
        raise NotImplementedError


def test_states_of_a_work_unit_are_right_and_the_present_one_is_bound():
    states = States(Timelines())
    before = states.version()
    assert before == states.version()
    assert states.contributed("acme/other") == ()
    (one,) = states.contributed(PRESS)
    assert one.bound == {"CurrentState": f"{PRESS}/work_state"}
    made = documents(Asset(path=PRESS), Scheme("", "p"), Config(), lambda _: None, [one])
    (found,) = [d for d in made if d.obj.get("idShort") == "OperationalStates"]
    assert check("Submodel", found.obj) == []
    names = [s["idShort"] for s in found.obj["submodelElements"][1]["value"]]
    assert names == ["running", "no_parts"]


class Two:
    id_shorts = ("Alarms", "Alarms")

    def version(self):
        return 0

    def contributed(self, path):
        return (Contribution(id_short="Alarms", semantic_id="", elements=()),)

    def values(self, path, id_short):
        return {}


def test_two_that_bring_the_same_submodel_are_a_defect():
    with pytest.raises(AssertionError, match="same submodel"):
        Contributions([Two()])
