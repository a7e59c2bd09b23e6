import asyncio

import pytest
import pytest_asyncio
from asyncua import ua, uamethod

from lineshaft.core.errors import LinkLost, Refused, SettingsError
from lineshaft.core.point import Kind
from lineshaft.drivers.opcua import OpcUa
from lineshaft.testing.recorder import Recorder, running

pytestmark = pytest.mark.asyncio(loop_scope="module")
START = {"name": "start", "object": "ns=2;s=Machine", "method": "ns=2;s=Machine.Start"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bench():
    async with OpcUa.bench() as machine:
        yield machine


def driver(bench, *methods):
    table = {"url": bench.url, "at": "bench", "publish_ms": 20, "sampling_ms": 10}
    table["points"] = [{"name": "speed", "node": "ns=2;s=Machine.Speed"}]
    return OpcUa.from_table("m", table | {"methods": list(methods)})


async def flowing(feed):
    await feed.until(lambda: bool(feed.rows()), "a sample")


async def test_a_method_tells_what_it_takes_and_gives(bench):
    feed = Recorder()
    async with running(driver(bench, START), feed) as device:
        await flowing(feed)
        (method,) = device.methods()
    assert method.path == "bench/start"
    assert [(a.name, a.kind) for a in method.inputs] == [
        ("speed", Kind.INTEGER),
        ("order", Kind.TEXT),
    ]
    assert [(a.name, a.kind) for a in method.outputs] == [
        ("accepted", Kind.BOOLEAN),
        ("count", Kind.INTEGER),
    ]


async def test_a_call_is_done_once_and_gives_what_the_machine_says(bench):
    feed = Recorder()
    async with running(driver(bench, START), feed) as device:
        await flowing(feed)
        before = bench.started
        given = await device.call("bench/start", {"speed": 321, "order": "B-7"})
        assert given == {"accepted": True, "count": before + 1}
        await feed.until(lambda: feed.of("bench/speed")[-1].value == 321, "the new speed")


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"speed": 5}, "takes .*speed.*order.*, not .*speed"),
        ({"speed": 5, "order": "a", "more": 1}, "more"),
        ({"speed": 70_000, "order": "a"}, "Int16 from -32768 to 32767"),
        ({"speed": "fast", "order": "a"}, "whole numbers"),
        ({"speed": [5], "order": "a"}, "takes one Int16"),
        ({"speed": -1, "order": "a"}, "BadOutOfRange"),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_is_done(bench, inputs, words):
    feed = Recorder()
    async with running(driver(bench, START), feed) as device:
        await flowing(feed)
        before = bench.started
        with pytest.raises(Refused, match=words):
            await device.call("bench/start", inputs)
        assert bench.started == before


async def test_arrays_are_taken_and_given(bench):
    @uamethod
    def total(_, numbers):
        return sum(numbers), [n * 2 for n in numbers]

    space = bench.nodes["Door"].nodeid.NamespaceIndex
    double = ua.NodeId(ua.ObjectIds.Double)
    machine = bench.server.get_node(ua.NodeId("Machine", space))
    await machine.add_method(
        ua.NodeId("Machine.Total", space),
        ua.QualifiedName("Total", space),
        total,
        [ua.Argument(Name="numbers", DataType=double, ValueRank=1)],
        [
            ua.Argument(Name="sum", DataType=double, ValueRank=-1),
            ua.Argument(Name="twice", DataType=double, ValueRank=1),
        ],
    )
    total = {"name": "total", "object": "ns=2;s=Machine", "method": "ns=2;s=Machine.Total"}
    feed = Recorder()
    async with running(driver(bench, total), feed) as device:
        await flowing(feed)
        given = await device.call("bench/total", {"numbers": [1, 2.5]})
        assert given == {"sum": 3.5, "twice": [2.0, 5.0]}
        with pytest.raises(Refused, match="takes a list"):
            await device.call("bench/total", {"numbers": 1})


async def test_a_method_that_the_server_does_not_know_is_told_and_the_rest_goes_on(bench):
    ghost = {"name": "ghost", "object": "ns=2;s=Machine", "method": "ns=2;s=Machine.Speed"}
    lost = {"name": "lost", "object": "ns=2;s=Machine", "method": "nsu=urn:nowhere;s=X"}
    feed = Recorder()
    async with running(driver(bench, START, ghost, lost), feed) as device:
        await flowing(feed)
        assert [m.path for m in device.methods()] == ["bench/start"]
        assert "no method" in feed.troubles["ns=2;s=Machine.Speed"]
        assert "urn:nowhere" in feed.troubles["nsu=urn:nowhere;s=X"]
        with pytest.raises(Refused, match="no method 'bench/ghost'"):
            await device.call("bench/ghost", {})


async def test_without_a_link_nothing_is_called(bench):
    device = driver(bench, START)
    with pytest.raises(LinkLost):
        await device.call("bench/start", {"speed": 1, "order": "a"})


async def test_two_names_that_are_one_are_no_settings(bench):
    with pytest.raises(SettingsError, match="'speed' has the name of another"):
        await asyncio.to_thread(driver, bench, START | {"name": "speed"})
    with pytest.raises(SettingsError, match="names no node"):
        await asyncio.to_thread(driver, bench, START | {"object": "Machine"})


async def test_a_variable_may_be_named_by_its_browse_path(bench):
    table = {"url": bench.url, "at": "bench", "publish_ms": 20, "sampling_ms": 10}
    table["points"] = [
        {"name": "speed", "node": "/0:Objects/2:Machine/2:Speed"},
        {"name": "none", "node": "/0:Objects/2:Machine/2:None"},
    ]
    feed = Recorder()
    async with running(OpcUa.from_table("m", table), feed) as device:
        await feed.until(lambda: bool(feed.of("bench/speed")), "a sample")
        await device.write("bench/speed", 12)
        assert (await device.read("bench/speed")).value == 12
        await feed.until(lambda: "/0:Objects/2:Machine/2:None" in feed.troubles, "the trouble")
    with pytest.raises(SettingsError, match="no browse path"):
        OpcUa.from_table("m", table | {"points": [{"name": "a", "node": "/0:Objects/<2:"}]})
