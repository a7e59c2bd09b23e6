import asyncio
import contextlib
import datetime as dt
import tomllib

import pytest
import pytest_asyncio
from asyncua import ua

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Invalid, LinkLost, Refused
from lineshaft.core.plugin import build
from lineshaft.core.point import Kind
from lineshaft.core.quality import Quality, is_bad, is_good
from lineshaft.drivers import Driver
from lineshaft.drivers.opcua import OpcUa
from lineshaft.drivers.opcua.feeding import Feeding
from lineshaft.drivers.opcua.link import Access, Link
from lineshaft.testing.recorder import Recorder, running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bench():
    async with OpcUa.bench() as machine:
        yield machine


def driver(bench, *names, **changes):
    """One that reads these variables of the machine."""
    table = {"url": bench.url, "at": "bench", "publish_ms": 20, "sampling_ms": 10}
    table["points"] = [{"name": n.lower(), "node": f"ns=2;s=Machine.{n}"} for n in names]
    return OpcUa.from_table("m", table | changes)


async def variable(bench, name, value, type_, **options):
    """A new variable of the machine."""
    node = bench.nodes["Door"].nodeid
    machine = bench.server.get_node(ua.NodeId("Machine", node.NamespaceIndex))
    made = await machine.add_variable(
        ua.NodeId(f"Machine.{name}", node.NamespaceIndex),
        ua.QualifiedName(name, node.NamespaceIndex),
        value,
        type_,
        **options,
    )
    bench.nodes[name] = made
    return made


async def lost(run):
    with pytest.raises((LinkLost, ExceptionGroup)) as caught:
        async with asyncio.timeout(8):
            await run
    error = caught.value
    while isinstance(error, ExceptionGroup):
        assert error.split(LinkLost)[1] is None, "something else than a lost link"
        error = error.exceptions[0]
    return error


