"""Event frames of a whole plant over HTTP: defined, seen, answered, compared, recomputed."""

import asyncio

from tests.twins.living.plants import plant, publish, until

from lineshaft.cli import parser

PRESS = "acme/hall/press"
BATCH = {
    "name": "batch",
    "assets": ["acme/*/press"],
    "begin": "running",
    "kind": "batch",
    "level": "unit-procedure",
    "lateness_s": 0.0,
    "reason": "R0",
    "names": {"temp": "./oil"},
    "attributes": [
        {"name": "id", "of": "order", "take": "begin"},
        {"name": "hottest", "of": "temp", "take": "max"},
    ],
}
PHASE = {
    "name": "phase",
    "assets": [PRESS],
    "begin": "step",
    "parent": "batch",
    "kind": "phase",
    "lateness_s": 0.0,
    "attributes": [{"name": "step", "of": "step", "take": "begin"}],
}


async def frames_of(http, **params) -> list[dict]:
    found = await http.get("/api/v1/frames", params=params)
    assert found.is_success, found.text
    return found.json()["items"]


async def run_batch(made, http, order: str, heats: tuple[float, ...]) -> None:
    """One batch of three steps."""
    before = len(await frames_of(http, template="batch", open=False))
    await publish(made, (f"{PRESS}/order", order), (f"{PRESS}/oil", heats[0]))
    await publish(made, (f"{PRESS}/running", 1.0), (f"{PRESS}/step", "mix"))
    for heat in heats:
        await asyncio.sleep(0.03)
        await publish(made, (f"{PRESS}/oil", heat))
    await publish(made, (f"{PRESS}/step", "bake"))
    await asyncio.sleep(0.03)
    await publish(made, (f"{PRESS}/step", ""), (f"{PRESS}/running", 0.0))

    async def done() -> bool:
        return len(await frames_of(http, template="batch", open=False)) > before

    await until(done)


async def declared(made, http) -> None:
    """Templates over points that have come once."""
    await publish(
        made, (f"{PRESS}/running", 0.0), (f"{PRESS}/oil", 20.0), (f"{PRESS}/order", "-"),
        (f"{PRESS}/step", ""),
    )  # fmt: skip
    for template in (BATCH | {"begin": "running > 0.5"}, PHASE):
        answer = await http.put("/api/v1/frames/templates", json=template)
        assert answer.is_success, answer.text


async def test_batches_are_seen_with_their_phases_answered_compared_and_recomputed(tmp_path):
    async with plant(tmp_path) as (made, http):
        await http.put("/api/v1/frames/templates", json=BATCH)
        await declared(made, http)
        # A number begins a frame with each new value: only a truth is a batch.
        (view, _) = (await http.get("/api/v1/frames/templates")).json()["items"]
        assert (view["assets"], view["waiting"]) == ([PRESS], {})
        await run_batch(made, http, "A1", (30.0, 60.0, 40.0))
        await run_batch(made, http, "A2", (30.0, 90.0, 45.0))
        second, first = await frames_of(http, template="batch", open=False)
        assert first["attributes"] == {"id": "A1", "hottest": 60.0}
        assert (second["attributes"]["id"], second["reason"]) == ("A2", "R0")
        assert [f["key"] for f in await frames_of(http, attribute="id=A2")] == [second["key"]]
        assert [f["key"] for f in await frames_of(http, attribute="hottest>80")] == [second["key"]]
        detail = (await http.get("/api/v1/frames/one", params={"key": first["key"]})).json()
        assert [c["attributes"]["step"] for c in detail["children"]] == ["mix", "bake"]
        remark = {"frame": first["key"], "acknowledge": True, "reason": "R7", "comment": "hot"}
        done = (await http.post("/api/v1/frames/annotate", json=remark)).json()
        assert (done["reason"], done["note"]["acknowledged_by"]) == ("R7", "admin")
        for align in ("start", "stretch", "phase", "dtw"):
            params = {"frame": [first["key"], second["key"]], "point": "./oil", "align": align}
            found = await http.get("/api/v1/frames/compare", params=params | {"steps": 50})
            assert found.is_success, found.text
            (oil,) = found.json()["points"]
            assert len(oil["lines"][1]["values"]) == len(found.json()["steps"]) == 50
            assert found.json()["distance"][first["key"]] == 0.0
            assert found.json()["distance"][second["key"]] > 0.0
        order = {"template": "batch", "start": "-1h"}
        assert (await http.post("/api/v1/frames/recompute", json=order)).status_code == 202

        async def rested() -> bool:
            return not (await http.get("/api/v1/frames/templates")).json()["recomputing"]

        await until(rested)
        again = await frames_of(http, template="batch", open=False)
        assert [f["key"] for f in again] == [second["key"], first["key"]]
        assert (again[1]["reason"], again[1]["note"]["comment"]) == ("R7", "hot")
        text = (await http.get("/api/v1/frames/csv", params={"template": "batch"})).text
        assert "A2" in text
        trial = {"template": BATCH | {"begin": "running > 0.5"}, "start": "-1h"}
        tried = (await http.post("/api/v1/frames/preview", json=trial)).json()
        assert (tried["count"], tried["items"][0]["key"]) == (2, first["key"])
        log = await made.records.events(kind="frame", limit=1000)
        kinds = [e.event.kind for e in log if e.event.data.get("template") == "batch"]
        assert kinds.count("frame.opened") == kinds.count("frame.closed") == 2


