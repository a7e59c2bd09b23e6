"""Each device server, asked by a plain client of its protocol."""

import asyncio
import signal
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
from asyncua import Client, ua
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient

from lineshaft.core.clock import from_iso, now_ns
from lineshaft.demo.addresses import MAPS, UNIT, node_id, topic
from lineshaft.demo.hall import _answers
from lineshaft.demo.live import Live
from lineshaft.demo.logbook import Logbook, What
from lineshaft.demo.machines import SPECS, Factory
from lineshaft.demo.mqtt_device import message
from lineshaft.demo.world import first_midnight


async def until(ask, wanted):
    """Ask until the answer fits; the test's timeout is the bound."""
    while not wanted(answer := await ask()):
        await asyncio.sleep(0.05)
    return answer


async def test_a_machining_centre_describes_itself_and_obeys(device, port, tmp_path: Path):
    logbook = Logbook(tmp_path / "logbook.jsonl")
    async with (
        device("cnc-1", "cnc-2", "--port", port),
        Client(f"opc.tcp://127.0.0.1:{port}/") as ua_,
    ):
        for machine in ("cnc-1", "cnc-2"):
            nodes = await ua_.get_node(f"ns=2;s={machine}").get_children()
            names = [(await n.read_browse_name()).Name for n in nodes]
            assert names == [s.name for s in SPECS[machine]]
        speed = ua_.get_node(node_id("cnc-1", "spindle_speed"))
        unit = await (await speed.get_child("0:EngineeringUnits")).read_value()
        assert unit.UnitId.to_bytes(3, "big") == b"RPM"
        assert (await (await speed.get_child("0:EURange")).read_value()).High == 12_000
        state = ua_.get_node(node_id("cnc-1", "state"))
        texts = await (await state.get_child("0:EnumStrings")).read_value()
        assert [t.Text for t in texts] == ["stopped", "idle", "running", "fault", "setup"]

        override = ua_.get_node(node_id("cnc-1", "spindle_override"))
        await override.write_value(50.0, ua.VariantType.Double)
        assert await override.read_value() == 50.0
        assert logbook.refresh()[-1].value == 50.0
        for node, value in ((override, 500.0), (speed, 1.0)):
            try:
                await node.write_value(value, ua.VariantType.Double)
            except (ua.uaerrors.BadOutOfRange, ua.uaerrors.BadUserAccessDenied):
                continue
            raise AssertionError(f"{node} took {value}")

        logbook.happen("cnc-2", What.BAD, seconds=60, point="coolant_flow")
        flow = ua_.get_node(node_id("cnc-2", "coolant_flow"))
        broken = await until(
            lambda: flow.read_data_value(raise_on_bad_status=False),
            lambda v: v.StatusCode.value not in (0, ua.StatusCodes.BadWaitingForInitialData),
        )
        assert broken.StatusCode.value == ua.StatusCodes.BadSensorFailure
        assert broken.SourceTimestamp is not None


async def test_the_chiller_takes_a_set_point_and_refuses_a_wrong_one(device, port, tmp_path: Path):
    logbook = Logbook(tmp_path / "logbook.jsonl")
    async with device("chiller", "--port", port):
        client = AsyncModbusTcpClient("127.0.0.1", port=port)
        await client.connect()
        assert not (await client.write_register(100, 110, device_id=UNIT)).isError()
        reply = await client.read_holding_registers(100, count=1, device_id=UNIT)
        assert reply.registers == [110]
        assert (await client.write_register(100, 400, device_id=UNIT)).exception_code == 3
        assert (await client.write_register(3, 1, device_id=UNIT)).isError()
        assert [e.value for e in logbook.refresh()] == [11.0]

        logbook.happen("chiller", What.BAD, seconds=60, point="flow")
        reply = await until(
            lambda: client.read_input_registers(3, count=1, device_id=UNIT),
            lambda r: r.isError(),
        )
        assert reply.exception_code == 2
        reply = await client.read_input_registers(1, count=2, device_id=UNIT)
        assert not reply.isError()
        assert all(r > 0 for r in reply.registers)
        client.close()


async def test_the_press_answers_every_register_of_its_manual(device, port):
    async with device("press", "--port", port):
        client = AsyncModbusTcpClient("127.0.0.1", port=port)
        await client.connect()
        for register in MAPS["press"]:
            ask = (
                client.read_discrete_inputs
                if register.table == "discrete"
                else client.read_input_registers
            )
            reply = await ask(register.address, count=register.size, device_id=UNIT)
            assert not reply.isError(), register
        strokes = await client.read_input_registers(1, count=2, device_id=UNIT)
        assert strokes.registers[0] * 65536 + strokes.registers[1] > 10_000
        client.close()


async def test_the_meter_publishes_what_the_broker_missed_and_notes_what_it_took(
    device, port, tmp_path: Path
):
    ledger = tmp_path / "ledger"
    loop = asyncio.get_running_loop()
    got: asyncio.Queue[bytes] = asyncio.Queue()  # noqa: TID251 - a test's own
    async with device("broker", "--port", port) as broker:
        await _answers(port)
        listener = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="test", clean_session=False)
        listener.on_message = lambda _c, _u, m: loop.call_soon_threadsafe(got.put_nowait, m.payload)
        listener.connect("127.0.0.1", port)
        listener.loop_start()
        listener.subscribe(topic("meter"), qos=1)
        async with device("meter", "--port", port, "--ledger", ledger):
            first = msgspec.json.decode(await got.get())
            assert set(first) == {"time", *(s.name for s in SPECS["meter"])}
            broker.send_signal(signal.SIGSTOP)
            await asyncio.sleep(2.1)  # two messages that the broker cannot take
            broker.send_signal(signal.SIGCONT)
            seen = [msgspec.json.decode(await got.get())["seq"] for _ in range(4)]
        assert sorted(set(seen)) == [first["seq"] + n for n in range(1, 5)]
        noted = [int(line) for line in ledger.read_text().splitlines()]
        assert from_iso(first["time"]) in noted
        listener.loop_stop()
        listener.disconnect()


def test_a_message_says_what_is_broken_or_frozen(tmp_path: Path):
    live = Live(Factory(1, first_midnight(now_ns()), tmp_path / "logbook.jsonl"), "meter")
    logbook = Logbook(tmp_path / "logbook.jsonl")
    logbook.happen("meter", What.BAD, seconds=60, point="frequency")
    logbook.happen("meter", What.FROZEN, seconds=60, point="seq")
    step = now_ns() // live.step_ns * live.step_ns
    told = [msgspec.json.decode(message(live.readings(step + n * live.step_ns))) for n in (1, 2, 3)]
    assert {m["frequency"] for m in told} == {None}
    assert len({m["seq"] for m in told}) == 1
    assert len({m["power"] for m in told}) == 3
    late = msgspec.json.decode(message(live.readings(step + 62 * live.step_ns)))
    assert late["frequency"] is not None