def from_now(seconds):
    return dt.datetime.fromtimestamp(now_ns() // NS_PER_S + seconds, dt.UTC)


# ---- what the server says


async def test_points_take_kind_unit_range_and_names_from_the_server(bench):
    feed = Recorder()
    async with running(OpcUa("m", bench.settings), feed):
        await feed.until(lambda: len(feed.points) == 7, "the points")
    temperature = feed.points["bench/temperature"]
    assert (temperature.kind, temperature.unit) == (Kind.NUMBER, "Cel")
    assert (temperature.low, temperature.high) == (-20.0, 120.0)
    assert feed.points["bench/speed"].unit == "{rev}/min"
    assert feed.points["bench/strokes"].kind is Kind.INTEGER
    assert feed.points["bench/door"].kind is Kind.BOOLEAN
    assert feed.points["bench/order"].kind is Kind.TEXT
    assert feed.points["bench/axes"].kind is Kind.JSON
    state = feed.points["bench/state"]
    assert state.kind is Kind.ENUM
    assert state.names == {"0": "stopped", "1": "running", "2": "fault"}


async def test_what_the_settings_say_goes_before(bench):
    point = {"name": "t", "node": "ns=2;s=Machine.Temperature", "unit": "K", "low": 250.0}
    feed = Recorder()
    async with running(driver(bench, points=[point]), feed):
        await feed.until(lambda: bool(feed.points), "the point")
    assert feed.points["bench/t"].unit == "K"
    assert (feed.points["bench/t"].low, feed.points["bench/t"].high) == (250.0, 120.0)


async def test_integers_beyond_two_to_the_53_stay_exact(bench):
    feed = Recorder()
    async with running(driver(bench, "Strokes"), feed):
        await feed.until(lambda: len(feed.of("bench/strokes")) >= 3, "three samples")
    texts = [int(row.value) for row in feed.of("bench/strokes")]
    assert texts[0] > 2**53
    assert texts == sorted(set(texts))


async def test_values_of_every_type_come_as_they_are(bench):
    feed = Recorder()
    async with running(OpcUa("m", bench.settings), feed):
        await feed.until(lambda: len({r.point for r in feed.rows()}) == 7, "a sample of each")
    values = {row.point: row.value for row in feed.rows()}
    assert values["bench/door"] == 0.0
    assert values["bench/order"] == "A-1"
    assert values["bench/axes"] == "[0.0,1.0]"
    assert values["bench/state"] == 1.0


async def test_all_variables_below_a_root_are_picked_up(bench):
    feed = Recorder()
    async with running(driver(bench, roots=["ns=2;s=Machine"]), feed):
        await feed.until(lambda: "bench/Temperature" in feed.points, "the points")
    assert {f"bench/{n}" for n in ("Speed", "State", "Door", "Axes")} <= set(feed.points)
    assert not any("EURange" in path or "EngineeringUnits" in path for path in feed.points)
    assert feed.points["bench/Speed"].unit == "{rev}/min"


async def test_a_root_with_too_much_below_is_told(bench):
    feed = Recorder()
    async with running(driver(bench, roots=["ns=2;s=Machine"], nodes_max=3), feed):
        await feed.until(lambda: len(feed.points) == 3, "the points")
    assert "more than 3 variables" in feed.troubles["ns=2;s=Machine"]


# ---- times and qualities


async def test_the_time_of_the_source_is_kept(bench):
    node = await variable(bench, "Kept", 1.0, ua.VariantType.Double)
    then = from_now(-30)
    feed = Recorder()
    async with running(driver(bench, "Kept"), feed):
        await feed.until(lambda: bool(feed.rows()), "the first value")
        await node.write_value(ua.DataValue(ua.Variant(2.0), SourceTimestamp=then))
        await feed.until(lambda: len(feed.rows()) == 2, "the second value")
    assert feed.rows()[1].time_ns == int(then.timestamp()) * NS_PER_S + then.microsecond * 1000
    assert feed.rows()[1].quality == Quality.GOOD


async def test_the_first_value_may_be_old_but_a_later_one_with_a_wrong_clock_is_marked(bench):
    node = await variable(bench, "Clock", 1.0, ua.VariantType.Double)
    old = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    await node.write_value(ua.DataValue(ua.Variant(1.0), SourceTimestamp=old))
    feed = Recorder()
    async with running(driver(bench, "Clock"), feed):
        await feed.until(lambda: bool(feed.rows()), "the first value")
        await node.write_value(ua.DataValue(ua.Variant(2.0), SourceTimestamp=old))
        await feed.until(lambda: len(feed.rows()) == 2, "the second value")
        ahead = from_now(7200)
        await node.write_value(ua.DataValue(ua.Variant(3.0), SourceTimestamp=ahead))
        await feed.until(lambda: len(feed.rows()) == 3, "the third value")
    first, second, third = feed.rows()
    assert (first.time_ns, first.quality) == (946_684_800 * NS_PER_S, Quality.GOOD)
    for row in (second, third):
        assert abs(row.time_ns - now_ns()) < 60 * NS_PER_S
        assert row.quality == Quality.UNCERTAIN_SUB_NORMAL
    assert feed.losses["clock skew"] == 2


async def test_our_time_is_taken_when_asked_for(bench):
    node = await variable(bench, "Ours", 1.0, ua.VariantType.Double)
    old = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    await node.write_value(ua.DataValue(ua.Variant(1.0), SourceTimestamp=old))
    feed = Recorder()
    async with running(driver(bench, "Ours", time="ours"), feed):
        await feed.until(lambda: bool(feed.rows()), "the value")
    assert abs(feed.rows()[0].time_ns - now_ns()) < 60 * NS_PER_S


async def test_status_codes_arrive_to_the_bit(bench):
    node = await variable(bench, "Status", 1.0, ua.VariantType.Double)
    feed = Recorder()
    codes = (0x4093_0400, 0x808C_0000, 0x0096_0000)
    async with running(driver(bench, "Status"), feed):
        await feed.until(lambda: bool(feed.rows()), "the first value")
        for number, code in enumerate(codes, 2):
            data = ua.DataValue(ua.Variant(float(number)), ua.StatusCode(code))
            await bench.server.write_attribute_value(node.nodeid, data)
            await feed.until(lambda number=number: len(feed.rows()) == number, "the value")
    assert tuple(row.quality for row in feed.rows()[1:]) == codes


async def test_a_value_of_another_kind_is_marked_and_counted(bench):
    async with feeding(bench, "Temperature") as (feed, at_work):
        value = ua.DataValue(ua.Variant("word", ua.VariantType.String))
        await at_work._take(message(1, [ua.MonitoredItemNotification(Value=value)]))
        rows = at_work.channel.get_nowait()
    assert rows.batch().quality.tolist() == [Quality.BAD_TYPE_MISMATCH]
    assert feed.losses == {"type mismatch": 1}


# ---- nothing is lost unseen


async def test_values_that_the_server_dropped_are_counted(bench):
    # The bench's server drops without saying so, as the standard does not want it.
    async with feeding(bench, "Door") as (feed, at_work):
        value = ua.DataValue(ua.Variant(True), ua.StatusCode(0x0000_0480))
        change = ua.MonitoredItemNotification(ClientHandle=0, Value=value)
        await at_work._take(message(1, [change, change]))
        rows = at_work.channel.get_nowait()
    assert feed.losses == {"overflow": 2}
    assert rows.batch().quality.tolist() == [0x480, 0x480]
    assert len(set(rows.times)) == 2, "one sample would cover the other"


async def test_missed_messages_are_counted_when_the_server_has_them_no_more(bench):
    async with feeding(bench, "Door") as (feed, at_work):
        for number in (1, 2, 6, 7):
            await at_work._take(message(number, []))
    assert feed.losses == {"message gap": 3}


def message(number, changes):
    data = ua.DataChangeNotification(MonitoredItems=changes)
    return ua.NotificationMessage(SequenceNumber=number, NotificationData=[data])


@contextlib.asynccontextmanager
async def feeding(bench, name):
    """What passes notifications of one variable on, with an open link and nobody publishing."""
    device, feed = driver(bench, name), Recorder()
    link = Link("m", Access(bench.url))
    await link.open()
    try:
        await device._find_items(link, feed)
        at_work = Feeding(link, feed, list(device._items.values()), device._policy())
        await at_work.subscribe()
        yield feed, at_work
    finally:
        await link.close()


async def test_what_arrived_before_the_link_was_lost_is_still_emitted(bench):
    feed = Recorder()
    device = driver(bench, "Temperature", "Strokes")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lost(device.run(feed)))
        await feed.until(lambda: bool(feed.rows()), "a sample")
        feed.hold()
        await feed.until(lambda: feed.in_flight >= 2, "emits in flight")
        await bench.cut()
        feed.release()
        await task
    await bench.mend()
    assert "stopped" not in feed.losses


