"""Modbus: the codec, the plan, and devices on loopback that misbehave."""

import asyncio
import ctypes
import ctypes.util
import os
import socket
import struct
import threading
from contextlib import asynccontextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from lineshaft.core.errors import Invalid, LinkLost, Refused, SettingsError
from lineshaft.core.plugin import find
from lineshaft.core.point import Kind
from lineshaft.core.quality import Quality, is_bad
from lineshaft.drivers.modbus.plan import halves, plan
from lineshaft.drivers.modbus.registers import (
    BIT_TABLES,
    Decoder,
    ModbusPoint,
    Order,
    Table,
    Type,
    encode,
)
from lineshaft.testing.recorder import Recorder, running

Modbus = find("drivers", "modbus")

CODES = {
    Type.INT16: "h",
    Type.UINT16: "H",
    Type.INT32: "i",
    Type.UINT32: "I",
    Type.INT64: "q",
    Type.UINT64: "Q",
    Type.FLOAT32: "f",
    Type.FLOAT64: "d",
}
RANGES = {
    t: st.integers(*((-(1 << b - 1), (1 << b - 1) - 1) if s else (0, (1 << b) - 1)))
    for t, b, s in [
        (Type.INT16, 16, 1),
        (Type.UINT16, 16, 0),
        (Type.INT32, 32, 1),
        (Type.UINT32, 32, 0),
        (Type.INT64, 64, 1),
        (Type.UINT64, 64, 0),
    ]
}
RANGES |= {
    Type.FLOAT32: st.floats(width=32, allow_nan=False, allow_infinity=False),
    Type.FLOAT64: st.floats(allow_nan=False, allow_infinity=False),
}


def wire(kind, order, value):
    """The registers of a value by the letter of the order: an independent second opinion."""
    raw = struct.pack(f">{CODES[kind]}", value)
    words = [raw[i : i + 2] for i in range(0, len(raw), 2)]
    if order in (Order.CDAB, Order.DCBA):
        words.reverse()
    if order in (Order.BADC, Order.DCBA):
        words = [w[::-1] for w in words]
    return [int.from_bytes(w, "big") for w in words]


def decoded(point, words, order=Order.ABCD):
    number, text = Decoder([point], point.address, order).decode(np.array(words, np.uint16))
    return int(text[0]) if 0 in text and point.kind is Kind.INTEGER else text.get(0, number[0])


@given(st.data())
def test_every_value_of_every_type_and_order_goes_out_and_comes_back(data):
    kind = data.draw(st.sampled_from(list(CODES)))
    order = data.draw(st.sampled_from(Order))
    value = data.draw(RANGES[kind])
    point = ModbusPoint(name="p", address=7, type=kind)
    assert encode(point, value, order) == wire(kind, order, value)
    assert decoded(point, wire(kind, order, value), order) == value


def test_the_orders_are_what_their_letters_say():
    point = ModbusPoint(name="p", address=0, type=Type.UINT32)
    assert decoded(point, [0x0A0B, 0x0C0D], Order.ABCD) == 0x0A0B0C0D
    assert decoded(point, [0x0C0D, 0x0A0B], Order.CDAB) == 0x0A0B0C0D
    assert decoded(point, [0x0B0A, 0x0D0C], Order.BADC) == 0x0A0B0C0D
    assert decoded(point, [0x0D0C, 0x0B0A], Order.DCBA) == 0x0A0B0C0D


def test_integers_beyond_what_a_float_holds_are_exact():
    point = ModbusPoint(name="p", address=0, type=Type.UINT64)
    assert decoded(point, [0xFFFF] * 4) == 2**64 - 1
    assert decoded(point, wire(Type.UINT64, Order.ABCD, 2**53 + 1)) == 2**53 + 1


def test_a_scale_of_a_tenth_makes_no_crooked_numbers():
    point = ModbusPoint(name="p", address=0, type=Type.INT16, scale=0.1, offset=-40)
    assert decoded(ModbusPoint(name="p", address=0, scale=0.1), [3]) == 0.3
    assert decoded(point, [0]) == -40
    assert encode(point, -39.7, Order.ABCD) == [3]


