"""What other parts of the plant say of a machine stands in its twin, as it is now."""

import pytest
from tests.twins.living.plants import plant, publish, until

from lineshaft.core.access import SYSTEM
from lineshaft.operations.alarms.settings import Alarm, Limit
from lineshaft.twins import Class
from lineshaft.twins.documents import Write
from lineshaft.twins.living import Contribution
from lineshaft.twins.living.building import prop, submodel
from lineshaft.twins.living.contributions import Contributions
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


UNIT = f"""
[[work_units]]
path = "{PRESS}"
good = "{PRESS}/good"
cycle_s = 2.0
states = [
  {{ name = "running", when = "speed > 0.0", item = "executing" }},
  {{ name = "no parts", when = "speed == 0.0", loss = "outside" }},
]
"""


@pytest.mark.timeout(60)
async def test_a_work_unit_tells_its_state_and_how_the_shift_goes(tmp_path):
    states = f"/api/v3.1/submodels/{encode_id(f'{BASE}submodel/{PRESS}/OperationalStates')}"
    figures = f"/api/v3.1/submodels/{encode_id(f'{BASE}submodel/{PRESS}/KeyPerformanceIndicators')}"
    async with plant(tmp_path, UNIT) as (made, http):
        await publish(made, (f"{PRESS}/speed", 7.0), (f"{PRESS}/good", 5.0))

        async def told(url, name):
            answer = await http.get(f"{url}/$value")
            return answer.is_success and answer.json().get(name)

        await until(lambda: told(states, "CurrentStateName"))
        value = (await http.get(f"{states}/$value")).json()
        now = value["States"][value["CurrentStateName"].replace(" ", "_")]
        assert now["Number"] == value["CurrentState"]
        assert value["MachineryItemState"] == now["MachineryItemState"]
        assert {s["Name"] for s in value["States"].values()} == {"running", "no parts", "stopped"}
        for url in (states, figures):
            await until(lambda url=url: _is(http, url, 200))
            assert check("Submodel", (await http.get(url)).json()) == []
        await until(lambda: told(figures, "KnownUntil"))
        value = (await http.get(f"{figures}/$value")).json()
        (now,) = await made.operations.kpis.current.now(SYSTEM, unit=PRESS)
        assert (value["Day"], value["Shift"]) == (now.day, now.shift)
        assert value["ShiftRunning"] is now.running


class Two:
    id_shorts = ("Alarms", "Alarms")

    def version(self):
        return 0

    def contributed(self, path):
        return (Contribution(id_short="Alarms", semantic_id="", elements=()),)

    async def refresh(self):
        pass

    def values(self, path, id_short):
        return {}


def test_two_that_bring_the_same_submodel_are_a_defect():
    with pytest.raises(AssertionError, match="same submodel"):
        Contributions([Two()])


@pytest.mark.timeout(60)
async def test_what_people_changed_in_a_submodel_that_goes_is_kept_as_a_version(tmp_path):
    note = {"modelType": "Property", "idShort": "Note", "valueType": "xs:string", "value": "mine"}
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5))
        desk = made.operations.desk
        await desk.define(SYSTEM, Alarm(name="hot", point=f"{PRESS}/oil", hi=Limit(value=80.0)))
        await until(lambda: _is(http, AT, 200))
        assert (await http.post(f"{AT}/submodel-elements", json=note)).status_code == 201
        await desk.remove(SYSTEM, "hot")
        await until(lambda: _is(http, AT, 404))
        listed = await http.get("/api/v1/twins/versions", params={"id": ALARMS})
        newest = listed.json()["items"][0]
        assert newest["deed"] == "deleted"
        asked = {"id": ALARMS, "at": newest["at"]}
        old = (await http.get("/api/v1/twins/versions/document", params=asked)).json()
        assert note in old["submodelElements"]
        restored = await http.post("/api/v1/twins/versions/restore", json=asked)
        assert restored.status_code == 204, restored.text
        assert (await http.get(f"{AT}/submodel-elements/Note/$value")).json() == "mine"


@pytest.mark.timeout(60)
async def test_what_people_changed_in_a_submodel_comes_again_with_it(tmp_path):
    note = {"modelType": "Property", "idShort": "Note", "valueType": "xs:string", "value": "mine"}
    hot = Alarm(name="hot", point=f"{PRESS}/oil", hi=Limit(value=80.0))
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5))
        desk = made.operations.desk
        await desk.define(SYSTEM, hot)
        await until(lambda: _is(http, AT, 200))
        assert (await http.post(f"{AT}/submodel-elements", json=note)).status_code == 201
        await desk.remove(SYSTEM, "hot")
        await until(lambda: _is(http, AT, 404))
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5))
        desk = made.operations.desk
        await desk.define(SYSTEM, hot)
        await until(lambda: _is(http, AT, 200))
        assert (await http.get(f"{AT}/submodel-elements/Note/$value")).json() == "mine"
        # Once taken out, it stays so, however often the submodel comes and goes.
        assert (await http.delete(f"{AT}/submodel-elements/Note")).status_code == 204
        await desk.remove(SYSTEM, "hot")
        await until(lambda: _is(http, AT, 404))
        await desk.define(SYSTEM, hot)
        await until(lambda: _is(http, AT, 200))
        assert (await http.get(f"{AT}/submodel-elements/Note")).status_code == 404
