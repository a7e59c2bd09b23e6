"""One group of points that are read in the same rhythm, and what to do about the bad ones."""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.drivers.modbus.link import Fault, Link
from lineshaft.drivers.modbus.plan import Block, halves, plan
from lineshaft.drivers.modbus.registers import Decoder, ModbusPoint, Order

RETRY_S = 60.0
"""Seconds after which an address that the device does not know is asked for again."""

Trouble = Callable[[str, str | None], None]


class Poll:
    """The points of one rhythm on one connection.

    A block that the device refuses is halved until the address at fault is found; that point
    turns bad and is put aside, and the rest goes on.
    """

    def __init__(
        self,
        points: Sequence[ModbusPoint],
        paths: Sequence[str],
        order: Order,
        *,
        sizes: tuple[int, int, int],
        trouble: Trouble,
    ) -> None:
        gap_max, registers_max, bits_max = sizes
        self.points = points
        self._paths = pa.array(paths, pa.string())
        self._order = order
        self._trouble = trouble
        self._blocks = plan(points, gap_max=gap_max, registers_max=registers_max, bits_max=bits_max)
        self._decoders: dict[Block, Decoder] = {}
        self._aside: list[tuple[float, Block]] = []
        self._silent: dict[Block, int] = {}
        self._told: dict[int, Fault] = {}

    async def read(self, link: Link, now: float) -> Batch:
        """Ask for every point once; those put aside only when their time has come.

        Raises:
            LinkLost: the device is gone.
        """
        sheet = _Sheet(len(self.points))
        again = [block for due, block in self._aside if due <= now]
        self._aside = [(due, block) for due, block in self._aside if due > now]
        kept = []
        for block in chain(self._blocks, again):
            kept += await self._fetch(link, block, sheet, now)
        self._blocks = kept
        return sheet.batch(self._paths)

    async def _fetch(self, link: Link, block: Block, sheet: "_Sheet", now: float) -> list[Block]:
        """Read one block into the sheet; returns the blocks to read in its place next time."""
        reply = await link.read(block)
        if not isinstance(reply, Fault):
            decoder = self._decoders.get(block)
            if decoder is None:
                here = [self.points[r] for r in block.rows]
                decoder = self._decoders[block] = Decoder(here, block.start, self._order)
            sheet.fill(block.rows, *decoder.decode(reply))
            self._well(block)
            return [block]
        if reply.may_be_one and len(block.rows) > 1:
            parts: list[Block] = []
            asides = len(self._aside)
            for half in halves(block, self.points):
                parts += await self._fetch(link, half, sheet, now)
            # A device that was only slow once keeps its large block.
            is_whole = len(parts) == 2 and len(self._aside) == asides  # noqa: PLR2004
            was_slow = reply is Fault.SILENCE and is_whole and not sheet.has_bad(block.rows)
            return [block] if was_slow else parts
        sheet.spoil(block.rows, reply)
        self._ill(block, reply)
        if reply.lasts or (reply is Fault.SILENCE and self._alone_silent(link, block)):
            self._aside.append((now + RETRY_S, block))
            return []
        return [block]

    def _alone_silent(self, link: Link, block: Block) -> bool:
        """Whether the device answers, only not for this block, and not for the first time."""
        before = self._silent.setdefault(block, link.answers)
        return link.answers > before

    def _well(self, block: Block) -> None:
        if not self._told:
            return
        self._silent.pop(block, None)
        for row in block.rows:
            if self._told.pop(row, None) is not None:
                self._trouble(self.points[row].place, None)

    def _ill(self, block: Block, fault: Fault) -> None:
        for row in block.rows:
            if self._told.get(row) is not fault:
                self._told[row] = fault
                self._trouble(self.points[row].place, f"{self.points[row].name}: {fault.text}")


class _Sheet:
    """Room for one sample of each point."""

    def __init__(self, size: int) -> None:
        self._number = np.full(size, np.nan)
        self._text: dict[int, str] = {}
        self._time_ns = np.zeros(size, dtype=np.int64)
        self._quality = np.zeros(size, dtype=np.uint32)

    def fill(self, rows: tuple[int, ...], number: "np.ndarray", text: dict[int, str]) -> None:
        """Note values; the time is now, for the reply has just come."""
        where = list(rows)
        self._time_ns[where] = now_ns()
        self._number[where] = number
        self._quality[where] = 0
        self._text |= {rows[at]: word for at, word in text.items()}

    def spoil(self, rows: tuple[int, ...], fault: Fault) -> None:
        """Note that there is no value, and why."""
        where = list(rows)
        self._time_ns[where] = now_ns()
        self._quality[where] = fault.quality

    def has_bad(self, rows: tuple[int, ...]) -> bool:
        """Whether one of the rows has no value."""
        return bool(self._quality[list(rows)].any())

    def batch(self, paths: pa.StringArray) -> Batch:
        """The rows that were noted."""
        rows = np.flatnonzero(self._time_ns)
        quality = self._quality[rows]
        if not self._text and not quality.any():
            return Batch.of(paths, rows, self._time_ns[rows], number=self._number[rows])
        has_text = np.isin(rows, list(self._text))
        texts = [self._text.get(int(row)) for row in rows]
        return Batch.of(
            paths,
            rows,
            self._time_ns[rows],
            number=pa.array(self._number[rows], mask=has_text | (quality != 0)),
            text=texts,
            quality=quality,
        )
