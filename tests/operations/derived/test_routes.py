"""Derived points of a whole plant over HTTP: defined, live, tried, recomputed, and whose."""

import asyncio

import pytest
from tests.twins.living.plants import plant, publish, until

from lineshaft.cli import parser
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Point
from lineshaft.operations.derived.settings import Derived

S = 10**9
POWER = {"point": "acme/press/power", "expression": "volts * amps", "lateness_s": 0}
TABLE = """
[[derived]]
point = "acme/press/power"
expression = "volts * amps"
lateness_s = 0
"""


async def rows(made, point: str) -> list[tuple[int, object]]:
    found = await made.store.read([point], 0, 2**62)
    return [(r.time_ns, r.value) for r in found.rows()]


async def view(http, point: str) -> dict:
    items = (await http.get("/api/v1/derived")).json()["items"]
    return next(v for v in items if v["definition"]["point"] == point)


async def test_a_point_is_defined_is_live_and_stays_over_a_restart(tmp_path):
    async with plant(tmp_path) as (made, http):
        answer = await http.put("/api/v1/derived", json=POWER)
        assert answer.is_success, answer.text
        assert answer.json()["state"]["phase"] == "waiting"
        assert "there is no point" in answer.json()["state"]["trouble"]
        await publish(made, ("acme/press/volts", 400.0), ("acme/press/amps", 2.0))

        async def live() -> bool:
            return bool(await rows(made, "acme/press/power"))

        await until(live)
        assert [v for _, v in await rows(made, "acme/press/power")] == [800.0]
        point = (await http.get("/api/v1/points?search=power")).json()["items"][0]
        assert (point["source"], point["path"]) == ("derived", "acme/press/power")
        assert (await http.get("/health")).is_success
    async with plant(tmp_path) as (made, http):
        await publish(made, ("acme/press/amps", 3.0))

        async def more() -> bool:
            return [v for _, v in await rows(made, "acme/press/power")] == [800.0, 1200.0]

        await until(more)
        assert (await http.delete("/api/v1/derived?point=acme/press/power")).is_success
        assert (await http.get("/api/v1/derived")).json()["items"] == []
        kinds = [e.event.kind for e in await made.records.events(kind="derived")]
        assert kinds == ["derived.defined", "derived.removed"]


async def test_those_of_the_file_are_live_and_change_with_it(tmp_path):
    file = tmp_path / "plant.toml"
    async with plant(tmp_path, TABLE) as (made, http):
        await publish(made, ("acme/press/volts", 400.0), ("acme/press/amps", 2.0))

        async def live() -> bool:
            return bool(await rows(made, "acme/press/power"))

        await until(live)
        assert (await view(http, "acme/press/power"))["in_file"]
        refused = await http.put("/api/v1/derived", json=POWER)
        assert refused.status_code == 400
        assert "settings file" in refused.json()["detail"]
        assert not file.exists()


async def test_a_reload_that_cannot_be_changes_nothing(tmp_path):
    async with plant(tmp_path) as (made, http):
        desk = made.operations.derived
        await desk.reload([Derived(**POWER)])
        with pytest.raises(Invalid, match="itself"):
            await desk.reload([Derived(point="acme/press/power", expression="power * 2")])
        assert (await view(http, "acme/press/power"))["definition"]["expression"] == "volts * amps"
        await publish(made, ("acme/press/volts", 400.0), ("acme/press/amps", 2.0))

        async def live() -> bool:
            return bool(await rows(made, "acme/press/power"))

        await until(live)
        await desk.reload([Derived(**POWER | {"expression": "volts * amps / 1000"})])
        await publish(made, ("acme/press/amps", 3.0))

        async def changed() -> bool:
            return [v for _, v in await rows(made, "acme/press/power")] == [800.0, 1.2]

        await until(changed)
        await desk.reload([])
        assert (await http.get("/api/v1/derived")).json()["items"] == []


async def test_a_cycle_is_refused_with_its_way(tmp_path):
    async with plant(tmp_path) as (_, http):
        one = {"point": "acme/press/a", "expression": "b + 1"}
        other = {"point": "acme/press/b", "expression": "a + 1"}
        assert (await http.put("/api/v1/derived", json=one)).is_success
        refused = await http.put("/api/v1/derived", json=other)
        assert refused.status_code == 400
        assert "acme/press/a → acme/press/b → acme/press/a" in refused.json()["detail"]
        assert len((await http.get("/api/v1/derived")).json()["items"]) == 1


async def test_wrong_expressions_are_told_with_their_place(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, ("acme/press/volts", 400.0))
        made.historian.namespace.declare([Point(path="acme/press/temp", unit="Cel")])
        for text, at in (("volts +", 7), ("2 * (volts + 'x')", 5), ("convert(temp, 'kPa')", 8)):
            body = {"point": "acme/press/d", "expression": text}
            found = (await http.post("/api/v1/derived/check", json=body)).json()
            assert found["wrong"]["at"] == at, found
            assert (await http.put("/api/v1/derived", json=body)).status_code == 400
        body = {"point": "acme/press/d", "expression": "avg(temp, '5m') > 80"}
        found = (await http.post("/api/v1/derived/check", json=body)).json()
        assert (found["kind"], found["inputs"]) == ("boolean", ["acme/press/temp"])
        body = {"point": "acme/press/d", "expression": "nobody + temp"}
        found = (await http.post("/api/v1/derived/check", json=body)).json()
        assert found["missing"] == ["acme/press/nobody"]


