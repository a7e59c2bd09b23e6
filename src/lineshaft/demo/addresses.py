"""Where each protocol finds the points: nodes, registers, topics, as the makers print them.

Register addresses count from 0. Numbers of 32 bits take two registers, the high word first.
Fractions travel as whole numbers: a register of 83 with a scale of 0.1 means 8.3.
"""

import struct
from collections.abc import Sequence
from typing import Literal, NamedTuple

from lineshaft.core.point import Value
from lineshaft.demo.machines import PLACES

Table = Literal["input", "holding", "discrete"]
UNIT = 1
"""Unit identifier of both Modbus devices."""


def node_id(machine: str, point: str) -> str:
    """The OPC UA node of a point."""
    return f"ns=2;s={machine}.{point}"


def topic(machine: str) -> str:
    """The MQTT topic that a machine publishes to."""
    return f"{PLACES[machine]}/telemetry"


class Register(NamedTuple):
    """Where one point stands."""

    point: str
    table: Table
    address: int
    type: Literal["uint16", "int16", "uint32", "float32", "bool"]
    scale: float = 1.0

    @property
    def size(self) -> int:
        """How many registers it takes."""
        return 2 if self.type in ("uint32", "float32") else 1

    def words(self, value: Value) -> list[int]:
        """The registers' content for a value."""
        if self.type == "float32":
            return list(struct.unpack(">HH", struct.pack(">f", float(value))))
        number = round(float(value) / self.scale)
        if self.type == "uint32":
            return [number >> 16 & 0xFFFF, number & 0xFFFF]
        return [number & 0xFFFF]

    def value(self, word: int) -> float:
        """The value that a single register stands for."""
        signed = word - ((word & 0x8000) << 1) if self.type == "int16" else word
        return round(signed * self.scale, 6)


MAPS: dict[str, Sequence[Register]] = {
    "press": (
        Register("state", "input", 0, "uint16"),
        Register("strokes", "input", 1, "uint32"),
        Register("parts_scrap", "input", 3, "uint32"),
        Register("force", "input", 5, "uint16"),
        Register("hydraulic_pressure", "input", 6, "uint16", 0.1),
        Register("oil_temperature", "input", 7, "int16", 0.1),
        Register("oil_level", "input", 8, "uint16", 0.1),
        Register("power", "input", 9, "uint16", 0.01),
        Register("energy", "input", 20, "float32"),
        Register("guard_closed", "discrete", 0, "bool"),
    ),
    "chiller": (
        Register("state", "input", 0, "uint16"),
        Register("supply_temperature", "input", 1, "int16", 0.01),
        Register("return_temperature", "input", 2, "int16", 0.01),
        Register("flow", "input", 3, "uint16", 0.1),
        Register("compressor_load", "input", 4, "uint16", 0.1),
        Register("condenser_pressure", "input", 5, "uint16", 0.01),
        Register("power", "input", 6, "uint16", 0.01),
        Register("setpoint", "holding", 100, "int16", 0.1),
        Register("alarm", "discrete", 0, "bool"),
    ),
}
