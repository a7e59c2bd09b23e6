"""Killed again and again while a broker feeds it, a plant judges every measurement once."""

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.operations.spc.killed import POINT, settings

from lineshaft.core.clock import now_ns
from lineshaft.drivers.mqtt.bench import await_port, free_port
from lineshaft.operations.spc import past
from lineshaft.operations.spc.chart import Phase
from lineshaft.operations.spc.watcher import Standing, chart_of, walked
from lineshaft.plant import Plant
from lineshaft.settings import load_text

ROOT = Path(__file__).parents[3]
KILLS = 3
ROUNDS_MAX = 600


@contextmanager
def broker(folder: Path):
    """A broker that keeps what nobody has confirmed; its port."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    port = free_port()
    lines = (f"listener {port} 127.0.0.1", "allow_anonymous true", "user root")
    (folder / "conf").write_text("\n".join((*lines, "max_queued_messages 0\n")))
    with subprocess.Popen(
        [found, "-c", str(folder / "conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            await_port(process, port)
            yield port
        finally:
            process.kill()


class Press:
    """A machine that publishes a force per stroke; its mean moves now and then."""

    def __init__(self, port: int) -> None:
        self.dice = random.Random(11)
        self.sent: dict[int, float] = {}
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="press")
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    async def strokes(self, count: int) -> None:
        for _ in range(count):
            moved = 2.5 if len(self.sent) % 40 > 30 else 0.0
            force = 100.0 + moved + self.dice.gauss(0, 1)
            self.sent[time_ns := now_ns()] = force
            told = self.client.publish("press", json.dumps({"t": time_ns, "force": force}), qos=1)
            await asyncio.to_thread(told.wait_for_publish, 20)


def living(folder: Path, port: int) -> subprocess.Popen:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    command = [sys.executable, "-m", "tests.operations.spc.killed", str(folder), str(port)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )


@asynccontextmanager
async def living_here(folder: Path, port: int):
    """The same plant in this process, where it can be looked into."""
    made, up = Plant(load_text(settings(port), folder=folder)), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(made.run(lambda _: up.set()))
        await up.wait()
        yield made
        made.stop()
        await running


async def rested(made, press: Press) -> None:
    """Wait until all that was sent is stored and both charts have seen it."""
    board = made.operations.board
    newest, whole = max(press.sent), sorted(press.sent)[len(press.sent) // 5 * 5 - 1]
    wanted = (len(press.sent), {"single": newest, "grouped": whole})
    found: tuple = ()
    for _ in range(ROUNDS_MAX):
        views = [board.view_of(c) for c in board.book.charts.values()]
        times = {v.chart.name: v.standing.time_ns for v in views}
        found = (await made.store.count([POINT], 0, 2**62), times)
        if found == wanted:
            break
        await asyncio.sleep(0.1)
    assert found == wanted


async def backtest(made, chart) -> Counter:
    """What the same chart tells of the whole history."""
    phases = (
        Phase(start_ns=0, known=(await past.resolved(made.store, chart, _find(made)))[0].known),
    )
    plotted, exact = await past.plot(made.store, chart, _find(made), phases, 0, 2**62)
    assert exact
    _, told = walked(chart_of(chart, phases).marks, Standing(), plotted)
    return Counter((chart.name, f"spc.{h.what}", h.time_ns, h.marks) for h in told)


def _find(made):
    return made.historian.namespace.find


async def told_by(made) -> Counter:
    found, after = Counter(), 0
    while page := await made.records.events(kind="spc", after=after, limit=1000):
        after = page[-1].seq
        for event in (logged.event for logged in page):
            marks = tuple(event.data["marks"])
            found[event.data["chart"], event.kind, event.time_ns, marks] += 1
    return found


@pytest.mark.timeout(300)
async def test_killed_while_a_broker_feeds_it_every_measurement_is_judged_once(tmp_path):
    folder = tmp_path / "plant"
    await asyncio.to_thread(folder.mkdir)
    dice = random.Random(5)
    with broker(tmp_path) as port:
        press = Press(port)
        for _ in range(KILLS):
            with living(folder, port) as process:
                assert await asyncio.to_thread(process.stdout.readline) == "up\n"
                await press.strokes(60 + dice.randrange(40))
                process.kill()
            await press.strokes(dice.randrange(1, 9))
        async with living_here(folder, port) as made:
            await rested(made, press)
            rows = (await made.store.read([POINT], 0, 2**62)).rows()
            assert {r.time_ns: r.value for r in rows} == press.sent
            told = await told_by(made)
            wanted = Counter()
            for chart in made.operations.board.book.charts.values():
                wanted += await backtest(made, chart)
            assert told == wanted
            assert len(wanted) > 10
        press.client.disconnect()
        press.client.loop_stop()