async def test_history_is_tried_and_then_computed(tmp_path):
    now = now_ns()
    async with plant(tmp_path) as (made, http):
        batch = Batch.of_rows(
            [
                *(("acme/press/volts", now - (100 - n) * S, 400.0) for n in range(100)),
                *(("acme/press/amps", now - (100 - n) * S, float(n)) for n in range(100)),
            ]
        )
        await made.spine.publish("data.test", batch)
        trial = {"derived": POWER, "start": "-1h"}
        found = (await http.post("/api/v1/derived/preview", json=trial)).json()
        assert (found["rows"], found["good"], found["values"][-1]) == (100, 100, 39_600.0)
        assert (await http.put("/api/v1/derived", json=POWER)).is_success

        async def count() -> int:
            return len(await rows(made, "acme/press/power"))

        await until(count)
        assert await count() == 1  # what holds now; history is asked for
        body = {"point": "acme/press/power", "start": "-1h"}
        assert (await http.post("/api/v1/derived/recompute", json=body)).status_code == 202

        async def all_there() -> bool:
            return await count() == 100

        await until(all_there)
        assert [v for _, v in await rows(made, "acme/press/power")] == found["values"]


async def test_samples_that_do_not_come_over_the_spine_count_too(tmp_path):
    async with plant(tmp_path) as (made, http):
        await http.put("/api/v1/derived", json=POWER)
        now = now_ns()
        at = [now + n * S // 100 for n in range(4)]
        await made.spine.publish(
            "data.test",
            Batch.of_rows(
                [("acme/press/volts", t, 400.0) for t in (at[0], at[3])]
                + [("acme/press/amps", at[0], 1.0)]
            ),
        )

        async def first() -> bool:
            return [v for _, v in await rows(made, "acme/press/power")] == [400.0, 400.0]

        await until(first)
        await made.historian.append(Batch.of_rows([("acme/press/amps", at[1], 2.0)]))

        async def put_right() -> bool:
            found = [v for _, v in await rows(made, "acme/press/power")]
            return found == [400.0, 800.0, 800.0]

        await until(put_right)
        await made.historian.corrections.delete(
            ["acme/press/amps"], (at[1], at[2]), reason="wrong", by="admin"
        )
        await until(first)


async def test_one_sees_and_defines_only_what_ones_rights_cover(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, ("acme/press/volts", 400.0), ("acme/saw/volts", 230.0))
        saw = {"point": "acme/saw/double", "expression": "volts * 2"}
        press = {"point": "acme/press/double", "expression": "volts * 2"}
        for body in (saw, press):
            assert (await http.put("/api/v1/derived", json=body)).is_success
        wish = {"name": "li", "actions": ["look", "configure"], "branches": ["acme/saw"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        http.cookies.clear()
        http.headers["Authorization"] = f"Bearer {token}"
        items = (await http.get("/api/v1/derived")).json()["items"]
        assert [v["definition"]["point"] for v in items] == ["acme/saw/double"]
        foreign = {"point": "acme/press/x", "expression": "volts"}
        assert (await http.put("/api/v1/derived", json=foreign)).status_code in (403, 404)
        prying = {"point": "acme/saw/x", "expression": "`acme/press/volts`"}
        refused = await http.put("/api/v1/derived", json=prying)
        assert (refused.status_code, "there is no point" in refused.text) == (400, True)
        found = (await http.post("/api/v1/derived/check", json=prying)).json()
        assert found["missing"] == ["acme/press/volts"]
        trial = await http.post("/api/v1/derived/preview", json={"derived": prying})
        assert trial.status_code == 400
        gone = await http.delete("/api/v1/derived?point=acme/press/double")
        assert gone.status_code == 404


async def test_the_command_line_lists_checks_tries_and_recomputes(tmp_path, capsys):
    async with plant(tmp_path) as (made, http):
        await publish(made, ("acme/press/volts", 400.0), ("acme/press/amps", 2.0))
        await http.put("/api/v1/derived", json=POWER)
        wish = {"name": "cli", "actions": ["look", "write", "configure"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]

        async def lineshaft(*words: str, code: int = 0) -> str:
            at = ["--url", str(http.base_url).rstrip("/"), "--token", token]
            args = parser("derive").parse_args(["derive", *words, *at])
            assert await asyncio.to_thread(args.call, args) == code
            told = capsys.readouterr()
            return told.out + told.err

        async def live() -> bool:
            return (await view(http, "acme/press/power"))["state"]["phase"] == "live"

        await until(live)
        assert "acme/press/power: volts * amps" in await lineshaft("list")
        file = tmp_path / "derived.toml"
        file.write_text(TABLE)
        assert "from acme/press/volts, acme/press/amps" in await lineshaft("check", str(file))
        assert "1 rows (1 good" in await lineshaft("preview", str(file), "--start=-1h")
        assert "rows changed" in await lineshaft("recompute", "acme/press/power")
        file.write_text('[[derived]]\npoint = "acme/press/half"\nexpression = "volts / 2"\n')
        assert await lineshaft("define", str(file)) == "acme/press/half: defined\n"
        assert "acme/press/half: volts / 2" in await lineshaft("list")
        assert await lineshaft("remove", "acme/press/half") == "acme/press/half: removed\n"
        file.write_text(TABLE.replace("amps", "'x'"))
        assert "at character" in await lineshaft("check", str(file), code=1)
