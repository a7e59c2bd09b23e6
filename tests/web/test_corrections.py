"""History is changed only by name, with a reason, and on record; live values follow."""

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import NS_PER_S, now_ns, to_iso

PRESS = "acme/hall-1/press/oil"


async def bring(plant, http, *values: float) -> int:
    """Samples a second apart; the time of the first."""
    start = now_ns() // NS_PER_S * NS_PER_S - 3600 * NS_PER_S
    batch = Batch.of_rows(Sample(PRESS, start + i * NS_PER_S, v) for i, v in enumerate(values))
    (await http.post("/samples", content=batch.to_ipc())).raise_for_status()
    return start


async def kinds(plant) -> list[tuple[str, str]]:
    found = await plant.historian.imports._records.events(kind="history")
    return [(e.event.kind, e.event.data["reason"]) for e in found]


async def last(http) -> float | None:
    items = (await http.get("/last", params={"points": PRESS})).json()["items"]
    return items[0]["value"] if items else None


async def test_what_is_deleted_is_gone_and_on_record(plant):
    async with plant.http() as http:
        start = await bring(plant, http, 1.0, 2.0, 3.0)
        ask = {
            "points": [PRESS],
            "start": to_iso(start + 2 * NS_PER_S),
            "stop": to_iso(start + 9 * NS_PER_S),
            "reason": "sensor was in the drawer",
        }
        done = await http.post("/samples/delete", json=ask)
        assert done.json()["rows"] == 1
        assert await last(http) == 2.0
        ask["start"] = to_iso(start)
        assert (await http.post("/samples/delete", json=ask)).json()["rows"] == 2
        assert await last(http) is None
    told = await kinds(plant)
    assert (
        told
        == [
            ("history.deleting", ask["reason"]),
            ("history.deleted", ask["reason"]),
        ]
        * 2
    )


async def test_correction_replaces_what_is_there_and_keeps_what_was(plant):
    async with plant.http() as http:
        start = await bring(plant, http, 1.0, 2.0)
        right = Batch.of_rows([Sample(PRESS, start + NS_PER_S, 20.0)])
        ask = {"correct": True, "reason": "wrong unit"}
        done = await http.post("/samples", params=ask, content=right.to_ipc())
        assert done.json() == {"accepted": 1}
        assert await last(http) == 20.0
        wrong = Batch.of_rows([Sample(PRESS, start + 7, 20.0)])
        no = await http.post("/samples", params=ask, content=wrong.to_ipc())
        assert no.status_code == 400
        assert "0 of the 1 times" in no.json()["detail"]
    (before, after) = await plant.historian.imports._records.events(kind="history")
    assert before.event.data["before"][0]["value"] == 2.0
    assert after.event.kind == "history.corrected"
    assert after.event.data["rows"] == 1


async def test_changing_history_needs_a_reason_and_the_right(plant):
    async with plant.http() as http:
        start = await bring(plant, http, 1.0)
        ask = {"points": [PRESS], "start": to_iso(start), "stop": "now", "reason": " "}
        assert (await http.post("/samples/delete", json=ask)).status_code == 400
        batch = Batch.of_rows([Sample(PRESS, start, 2.0)]).to_ipc()
        no = await http.post("/samples", params={"correct": True}, content=batch)
        assert no.status_code == 400
        ask["reason"] = "because"
        assert (await http.post("/samples/delete", json=ask | {"points": []})).status_code == 400
        gone = ask | {"points": ["acme/no"]}
        assert (await http.post("/samples/delete", json=gone)).status_code == 404
    for token in ("ls_viewer", "ls_guest"):
        async with plant.http(token) as http:
            assert (await http.post("/samples/delete", json=ask)).status_code == 403
    assert not await kinds(plant)
    async with plant.http() as http:
        assert await last(http) == 1.0


async def test_looking_after_the_store_needs_an_administrator_and_a_folder(plant):
    plant.people.tokens["ls_admin"] = Identity(name="ada", actions=frozenset(Action))
    async with plant.http() as http:
        for verb in ("verify", "backup", "retain"):
            assert (await http.post(f"/store/{verb}")).status_code == 403
    async with plant.http("ls_admin") as http:
        no = await http.post("/store/backup", json={"folder": "/etc"})
        assert "no folder for backups" in no.json()["detail"]