DERIVED = """
[[derived]]
point = "acme/hall/press/twice"
expression = "load * 2.0"
lateness_s = 0.0
[[frames]]
name = "high"
assets = ["acme/hall/press"]
begin = "twice > 10.0"
kind = "excursion"
lateness_s = 0.0
"""


async def test_a_deletion_below_a_derived_point_takes_its_frames_away(tmp_path):
    async with plant(tmp_path, DERIVED) as (made, http):
        for load in (1.0, 8.0, 1.0, 9.0, 1.0):
            await publish(made, (f"{PRESS}/load", load))
            await asyncio.sleep(0.05)

        async def known(count: int) -> bool:
            return len(await frames_of(http, template="high", open=False)) == count

        await until(lambda: known(2))
        order = {"points": [f"{PRESS}/load"], "start": "-1h", "stop": "+1h", "reason": "wrong"}
        assert (await http.post("/api/v1/samples/delete", json=order)).is_success
        await until(lambda: known(0))
        gone = await made.records.events(kind="frame.removed")
        assert len(gone) == 2


async def test_who_may_not_see_a_branch_sees_no_frame_of_it(tmp_path):
    async with plant(tmp_path) as (made, http):
        await declared(made, http)
        await run_batch(made, http, "A1", (30.0,))
        (frame,) = await frames_of(http, template="batch")
        wish = {"name": "t", "actions": ["look"], "branches": ["acme/other"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        http.cookies.clear()
        http.headers["Authorization"] = f"Bearer {token}"
        assert await frames_of(http) == []
        one = await http.get("/api/v1/frames/one", params={"key": frame["key"]})
        assert one.status_code == 404
        assert (await http.get("/api/v1/frames/templates")).json()["items"] == []
        assert (await http.put("/api/v1/frames/templates", json=BATCH)).status_code == 403
        tried = await http.post("/api/v1/frames/preview", json={"template": PHASE})
        assert tried.status_code == 403


async def test_the_command_line_finds_and_shows_frames(tmp_path, capsys):
    async with plant(tmp_path) as (made, http):
        await declared(made, http)
        await run_batch(made, http, "A1", (30.0, 60.0))
        (frame,) = await frames_of(http, template="batch")
        wish = {"name": "cli", "actions": ["look", "write", "configure"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]

        async def lineshaft(*words: str) -> str:
            at = ["--url", str(http.base_url).rstrip("/"), "--token", token]
            args = parser("frame").parse_args(["frame", *words, *at])
            assert await asyncio.to_thread(args.call, args) == 0
            return capsys.readouterr().out

        assert "id=A1" in await lineshaft("list", "--template", "batch")
        assert "step=bake" in await lineshaft("show", frame["key"])
        assert "0.000" in await lineshaft("compare", frame["key"], "--point", "./oil")
        assert f"batch on {PRESS}" in await lineshaft("recompute", "batch")
        file = tmp_path / "frames.toml"
        file.write_text(f'[[frames]]\nname = "b"\nassets = ["{PRESS}"]\nbegin = "running > 0.5"\n')
        assert "b: 1 frames" in await lineshaft("preview", str(file), "--start=-1h")
        assert await lineshaft("define", str(file)) == "b: defined\n"
        assert f"b  other: {PRESS}" in await lineshaft("templates")
        assert await lineshaft("remove", "b") == "b: removed\n"
        assert "id=A1" in await lineshaft("annotate", frame["key"], "--comment", "looks good")
        kept = (await http.get("/api/v1/frames/one", params={"key": frame["key"]})).json()["frame"]
        assert "looks good" in str(kept)
