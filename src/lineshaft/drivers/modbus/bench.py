"""A small Modbus TCP device on loopback."""

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from lineshaft.core.settings import Settings

HOST = "127.0.0.1"


class Device:
    """A pymodbus server that can be cut off and mended at the same port."""

    def __init__(self) -> None:
        self.port = 0
        self.settings: Settings = Settings()
        self.unknown: Settings = Settings()
        self.writable = ""
        self._server: ModbusTcpServer | None = None

    async def mend(self) -> None:
        if self._server is not None:
            return
        server = ModbusTcpServer(_chiller(), address=(HOST, self.port))
        await server.serve_forever(background=True)
        self.port = server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self._server = server

    async def cut(self) -> None:
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None


def _chiller() -> SimDevice:
    """A chiller: a set point to write, what it measures, a counter that rises when looked at."""
    coils = [SimData(0, values=[True, False] * 8, datatype=DataType.BITS)]
    discrete = [SimData(0, values=[False, True] * 8, datatype=DataType.BITS)]
    holding = [SimData(0, values=[180, 0, 0, 0], datatype=DataType.REGISTERS)]
    measured = [
        SimData(0, values=[6.5, 12.25], datatype=DataType.FLOAT32),
        SimData(4, values=1, datatype=DataType.UINT32),
    ]

    async def count(
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> None:
        if function == 4:  # noqa: PLR2004 - read input registers
            high, low = registers[4:6]
            strokes = ((high << 16) + low + 1) & 0xFFFF_FFFF
            registers[4:6] = [strokes >> 16, strokes & 0xFFFF]

    return SimDevice(1, simdata=(coils, discrete, holding, measured), action=count)