async def test_what_is_dropped_at_the_end_is_counted(bench):
    feed = Recorder()
    async with running(driver(bench, "Temperature", "Strokes"), feed):
        await feed.until(lambda: bool(feed.rows()), "a sample")
        feed.hold()
        await feed.until(lambda: feed.in_flight >= 2, "emits in flight")
    assert feed.losses["stopped"] >= 2


async def test_a_node_that_appears_later_is_picked_up(bench):
    feed = Recorder()
    async with running(driver(bench, "Door", "Late", retry_s=0.1), feed):
        await feed.until(lambda: bool(feed.troubles.get("ns=2;s=Machine.Late")), "the trouble")
        await variable(bench, "Late", True, ua.VariantType.Boolean)
        await feed.until(
            lambda: any(is_good(r.quality) for r in feed.of("bench/late")), "a good sample"
        )
        await feed.until(lambda: feed.troubles["ns=2;s=Machine.Late"] is None, "all well again")
    assert is_bad(feed.of("bench/late")[0].quality)
    assert feed.points["bench/late"].kind is Kind.BOOLEAN


async def test_an_unknown_namespace_blocks_only_its_own_points(bench):
    points = [
        {"name": "door", "node": "ns=2;s=Machine.Door"},
        {"name": "alien", "node": "nsu=urn:nobody;s=X"},
    ]
    feed = Recorder()
    async with running(driver(bench, points=points), feed):
        await feed.until(lambda: len({r.point for r in feed.rows()}) == 2, "both points")
    assert is_good(feed.of("bench/door")[0].quality)
    assert feed.troubles["nsu=urn:nobody;s=X"]


