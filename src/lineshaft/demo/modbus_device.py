"""The press or the chiller as a Modbus TCP server."""

import asyncio
from collections.abc import Callable
from typing import get_args

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from lineshaft.core.clock import now_ns
from lineshaft.demo.addresses import MAPS, UNIT, Register, Table
from lineshaft.demo.chiller import SETPOINT_LIMITS
from lineshaft.demo.live import Live

_TABLES: dict[int, Table] = {2: "discrete", 3: "holding", 4: "input", 6: "holding", 16: "holding"}
"""Which table a function code speaks of."""


class Registers:
    """What the device answers: worked out anew whenever it is asked."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.map = MAPS[live.machine]

    def device(self) -> SimDevice:
        """The server's model of the device."""
        tables = {t: [r for r in self.map if r.table == t] for t in get_args(Table)}
        unused = SimData(0, count=16, values=False, datatype=DataType.BITS, readonly=True)
        inputs = _block(tables["input"], readonly=True)
        holdings = _block(tables["holding"], readonly=False)
        bits = SimData(0, count=16, values=False, datatype=DataType.BITS, readonly=True)
        return SimDevice(id=UNIT, simdata=([unused], [bits], holdings, inputs), action=self.answer)

    async def answer(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Take a write, or bring the registers up to date before they are read."""
        table = _TABLES.get(function)
        if values:
            return self._write(address, [int(v) for v in values])
        time_ns = now_ns() // self.live.step_ns * self.live.step_ns
        for reading in self.live.readings(time_ns):
            register = next(r for r in self.map if r.point == reading.spec.name)
            if register.table != table:
                continue
            asked = (
                address < register.address + register.size and register.address < address + count
            )
            if table == "discrete":
                _put_bit(registers, register.address - 16 * start, value=bool(reading.value))
            elif reading.broken and asked:
                return ExcCodes.ILLEGAL_ADDRESS
            else:
                place = register.address - start
                registers[place : place + register.size] = register.words(reading.value)
        return None

    def _write(self, address: int, words: list[int]) -> ExcCodes | None:
        """Note what is written; the physics follows the logbook."""
        register = next((r for r in self.map if (r.table, r.address) == ("holding", address)), None)
        if register is None or len(words) != 1:
            return ExcCodes.ILLEGAL_ADDRESS
        value = register.value(words[0])
        if not SETPOINT_LIMITS[0] <= value <= SETPOINT_LIMITS[1]:
            return ExcCodes.ILLEGAL_VALUE
        self.live.factory.logbook.set(self.live.machine, register.point, value)
        return None


def _block(registers: list[Register], *, readonly: bool) -> list[SimData]:
    """One run of registers from the first to the last; gaps in between read as 0."""
    if not registers:
        return [SimData(0, datatype=DataType.REGISTERS, readonly=True)]
    first = min(r.address for r in registers)
    count = max(r.address + r.size for r in registers) - first
    return [SimData(first, count=count, datatype=DataType.REGISTERS, readonly=readonly)]


def _put_bit(words: list[int], bit: int, *, value: bool) -> None:
    mask = 1 << bit % 16
    words[bit // 16] = words[bit // 16] | mask if value else words[bit // 16] & ~mask


async def serve(live: Live, port: int, ready: Callable[[], None]) -> None:
    """Answer until cancelled."""
    server = ModbusTcpServer(Registers(live).device(), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    ready()
    try:
        await asyncio.Event().wait()
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]