def test_bits_texts_and_flags_are_read_from_registers():
    words = [0b1000, *[int.from_bytes(b, "big") for b in (b"No", b"rd", b"\0x")], 5]
    assert decoded(ModbusPoint(name="p", address=0, type=Type.BIT, bit=3), words[:1]) == 1
    assert decoded(ModbusPoint(name="p", address=0, type=Type.BIT, bit=2), words[:1]) == 0
    assert decoded(ModbusPoint(name="p", address=1, type=Type.STRING, length=6), words[1:4]) == (
        "Nord"
    )
    assert decoded(ModbusPoint(name="p", address=4, type=Type.BOOL), words[4:]) == 1
    text = ModbusPoint(name="p", address=0, type=Type.STRING, length=5)
    assert encode(text, "Süd", Order.BADC) == [0xC353, 0x64BC, 0x0000]
    assert decoded(text, [0xC353, 0x64BC, 0], Order.BADC) == "Süd"


@pytest.mark.parametrize(
    ("point", "value", "words"),
    [
        ({"type": "int16"}, 32768, "takes -32768 to 32767, not 32768"),
        ({"type": "uint16"}, -1, "takes 0 to 65535"),
        ({"type": "uint16"}, 1.5, "takes steps of 1, not 1.5"),
        ({"type": "uint16", "scale": 0.1}, 6553.6, "takes 0 to 6553.5"),
        ({"type": "int16", "scale": 0.5}, 0.3, "takes steps of 0.5"),
        ({"type": "float32"}, 1e39, "takes at most"),
        ({"type": "int32"}, float("nan"), "takes steps of 1, not nan"),
        ({"type": "int32"}, "7", "takes numbers, not the text '7'"),
        ({"type": "string", "length": 3}, "abcd", "at most 3 bytes"),
        ({"type": "string", "length": 3}, 7, "takes text"),
        ({"type": "bool"}, 2, "takes true and false, not 2"),
    ],
)
def test_what_a_point_cannot_hold_is_not_sent(point, value, words):
    with pytest.raises(Invalid, match=words):
        encode(load([{"name": "p", "address": 0, **point}]).config.points[0], value, Order.ABCD)


# ---- the plan

points_strategy = st.lists(
    st.builds(
        lambda t, a, k: ModbusPoint(
            name="p", address=a, table=t, type=Type.BOOL if t in BIT_TABLES else k
        ),
        st.sampled_from(Table),
        st.integers(0, 300) | st.integers(0, 65_000),
        st.sampled_from(list(CODES)),
    ),
    min_size=1,
    max_size=60,
)


@given(points_strategy, st.integers(0, 40), st.integers(4, 125), st.integers(1, 2000))
def test_each_point_is_whole_in_one_block_and_no_block_is_too_large(points, gap, words, bits):
    blocks = plan(points, gap_max=gap, registers_max=words, bits_max=bits)
    assert sorted(r for b in blocks for r in b.rows) == list(range(len(points)))
    for block in blocks:
        assert block.size <= (bits if block.table in BIT_TABLES else words)
        taken = set()
        for row in block.rows:
            point = points[row]
            assert point.table is block.table
            assert block.start <= point.address
            assert point.address + point.width <= block.start + block.size
            taken |= set(range(point.address, point.address + point.width))
        assert {block.start, block.start + block.size - 1} <= taken
        holes = [b - a - 1 for a, b in zip(sorted(taken), sorted(taken)[1:], strict=False)]
        assert max(holes, default=0) <= gap


@given(points_strategy)
def test_halving_keeps_every_point_and_ends_at_single_ones(points):
    todo = plan(points, gap_max=100, registers_max=125, bits_max=2000)
    single = []
    while todo:
        block = todo.pop()
        if len(block.rows) > 1:
            todo += halves(block, points)
        else:
            single.append(block)
    assert sorted(b.rows[0] for b in single) == list(range(len(points)))
    assert all(
        (b.start, b.size) == (points[b.rows[0]].address, points[b.rows[0]].width) for b in single
    )


def test_a_hundred_registers_in_a_row_are_one_request():
    points = [ModbusPoint(name=f"p{i}", address=i) for i in range(125)]
    assert len(plan(points, gap_max=0, registers_max=125, bits_max=1)) == 1
    assert len(plan(points, gap_max=0, registers_max=60, bits_max=1)) == 3


# ---- settings