async def test_limits_of_the_server_are_kept(bench):
    limits = bench.server.get_node(
        ua.NodeId(ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead)
    )
    before = await limits.read_value()
    await limits.write_value(3, ua.VariantType.UInt32)
    try:
        feed = Recorder()
        async with running(OpcUa("m", bench.settings), feed) as device:
            await feed.until(lambda: len(feed.points) == 7, "the points")
            assert device._link.chunks["read"] == 3
    finally:
        await limits.write_value(before, ua.VariantType.UInt32)


# ---- writing


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("bench/speed", 40_000, "Int16 from -32768 to 32767"),
        ("bench/speed", 1.5, "whole numbers"),
        ("bench/speed", "17", "whole numbers"),
        ("bench/axes", 1, "array"),
        ("bench/door", 7, "Boolean"),
        ("bench/temperature", 21.0, "Bad"),
    ],
)
async def test_what_cannot_be_written_is_refused(bench, path, value, words):
    feed = Recorder()
    async with running(OpcUa("m", bench.settings), feed) as device:
        await feed.until(lambda: bool(feed.rows()), "a sample")
        with pytest.raises(Refused, match=words):
            await device.write(path, value)


async def test_booleans_texts_and_doubles_are_written_and_read_back(bench):
    for name, start, type_, value in (
        ("Lamp", False, ua.VariantType.Boolean, True),
        ("Recipe", "a", ua.VariantType.String, "größer"),
        ("Setpoint", 1.0, ua.VariantType.Double, 21),
        ("Big", 0, ua.VariantType.UInt64, 2**64 - 1),
    ):
        node = await variable(bench, name, start, type_)
        await node.set_writable()
        feed = Recorder()
        async with running(driver(bench, name), feed) as device:
            await feed.until(lambda feed=feed: bool(feed.rows()), "a sample")
            await device.write(f"bench/{name.lower()}", value)
            assert (await device.read(f"bench/{name.lower()}")).value == value


# ---- looking around


async def test_what_is_browsed_becomes_settings_that_run(bench):
    found = await OpcUa.browse(bench.url, root="ns=2;s=Machine")
    by_path = {one.path: one for one in found}
    assert by_path["Speed"].writable
    assert not by_path["Temperature"].writable
    assert by_path["Temperature"].unit == "Cel"
    assert by_path["Order"].value == "A-1"
    text = OpcUa.settings_for(found, name="m 1", address=bench.url, at="hall/m-1")
    (table,) = tomllib.loads(text)["drivers"]
    feed = Recorder()
    async with running(await asyncio.to_thread(build, Driver, table), feed):
        await feed.until(lambda: {"hall/m-1/Speed"} <= {r.point for r in feed.rows()}, "a sample")
    assert set(feed.points) == {f"hall/m-1/{one.path}" for one in found}


async def test_browsing_where_nothing_is_says_so(bench):
    with pytest.raises(Refused, match="no variables below"):
        await OpcUa.browse(bench.url, root="ns=2;s=Nothing")
    with pytest.raises(Invalid, match="colour"):
        await OpcUa.browse(bench.url, colour="red")
    with pytest.raises(LinkLost):
        await OpcUa.browse("opc.tcp://127.0.0.1:1/")
