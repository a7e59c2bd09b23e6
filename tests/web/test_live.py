"""Live values over a real WebSocket, and as server-sent events."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lineshaft.core.access import Action, Identity
from lineshaft.historian.live import CREDIT_MAX, Viewer, Wish
from lineshaft.web.frames import FrameKind, decode
from lineshaft.web.identify import NOBODY

PRESS = "acme/hall-1/press"
LOOK = frozenset({Action.LOOK})


def socket(plant, token="ls_viewer", **options):
    headers = {"Authorization": f"Bearer {token}"}
    url = plant.url.replace("http", "ws") + "/api/v1/live"
    return connect(url, additional_headers=headers, compression=None, **options)


async def until(done) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.01)


class Watcher:
    """Collects what comes over a socket."""

    def __init__(self, ws) -> None:
        self.ws = ws
        self.names: dict[int, str] = {}
        self.values: dict[str, object] = {}
        self.kinds: list[FrameKind] = []

    async def watch(self, *, credit: int, **wish) -> None:
        await self.ws.send(json.dumps({"subscribe": wish}))
        await self.ws.send(json.dumps({"credit": credit}))

    async def until(self, done, *, credit: int = 1) -> None:
        async with asyncio.timeout(10):
            while not done():
                await self.take(await self.ws.recv(), credit)

    async def take(self, item, credit: int) -> None:
        if isinstance(item, str):
            self.names |= {i: p for p, i in json.loads(item)["points"].items()}
            return
        frame = decode(item)
        self.kinds.append(frame.kind)
        for i, number in zip(frame.id.tolist(), frame.number.tolist(), strict=True):
            if i in self.names:
                self.values[self.names[i]] = frame.text.get(i, number)
            else:
                self.values[i] = number
        if credit:
            await self.ws.send(json.dumps({"credit": credit}))


async def test_a_watcher_gets_a_snapshot_then_changes(plant):
    await plant.publish((f"{PRESS}/oil", 1.0), (f"{PRESS}/job", "A7"))
    async with socket(plant) as ws:
        watcher = Watcher(ws)
        await watcher.watch(credit=32, branches=["acme"])
        await watcher.until(lambda: watcher.values == {f"{PRESS}/oil": 1.0, f"{PRESS}/job": "A7"})
        assert watcher.kinds == [FrameKind.SNAPSHOT]
        await plant.publish((f"{PRESS}/oil", 2.0))
        await watcher.until(lambda: watcher.values[f"{PRESS}/oil"] == 2.0)
        assert watcher.kinds[-1] is FrameKind.CHANGES


async def test_a_branch_that_grows_is_told(plant):
    async with socket(plant) as ws:
        watcher = Watcher(ws)
        await watcher.watch(credit=32, branches=["acme"], points=["other/thing"])
        await plant.publish((f"{PRESS}/new", 5.0), ("other/thing", 6.0), ("other/else", 7.0))
        wanted = {f"{PRESS}/new": 5.0, "other/thing": 6.0}
        await watcher.until(lambda: wanted.items() <= watcher.values.items())
        assert set(watcher.names.values()) == set(wanted)


async def test_without_credit_nothing_comes_and_then_only_the_newest(plant):
    await plant.publish((f"{PRESS}/oil", 0.0))
    async with socket(plant) as ws:
        watcher = Watcher(ws)
        await watcher.watch(credit=1, branches=["acme"])
        await watcher.until(lambda: watcher.values, credit=0)
        for i in range(1, 4):
            await plant.publish((f"{PRESS}/oil", float(i)))
            plant.historian.live.tick()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ws.recv()
        await ws.send(json.dumps({"credit": 5}))
        watcher.kinds.clear()
        await watcher.until(lambda: watcher.kinds)
        assert watcher.values == {f"{PRESS}/oil": 3.0}
        assert watcher.kinds == [FrameKind.SNAPSHOT]
        assert plant.historian.live.conflated >= 1


async def test_a_watcher_that_never_reads_does_not_fill_the_memory(plant):
    await plant.publish(*((f"{PRESS}/p{i}", 0.0) for i in range(50)))
    hub, viewer = plant.historian.live, Viewer(Identity(name="vera", actions=LOOK))
    for i in range(5 * CREDIT_MAX):
        viewer.grant(CREDIT_MAX)
        await plant.publish((f"{PRESS}/p1", float(i)))
        hub.subscribe(viewer, Wish(branches=("acme",)))
        hub.tick()
    waiting = 0
    async with asyncio.timeout(1):
        while viewer._out:
            await viewer.next()
            waiting += 1
    assert waiting <= CREDIT_MAX + 1
    hub.leave(viewer)


async def test_one_encoding_serves_all_watchers(plant):
    await plant.publish((f"{PRESS}/oil", 1.0))
    async with socket(plant) as one, socket(plant) as two:
        watchers = [Watcher(one), Watcher(two)]
        for watcher in watchers:
            await watcher.watch(credit=32, branches=[""])
            await watcher.until(lambda w=watcher: w.values)
        before = plant.historian.live.frames_encoded
        await plant.publish((f"{PRESS}/oil", 2.0))
        for watcher in watchers:
            await watcher.until(lambda w=watcher: w.values[f"{PRESS}/oil"] == 2.0)
        assert plant.historian.live.frames_encoded == before + 1


async def test_a_watcher_never_sees_a_sibling_outside_his_branch(plant):
    await plant.publish((f"{PRESS}/oil", 1.0), (f"{PRESS}/secret", 2.0))
    async with socket(plant, "ls_point") as ws:
        watcher = Watcher(ws)
        await watcher.watch(credit=32, branches=[""], points=[f"{PRESS}/secret"])
        await watcher.until(lambda: watcher.values)
        await plant.publish((f"{PRESS}/oil", 3.0), (f"{PRESS}/secret", 4.0))
        await watcher.until(lambda: watcher.values[f"{PRESS}/oil"] == 3.0)
        assert watcher.values == {f"{PRESS}/oil": 3.0}


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"strange": 1}', '{"credit": "x"}'])
async def test_nonsense_is_answered_with_a_problem_and_the_socket_lives(plant, text):
    await plant.publish((f"{PRESS}/oil", 1.0))
    async with socket(plant) as ws:
        await ws.send(text)
        answer = json.loads(await ws.recv())
        assert answer["error"]["status"] == 400
        assert answer["error"]["remedy"]
        watcher = Watcher(ws)
        await watcher.watch(credit=3, branches=["acme"])
        await watcher.until(lambda: watcher.values)


async def test_strangers_and_foreign_pages_get_no_socket(plant):
    with pytest.raises(InvalidStatus):
        async with socket(plant, "ls_nobody"):
            pass
    with pytest.raises(InvalidStatus):
        async with socket(plant, origin="http://evil.example"):
            pass


@pytest.mark.parametrize("now", [None, NOBODY, Identity(name="vera", actions=LOOK, branches=())])
async def test_a_socket_ends_when_its_session_or_its_rights_do(plant, monkeypatch, now):
    monkeypatch.setattr("lineshaft.historian.watching.RECHECK_S", 0.05)
    async with socket(plant) as ws:
        plant.people.tokens["ls_viewer"] = now
        told = json.loads(await ws.recv())
        with pytest.raises(ConnectionClosed) as ended:
            await ws.recv()
    assert told["error"]["status"] == 401
    assert ended.value.rcvd.code == 4401


async def test_a_watcher_that_leaves_is_forgotten(plant):
    async with socket(plant) as ws:
        await Watcher(ws).watch(credit=1, branches=["acme"])
        await until(lambda: plant.historian.live.viewers)
    await until(lambda: not plant.historian.live.viewers)


async def test_events_tell_values_to_simple_clients(plant):
    await plant.publish((f"{PRESS}/oil", 1.0))
    ask = {"branch": "acme"}
    async with (
        plant.http("ls_viewer") as http,
        http.stream("GET", "/live/events", params=ask, timeout=10) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                break
    (value,) = json.loads(line.removeprefix("data: "))
    assert (value["point"], value["value"]) == (f"{PRESS}/oil", 1.0)
