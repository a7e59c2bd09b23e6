"""A device in trouble disturbs no other, comes back by itself, and tells its state."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid, LinkLost, Missing, Refused
from lineshaft.core.point import Point
from lineshaft.core.quality import Quality
from lineshaft.core.settings import Settings
from lineshaft.drivers import Driver
from lineshaft.gather.device import State


class Scripted(Driver):
    """Does what the test says, one step a run."""

    def __init__(self, name, *steps):
        super().__init__(name, Settings())
        self.steps = list(steps)
        self.runs = 0

    async def run(self, feed):
        self.runs += 1
        feed.declare([Point(path=f"site/{self.name}/p", source=self.name)])
        step = self.steps.pop(0) if self.steps else "stay"
        if isinstance(step, Exception):
            raise step
        await feed.emit(Batch.of_rows([Sample(f"site/{self.name}/p", now_ns(), float(self.runs))]))
        if step == "drop":
            raise LinkLost("the cable was pulled")
        await asyncio.Event().wait()

    @classmethod
    @asynccontextmanager
    async def bench(cls):
        yield None


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    "fault", [LinkLost("gone"), KeyError("a defect"), ExceptionGroup("g", [LinkLost("x")])]
)
async def test_a_failing_driver_comes_back_and_disturbs_no_other(house, fault):
    sick, well = Scripted("sick", fault, fault), Scripted("well")
    house.devices.add(sick)
    house.devices.add(well)
    async with house.running():
        await until(lambda: house.of("site/sick/p") and house.of("site/well/p"))
        view = house.devices.device("sick").view()
        assert view.state is State.CONNECTED
        assert view.reconnects == 1
        assert view.error
        assert well.runs == 1


async def test_a_refused_driver_is_parked_until_asked(house):
    driver = Scripted("m", Refused("wrong password"))
    house.devices.add(driver)
    async with house.running():
        await until(lambda: house.devices.device("m").state is State.REFUSED)
        assert house.devices.device("m").view().error == "wrong password"
        house.devices.retry("m")
        await until(lambda: house.devices.device("m").state is State.CONNECTED)
        assert driver.runs == 2


async def test_a_lost_link_marks_every_point_and_tells_its_state(house):
    house.devices.add(Scripted("m", "drop"))
    async with house.running():
        await until(lambda: len(house.of("site/m/p")) >= 3)
        first, lost, again = house.of("site/m/p")[:3]
        assert (first.value, first.quality) == (1.0, 0)
        assert (lost.value, lost.quality) == (None, Quality.BAD_NO_COMMUNICATION)
        assert again.value == 2.0
        state = house.points["lineshaft/drivers/m/state"]

        def changes():
            told = [state.names[str(int(s.value))] for s in house.of(state.path)]
            return [a for n, a in enumerate(told) if not n or told[n - 1] != a]

        # News go their own way, so the state may come after the sample.
        await until(lambda: changes()[-4:] == ["connected", "lost", "connecting", "connected"])


class Ahead(Scripted):
    """A machine whose clock is five minutes ahead of ours."""

    async def run(self, feed):
        feed.declare([Point(path="site/m/p", source=self.name)])
        ahead_ns = now_ns() + 300 * 10**9
        await feed.emit(Batch.of_rows([Sample("site/m/p", ahead_ns, 1.0)]))
        raise LinkLost("the cable was pulled")


async def test_a_lost_link_is_the_newest_word_of_a_machine_whose_clock_is_ahead(house):
    house.devices.add(Ahead("m"))
    async with house.running():
        await until(lambda: len(house.of("site/m/p")) >= 2)
        good, lost = house.of("site/m/p")[:2]
    assert (good.value, lost.quality) == (1.0, Quality.BAD_NO_COMMUNICATION)
    assert lost.time_ns > good.time_ns


class Absurd(Scripted):
    """A machine that once sends a time that no clock shows."""

    async def run(self, feed):
        feed.declare([Point(path="site/m/p", source=self.name)])
        rows = [("site/m/p", t, 1.0) for t in (-(2**63), now_ns(), 2**63 - 1)]
        await feed.emit(Batch.of_rows(rows))
        await asyncio.Event().wait()


async def test_times_that_no_clock_shows_are_counted_and_go_no_further(house):
    house.devices.add(Absurd("m"))
    async with house.running():
        await until(lambda: house.of("site/m/p"))
        assert len(house.of("site/m/p")) == 1
        assert house.devices.device("m").losses == {"times before 1824 or after 2116": 2}


async def test_counters_are_points(house):
    house.devices.add(Scripted("m"))
    async with house.running():
        await until(lambda: any(s.value == 1.0 for s in house.of("lineshaft/drivers/m/samples")))
        house.devices.device("m").lost("overflow", 3)
        await until(lambda: any(s.value == 3.0 for s in house.of("lineshaft/drivers/m/lost")))


async def test_emit_returns_only_once_the_store_has_it(house):
    device = house.devices
    device.add(Scripted("m"))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(device.run())
        await asyncio.sleep(0.05)
        assert device.device("m").samples == 0
        keeping = group.create_task(house.keep())
        await until(lambda: device.device("m").samples == 1)
        running.cancel()
        keeping.cancel()


async def test_troubles_are_listed_and_end(house):
    house.devices.add(Scripted("m"))
    device = house.devices.device("m")
    device.trouble("ns=2;s=X", "BadNodeIdUnknown")
    assert device.view().troubles[0].problem == "BadNodeIdUnknown"
    device.trouble("ns=2;s=X", None)
    assert not device.view().troubles
    for n in range(300):
        device.trouble(str(n), "bad")
    assert len(device.view().troubles) == 200
    assert device.losses["troubles not listed"] == 100


async def test_devices_come_and_go_while_others_run(house):
    house.devices.add(Scripted("a"))
    async with house.running():
        house.devices.add(Scripted("b"))
        await until(lambda: house.of("site/b/p"))
        with pytest.raises(Invalid, match="'b'"):
            house.devices.add(Scripted("b"))
        await house.devices.remove("b")
        with pytest.raises(Missing, match="there are: a"):
            house.devices.device("b")
        assert house.devices.device("a").state is State.CONNECTED
        names = {m.name for m in house.devices.metrics()}
        assert {"device_up", "device_samples_total", "device_lost_total"} <= names


class Deaf(Scripted):
    """Does not hear that it is cancelled the first time, as some libraries."""

    def __init__(self, name, *, emits):
        super().__init__(name)
        self.emits = emits

    async def run(self, feed):
        await feed.emit(Batch.of_rows([Sample(f"site/{self.name}/p", now_ns(), 1.0)]))
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        if self.emits:
            await feed.emit(Batch.of_rows([Sample(f"site/{self.name}/p", now_ns(), 2.0)]))
        await asyncio.Event().wait()


@pytest.mark.parametrize("emits", [True, False])
async def test_a_driver_that_overhears_its_end_is_ended_all_the_same(house, monkeypatch, emits):
    monkeypatch.setattr("lineshaft.core.flow.CANCEL_AGAIN_S", 0.01)
    house.devices.add(Deaf("a", emits=emits))
    house.devices.add(Deaf("b", emits=emits))
    async with asyncio.timeout(10), house.running():
        await until(lambda: house.of("site/a/p") and house.of("site/b/p"))
        await house.devices.remove("a")
    assert [s.value for s in house.of("site/b/p")] == [1.0]


async def test_a_removed_device_leaves_no_good_values_behind(house):
    house.devices.add(Scripted("m"))
    async with house.running():
        await until(lambda: house.of("site/m/p"))
        await house.devices.remove("m")
        await until(lambda: house.of("site/m/p")[-1].quality == Quality.BAD_NO_COMMUNICATION)
        state = house.points["lineshaft/drivers/m/state"]
        last = house.of(state.path)[-1]
        assert state.names[str(int(last.value))] == "stopped"
