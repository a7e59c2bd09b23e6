"""Nothing is written but what is allowed, twice asked for, audited and read back."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Denied, Missing, Refused, Unavailable
from lineshaft.core.plugin import find
from lineshaft.gather import Config, Interlock, WriteRule
from lineshaft.gather.device import State
from lineshaft.gather.writing import Writer

OPERATOR = Identity(name="olga", actions=frozenset({Action.LOOK, Action.WRITE}))
VIEWER = Identity(name="vera", actions=frozenset({Action.LOOK}))
DOOR = "site/press/door"


@asynccontextmanager
async def guarded(house, **rule):
    """A real Modbus device with its writable point in the list of writes."""
    plugin = await asyncio.to_thread(find, "drivers", "modbus")
    async with plugin.bench() as bench:
        house.devices.add(plugin("chiller", bench.settings))
        writer = Writer(Config(), house.devices, house, house, house)
        low_high = {"low": 0.0, "high": 20.0} | rule
        writer.allow([WriteRule(point=bench.writable, **low_high)])
        async with house.running():
            async with asyncio.timeout(10):
                while bench.writable not in house.newest:
                    await asyncio.sleep(0.01)
            yield writer, bench.writable, bench


def kinds(house):
    return [e.kind for e in house.events]


async def test_prepare_writes_nothing_and_confirm_reads_back(house):
    async with guarded(house) as (writer, path, _):
        before = house.newest[path].value
        ticket = await writer.prepare(OPERATOR, path, 7.5)
        assert ticket.now.value == before
        assert (await house.devices.device("chiller").driver.read(path)).value == before
        done = await writer.confirm(OPERATOR, ticket.id, "colder")
        assert done.ok
        assert done.read_back.value == 7.5
        assert kinds(house) == ["write.prepared", "write.confirmed", "write.done"]
        assert house.events[-1].data["reason"] == "colder"
        assert house.events[-1].actor == "olga"


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        ({}, 20.5, "outside 0.0 to 20.0"),
        ({}, float("nan"), "wanted a number"),
        ({}, 10**400, "wanted a number"),
        ({}, True, "wanted a number"),
        ({}, "7", "wanted a number"),
        ({"low": None}, 7.0, "no low and high"),
        ({"step_max": 0.5}, 1.0, "more than one step"),
    ],
)
async def test_a_value_outside_the_rule_is_refused(house, rule, value, message):
    async with guarded(house, **rule) as (writer, path, _):
        with pytest.raises(Refused, match=message):
            await writer.prepare(OPERATOR, path, value)
        assert kinds(house) == ["write.refused"]


async def test_only_listed_points_and_only_with_the_right(house):
    async with guarded(house) as (writer, path, _):
        other = next(p for p in house.points if p != path)
        with pytest.raises(Refused, match="not in the list"):
            await writer.prepare(OPERATOR, other, 1.0)
        with pytest.raises(Denied):
            await writer.prepare(VIEWER, path, 1.0)
        writer.allow([])
        with pytest.raises(Refused, match="not in the list"):
            await writer.prepare(OPERATOR, path, 1.0)


async def test_a_ticket_serves_once_and_only_who_took_it(house):
    async with guarded(house) as (writer, path, _):
        ticket = await writer.prepare(OPERATOR, path, 7.0)
        other = Identity(name="otto", actions=OPERATOR.actions)
        with pytest.raises(Missing):
            await writer.confirm(other, ticket.id)
        await writer.confirm(OPERATOR, ticket.id)
        with pytest.raises(Missing):
            await writer.confirm(OPERATOR, ticket.id)
        ticket = await writer.prepare(OPERATOR, path, 7.0)
        await writer.cancel(OPERATOR, ticket.id)
        with pytest.raises(Missing):
            await writer.confirm(OPERATOR, ticket.id)


async def test_changed_rules_void_what_is_prepared(house):
    async with guarded(house) as (writer, path, _):
        ticket = await writer.prepare(OPERATOR, path, 7.0)
        writer.allow([WriteRule(point=path, low=0, high=5)])
        with pytest.raises(Missing):
            await writer.confirm(OPERATOR, ticket.id)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (None, "has no value"),
        ((1.0, 0, 0), "is 1.0"),
        ((0.0, 0, 120), "120 s old"),
        ((0.0, 0, -3600), "-3600 s old"),
        ((0.0, 0x80310000, 0), "BadNoCommunication"),
    ],
)
async def test_an_interlock_holds(house, sample, message):
    lock = Interlock(point=DOOR, equals=0.0, age_s_max=60)
    async with guarded(house, interlock=lock) as (writer, path, _):
        closed = Sample(DOOR, now_ns(), 0.0)
        house.newest[DOOR] = closed
        ticket = await writer.prepare(OPERATOR, path, 7.0)
        assert DOOR in ticket.interlock
        del house.newest[DOOR]
        if sample:
            value, quality, age_s = sample
            house.newest[DOOR] = Sample(DOOR, now_ns() - age_s * 10**9, value, quality)
        with pytest.raises(Refused, match=message):
            await writer.confirm(OPERATOR, ticket.id)
        assert kinds(house)[-1] == "write.refused"


async def test_writes_keep_their_pace(house):
    async with guarded(house, wait_s=3600.0) as (writer, path, _):
        await writer.confirm(OPERATOR, (await writer.prepare(OPERATOR, path, 7.0)).id)
        with pytest.raises(Refused, match="3600 s must pass"):
            await writer.prepare(OPERATOR, path, 8.0)


async def test_what_cannot_be_audited_is_not_done(house):
    async with guarded(house) as (writer, path, _):
        before = house.newest[path].value
        ticket = await writer.prepare(OPERATOR, path, before + 1)
        house.log_is_full = True
        with pytest.raises(Unavailable):
            await writer.confirm(OPERATOR, ticket.id)
        assert (await house.devices.device("chiller").driver.read(path)).value == before


async def test_a_device_that_is_away_is_not_written(house):
    async with guarded(house) as (writer, path, bench):
        ticket = await writer.prepare(OPERATOR, path, 7.0)
        await bench.cut()
        device = house.devices.device("chiller")
        async with asyncio.timeout(10):
            while device.state is State.CONNECTED:
                await asyncio.sleep(0.01)
        with pytest.raises(Refused, match="its device is"):
            await writer.confirm(OPERATOR, ticket.id)