def load(points, **table):
    return Modbus.from_table(
        "plc", {"host": "127.0.0.1", "at": "hall/plc", "points": points} | table
    )


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ({"name": "a", "address": 65536}, "65535"),
        ({"name": "a", "address": 65535, "type": "int32"}, "ends behind the last address"),
        ({"name": "a", "address": 0, "table": "coil", "type": "int16"}, "a coil is a bool"),
        ({"name": "a", "address": 0, "type": "bit"}, "go together"),
        ({"name": "a", "address": 0, "type": "string"}, "go together"),
        ({"name": "a", "address": 0, "scale": 0.0}, "scale is 0.0"),
        ({"name": "a", "address": 0, "type": "bool", "scale": 2.0}, "neither scale nor offset"),
        ({"name": "a b", "address": 0}, "holds ' '"),
        ({"name": "a", "address": 0, "unit": "parsnip"}, "parsnip"),
        ({"name": "a", "adress": 0}, "unknown field `adress`"),
    ],
)
def test_wrong_settings_name_what_is_wrong(point, words):
    with pytest.raises(SettingsError, match=words):
        load([point])


def test_two_points_of_one_name_are_an_error():
    with pytest.raises(SettingsError, match="two points are named 'a'"):
        load([{"name": "a", "address": 0}, {"name": "a", "address": 1}])


# ---- devices


