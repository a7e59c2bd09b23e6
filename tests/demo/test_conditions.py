"""The alarm that a machining centre judges itself, from its server to the desk and back."""

import tomllib
from pathlib import Path

from tests.twins.living.plants import plant, until

from lineshaft.demo.logbook import Logbook, What
from lineshaft.demo.opcua_alarms import NAME
from lineshaft.demo.plant_file import plant_file

ALARM = f"cell-1/cnc-1/{NAME}"


def table_of(port: int) -> str:
    """The connection to the cell, as the demo's own file has it."""
    ports = dict.fromkeys(("cell-1", "cnc-3", "press", "chiller", "broker"), port)
    text = plant_file(ports, http_port=8080)
    start = text.index("[[drivers]]")
    stop = text.index("[[drivers]]", start + 1)
    assert tomllib.loads(text[start:stop])["drivers"][0]["events"]
    return text[start:stop]


async def test_a_drive_fault_stands_on_the_desk_and_is_acknowledged_in_the_controller(
    device, port, tmp_path: Path
):
    logbook = Logbook(tmp_path / "logbook.jsonl")
    async with (
        device("cnc-1", "cnc-2", "--port", port),
        plant(tmp_path / "plant", table_of(port)) as (_, http),
    ):

        async def view() -> dict:
            items = (await http.get("/api/v1/alarms")).json()["items"]
            return next((i for i in items if i["alarm"]["name"] == ALARM), {"letter": ""})

        async def rings() -> bool:
            return (await view())["letter"] == "B"

        # Longer than all this takes; that it stands in fault by itself already does no harm.
        logbook.happen("cnc-1", What.STOP, seconds=120)
        await until(rings)
        found = await view()
        assert found["alarm"]["point"].endswith("/line-1/cnc-1")
        deed = {"do": "acknowledge", "event_id": found["state"]["event_id"]}
        answer = {"alarm": ALARM, "deed": deed, "comment": "on my way"}
        done = await http.post("/api/v1/alarms/answer", json=answer)
        assert done.json()["letter"] == "C", done.text

        async def controller_agrees() -> bool:
            return (await view())["alarm"]["description"] == "cnc-1: acknowledged, on my way"

        await until(controller_agrees)
        again = await http.post("/api/v1/alarms/answer", json=answer)
        assert again.status_code == 409
        journal = await http.get("/api/v1/alarms/journal", params={"alarm": ALARM})
        kinds = [e["event"]["kind"] for e in journal.json()["items"]]
        assert kinds[-2:] == ["alarm.acknowledged", "alarm.arisen"]
