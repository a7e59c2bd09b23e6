"""Which addresses are read together: the fewest requests that touch no more than they must."""

from collections.abc import Sequence
from typing import NamedTuple

from lineshaft.drivers.modbus.registers import BIT_TABLES, ModbusPoint, Table


class Block(NamedTuple):
    """Addresses that one request asks for, and the points in them."""

    table: Table
    start: int
    """First address."""
    size: int
    """How many addresses."""
    rows: tuple[int, ...]
    """Which points, as places in the list that was planned, by rising address."""


def plan(
    points: Sequence[ModbusPoint], *, gap_max: int, registers_max: int, bits_max: int
) -> list[Block]:
    """Blocks that cover every point, each point whole in one block.

    At most `gap_max` addresses that nobody asked for stand between two points of a block, and
    a block takes at most `registers_max` registers or `bits_max` bits.
    """
    tables = list(Table)
    by_place = sorted(
        range(len(points)),
        key=lambda r: (tables.index(points[r].table), points[r].address, points[r].width),
    )
    blocks: list[Block] = []
    for row in by_place:
        point = points[row]
        stop = point.address + point.width
        last = blocks[-1] if blocks else None
        if last is not None and last.table is point.table:
            end = last.start + last.size
            size = max(end, stop) - last.start
            size_max = bits_max if point.table in BIT_TABLES else registers_max
            if point.address - end <= gap_max and size <= size_max:
                blocks[-1] = last._replace(size=size, rows=(*last.rows, row))
                continue
        blocks.append(Block(point.table, point.address, point.width, (row,)))
    return blocks


def halves(block: Block, points: Sequence[ModbusPoint]) -> tuple[Block, Block]:
    """The block in two, each with half of its points and no address before or behind them."""
    middle = len(block.rows) // 2
    return _around(block, block.rows[:middle], points), _around(block, block.rows[middle:], points)


def _around(block: Block, rows: tuple[int, ...], points: Sequence[ModbusPoint]) -> Block:
    start = min(points[r].address for r in rows)
    stop = max(points[r].address + points[r].width for r in rows)
    return Block(block.table, start, stop - start, rows)