@asynccontextmanager
async def device(action=None, holding=None, port=0):
    """A pymodbus server with 200 holding registers of which each holds its address."""
    bits = [SimData(0, values=[False] * 32, datatype=DataType.BITS)]
    words = holding or [SimData(0, values=list(range(200)), datatype=DataType.REGISTERS)]
    data = (list(bits), list(bits), words, [SimData(0, values=[1], datatype=DataType.REGISTERS)])
    server = ModbusTcpServer(SimDevice(1, simdata=data, action=action), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()


def registers(count, **more):
    return [{"name": f"r{i}", "address": i, **more} for i in range(count)]


async def test_one_unknown_address_among_many_leaves_the_others_good_and_is_asked_for_once():
    asked = []

    async def watch(function, start, address, count, current, values):
        asked.append((address, count))

    async with device(watch) as port:
        strange = {"name": "strange", "address": 200}
        known = [{"name": f"r{i}", "address": i} for i in range(100, 200)]
        driver = load([*known, strange], port=port, poll_s=0.02)
        feed = Recorder()
        async with running(driver, feed):
            await feed.until(lambda: len(feed.batches) >= 5, "five rounds")
    first = {r.point: r for r in feed.batches[0].rows()}
    assert first["hall/plc/strange"].quality == Quality.BAD_NODE_ID_UNKNOWN
    assert [first[f"hall/plc/r{i}"].value for i in range(100, 200)] == list(range(100, 200))
    assert "no such address" in feed.troubles["holding 200"]
    assert len(set(asked)) <= 7, "the parts of each halving, and nothing else ever"
    for batch in feed.batches[1:]:
        assert len(batch) == 100
        assert not batch.quality.any()


async def test_a_device_without_a_hole_is_read_in_one_request_a_round():
    asked = []

    async def watch(function, start, address, count, current, values):
        asked.append((function, address, count))

    async with device(watch) as port:
        feed = Recorder()
        async with running(load(registers(100), port=port, poll_s=0.02), feed):
            await feed.until(lambda: len(feed.batches) >= 3, "three rounds")
    assert set(asked) == {(3, 0, 100)}


@pytest.mark.parametrize(
    ("code", "quality"),
    [
        (ExcCodes.ILLEGAL_FUNCTION, Quality.BAD_NOT_SUPPORTED),
        (ExcCodes.ILLEGAL_ADDRESS, Quality.BAD_NODE_ID_UNKNOWN),
        (ExcCodes.ILLEGAL_VALUE, Quality.BAD_NODE_ID_INVALID),
        (ExcCodes.DEVICE_FAILURE, Quality.BAD_DEVICE_FAILURE),
        (ExcCodes.DEVICE_BUSY, Quality.BAD_NO_DATA),
        (ExcCodes.GATEWAY_NO_RESPONSE, Quality.BAD_NO_COMMUNICATION),
        (ExcCodes.MEMORY_PARITY_ERROR, Quality.BAD_DEVICE_FAILURE),
    ],
)
async def test_each_exception_becomes_its_quality_and_the_other_table_goes_on(code, quality):
    async def refuse(function, start, address, count, current, values):
        return code if function == 3 else None

    async with device(refuse) as port:
        points = [*registers(3), {"name": "in", "address": 0, "table": "input"}]
        feed = Recorder()
        async with running(load(points, port=port, poll_s=0.02), feed):
            await feed.until(lambda: len(feed.batches) >= 2, "two rounds")
    rows = {r.point: r for r in feed.batches[0].rows()}
    assert {rows[f"hall/plc/r{i}"].quality for i in range(3)} == {quality}
    assert all("hall/plc/in" in batch.points for batch in feed.batches)
    assert set(feed.troubles) == {"holding 0", "holding 1", "holding 2"}


async def test_a_fault_that_passes_is_told_and_then_taken_back():
    busy = True

    async def refuse(function, start, address, count, current, values):
        return ExcCodes.DEVICE_BUSY if busy else None

    async with device(refuse) as port:
        feed = Recorder()
        async with running(load(registers(1), port=port, poll_s=0.02), feed):
            await feed.until(lambda: bool(feed.troubles.get("holding 0")), "the trouble")
            busy = False
            await feed.until(lambda: feed.troubles["holding 0"] is None, "the end of it")
            await feed.until(lambda: not is_bad(feed.rows()[-1].quality), "a good sample")


class Answers(asyncio.Protocol):
    """A connection that answers each request with what `reply` makes of it."""

    def __init__(self, reply):
        self.reply = reply

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(self.reply(data))


async def answers(request, reply):
    """A server of such connections; returns its port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answers(reply), "127.0.0.1", 0)
    request.addfinalizer(server.close)
    return server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "reply",
    [lambda _: b"", lambda _: b"HTTP/1.1 400 Bad Request", lambda r: r[:4] + b"\0\3\1\x63\0"],
    ids=["silence", "another protocol", "an unknown function"],
)
async def test_a_device_that_is_silent_or_talks_nonsense_is_given_up(request, reply):
    port = await answers(request, reply)
    feed = Recorder()
    with pytest.raises(LinkLost):
        await load(registers(2), port=port, timeout_s=0.05, poll_s=0.02).run(feed)
    assert not any(len(batch) for batch in feed.batches if not batch.quality.all())


async def test_an_answer_that_is_too_short_makes_no_values(request):
    port = await answers(request, lambda r: r[:4] + b"\0\5\1\3\2\0\7")
    feed = Recorder()
    async with running(load(registers(2), port=port, poll_s=0.02), feed):
        await feed.until(lambda: len(feed.batches) >= 2, "two rounds")
    assert {r.quality for r in feed.rows()} == {Quality.BAD_DECODING_ERROR}
    assert "does not hold what was asked for" in feed.troubles["holding 0"]


async def test_an_exception_of_its_own_is_a_fault_of_the_link(request):
    port = await answers(request, lambda r: r[:4] + b"\0\3\1\x83\x4d")
    feed = Recorder()
    async with running(load(registers(1), port=port, poll_s=0.02), feed):
        await feed.until(lambda: len(feed.batches) >= 2, "two rounds")
    assert {r.quality for r in feed.rows()} == {Quality.BAD_COMMUNICATION_ERROR}


async def test_a_block_that_the_device_is_silent_about_does_not_hold_up_the_others():
    async with device() as port:
        proxy, server = await silent_about(function=4, port=port)
        points = [*registers(3), {"name": "mute", "address": 0, "table": "input"}]
        feed = Recorder()
        async with server, running(load(points, port=proxy, poll_s=0.02, timeout_s=0.1), feed):
            await feed.until(lambda: len(feed.batches) >= 6, "six rounds")
    mute = feed.of("hall/plc/mute")
    assert {r.quality for r in mute} == {Quality.BAD_TIMEOUT}
    assert len(mute) < 4, "it is put aside"
    assert len(feed.of("hall/plc/r0")) >= 6
    assert feed.troubles == {"input 0": "mute: no answer within the time"}


async def silent_about(function, port):
    """A proxy to the device that swallows requests of one function."""

    async def serve(reader, writer):
        up, down = await asyncio.open_connection("127.0.0.1", port)
        try:
            while head := await reader.read(7):
                body = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
                if body[0] != function:
                    down.write(head + body)
                    head = await up.readexactly(7)
                    rest = await up.readexactly(int.from_bytes(head[4:6], "big") - 1)
                    writer.write(head + rest)
        except asyncio.IncompleteReadError:
            pass
        finally:
            down.close()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server.sockets[0].getsockname()[1], server


async def test_polls_that_a_slow_store_makes_late_are_counted_and_do_not_pile_up():
    async with device() as port:
        feed = Recorder()
        async with running(load(registers(10), port=port, poll_s=0.02), feed):
            await feed.until(lambda: bool(feed.batches), "a round")
            feed.hold()
            await asyncio.sleep(0.3)
            feed.release()
            before = len(feed.batches)
            await feed.until(lambda: len(feed.batches) >= before + 2, "the next rounds")
    assert feed.peak == 1
    assert feed.losses["poll overrun"] >= 10 * 10
    assert feed.losses["poll overrun"] % 10 == 0


async def test_each_rhythm_is_kept():
    async with device() as port:
        slow = {"name": "slow", "address": 50, "poll_s": 60}
        feed = Recorder()
        async with running(load([*registers(1), slow], port=port, poll_s=0.02), feed):
            await feed.until(lambda: len(feed.of("hall/plc/r0")) >= 5, "five fast readings")
        assert len(feed.of("hall/plc/slow")) == 1


WRITES = [
    ({"type": "uint16"}, 6, 7, 7),
    ({"type": "int16", "scale": 0.1}, 6, -1.5, -1.5),
    ({"type": "float32", "order": "CDAB"}, 16, 2.5, 2.5),
    ({"type": "int64"}, 16, -(2**60) - 1, -(2**60) - 1),
    ({"type": "bit", "bit": 4}, 22, True, True),
    ({"type": "bool"}, 6, True, True),
    ({"type": "string", "length": 5}, 16, "Süd", "Süd"),
    ({"table": "coil"}, 5, True, True),
]


@pytest.mark.parametrize(("point", "function", "value", "back"), WRITES)
async def test_a_written_value_is_read_back_through_the_function_of_its_type(
    point, function, value, back
):
    asked = []

    async def watch(of, start, address, count, current, values):
        asked.append(of)

    async with device(watch) as port:
        feed = Recorder()
        driver = load([{"name": "p", "address": 8, **point}], port=port, poll_s=60)
        async with running(driver, feed):
            await feed.until(lambda: bool(feed.batches), "a round")
            asked.clear()
            await driver.write("hall/plc/p", value)
            assert asked[-1] == function
            sample = await driver.read("hall/plc/p")
    assert sample.value == back
    assert type(sample.value) is type(back)


async def test_the_other_bits_of_a_register_stay_as_they_are():
    async with device() as port:
        bit = {"name": "bit", "address": 85, "type": "bit", "bit": 1}
        points = [{"name": "word", "address": 85}, bit]
        driver, feed = load(points, port=port), Recorder()
        async with running(driver, feed):
            await feed.until(lambda: bool(feed.batches), "a round")
            await driver.write("hall/plc/bit", value=True)
            assert (await driver.read("hall/plc/word")).value == 85 | 2
            await driver.write("hall/plc/bit", value=False)
            assert (await driver.read("hall/plc/word")).value == 85


async def test_what_cannot_be_written_is_refused_with_the_reason():
    async with device() as port:
        points = [
            {"name": "in", "address": 0, "table": "input"},
            {"name": "beyond", "address": 900},
            {"name": "small", "address": 0, "type": "int16"},
        ]
        driver, feed = load(points, port=port), Recorder()
        async with running(driver, feed):
            await feed.until(lambda: bool(feed.batches), "a round")
            for name, words in {
                "in": "read-only: it stands at input 0",
                "beyond": "the device has no such address",
                "small": "takes -32768 to 32767",
            }.items():
                with pytest.raises(Refused, match=words):
                    await driver.write(f"hall/plc/{name}", 40_000)


async def test_who_waits_for_an_answer_is_told_when_the_link_ends(request):
    asked = asyncio.Event()

    def mute(_):
        asked.set()
        return b""

    port = await answers(request, mute)
    driver, feed = load(registers(1), port=port, timeout_s=30), Recorder()
    async with asyncio.TaskGroup() as group:
        run = group.create_task(driver.run(feed))
        await asked.wait()
        write = group.create_task(lost(driver.write("hall/plc/r0", 1)))
        await asyncio.sleep(0)
        run.cancel()
        async with asyncio.timeout(5):
            await write


async def lost(work):
    with pytest.raises(LinkLost):
        await work


async def test_a_device_that_went_while_the_store_was_stuck_is_a_lost_link_to_readers():
    feed = Recorder()
    async with asyncio.TaskGroup() as group:
        async with device() as port:
            driver = load(registers(1), port=port, poll_s=0.02)
            group.create_task(lost(driver.run(feed)))
            await feed.until(lambda: bool(feed.batches), "a round")
            feed.hold()
            await feed.until(lambda: feed.in_flight > 0, "an emit that hangs")
        await lost(driver.read("hall/plc/r0"))
        await lost(driver.write("hall/plc/r0", 1))
        feed.release()


# ---- a foreign server


def foreign():
    """libmodbus, or the reason to skip."""
    name = ctypes.util.find_library("modbus")
    if name is None:
        reason = "libmodbus is not installed (apt install libmodbus5)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    lib = ctypes.CDLL(name)
    lib.modbus_new_tcp.restype = ctypes.c_void_p
    lib.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
    return lib


class Mapping(ctypes.Structure):
    _fields_ = [
        *[
            (f"nb_{t}", ctypes.c_int)
            for t in ("bits", "start_bits", "input_bits", "start_input_bits")
        ],
        *[(f"nb_{t}", ctypes.c_int) for t in ("in", "start_in", "regs", "start_regs")],
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    ]


class Foreign:
    """A libmodbus server in a thread: 60 holding registers, 10 of each other table."""

    def __init__(self, lib):
        self.lib = lib
        self.context = ctypes.c_void_p(lib.modbus_new_tcp(b"127.0.0.1", 0))
        self.mapping = lib.modbus_mapping_new(10, 10, 60, 10)
        self.listening = lib.modbus_tcp_listen(self.context, 1)
        assert self.listening >= 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    @property
    def port(self):
        with socket.socket(fileno=os.dup(self.listening)) as listening:
            return listening.getsockname()[1]

    def serve(self):
        listening = ctypes.c_int(self.listening)
        query = ctypes.create_string_buffer(260)
        if self.lib.modbus_tcp_accept(self.context, ctypes.byref(listening)) < 0:
            return
        while (size := self.lib.modbus_receive(self.context, query)) >= 0:
            self.lib.modbus_reply(self.context, query, size, self.mapping)

    def close(self):
        self.thread.join(5)
        self.lib.modbus_close(self.context)
        os.close(self.listening)
        self.lib.modbus_mapping_free(self.mapping)
        self.lib.modbus_free(self.context)


async def test_libmodbus_is_read_and_written_as_well():
    lib = await asyncio.to_thread(foreign)
    server = Foreign(lib)
    tables = server.mapping.contents
    for i in range(60):
        tables.tab_registers[i] = i
    tables.tab_bits[3] = 1
    tables.tab_input_bits[4] = 1
    for i, word in enumerate(wire(Type.FLOAT32, Order.ABCD, 6.5)):
        tables.tab_input_registers[2 + i] = word
    points = [
        *registers(20),
        {"name": "beyond", "address": 70},
        {"name": "coil", "address": 3, "table": "coil"},
        {"name": "discrete", "address": 4, "table": "discrete"},
        {"name": "supply", "address": 2, "table": "input", "type": "float32"},
        {"name": "exact", "address": 40, "type": "uint64"},
        {"name": "flag", "address": 50, "type": "bit", "bit": 15},
    ]
    driver, feed = load(points, port=server.port, poll_s=0.05, gap_max=1000), Recorder()
    async with running(driver, feed):
        await feed.until(lambda: len(feed.batches) >= 2, "two rounds")
        for name, value in [("r5", 77), ("coil", False), ("exact", 2**64 - 2), ("flag", True)]:
            await driver.write(f"hall/plc/{name}", value)
            assert (await driver.read(f"hall/plc/{name}")).value == value
    await asyncio.to_thread(server.close)
    first = {r.point.rpartition("/")[2]: r for r in feed.batches[0].rows()}
    assert [first[f"r{i}"].value for i in range(20)] == list(range(20))
    assert (first["coil"].value, first["discrete"].value, first["supply"].value) == (1, 1, 6.5)
    assert first["beyond"].quality == Quality.BAD_NODE_ID_UNKNOWN
