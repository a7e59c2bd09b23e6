"""Other historians on the same machine, behind one small interface. One file here is one peer.

All take the same batches and answer the same questions. Servers are started with a fresh folder and
asked over their own protocol on loopback; embedded ones are called in this process.
"""

import abc
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

MINUTE_NS = 60_000_000_000


class Columns(NamedTuple):
    """Rows in the order they arrive."""

    point: np.ndarray
    """Shape (n,): number of the point."""
    time_ns: np.ndarray
    number: np.ndarray
    quality: np.ndarray

    def part(self, start: int, stop: int) -> "Columns":
        """Rows `start` to `stop`."""
        return Columns(*(c[start:stop] for c in self))


class Peer(abc.ABC):
    """A store that is loaded and asked. Answers are counted in rows, and must agree."""

    name: str
    durable = "yes"
    """Whether an acknowledged batch survives a power cut, in a word for the table."""

    def __init__(self, folder: Path, points: list[str]) -> None:
        self.folder = folder
        self.points = points
        folder.mkdir(parents=True)

    @abc.abstractmethod
    def version(self) -> str:
        """What it is, with its year."""

    @abc.abstractmethod
    def start(self) -> None:
        """Ready for the first batch."""

    @abc.abstractmethod
    def prepare(self, rows: Columns) -> object:
        """The batch in the form that the peer takes; not timed."""

    @abc.abstractmethod
    def ingest(self, prepared: object) -> None:
        """Return when it is acknowledged."""

    @abc.abstractmethod
    def settle(self) -> None:
        """Index, sort, compact: whatever it does before it is asked."""

    @abc.abstractmethod
    def size(self) -> int:
        """Bytes on the disk."""

    @abc.abstractmethod
    def last(self, point: int) -> int:
        """The newest value of a point."""

    @abc.abstractmethod
    def raw(self, point: int, start_ns: int, stop_ns: int) -> int:
        """All samples of a point."""

    @abc.abstractmethod
    def minutes(self, points: list[int] | None, start_ns: int, stop_ns: int) -> int:
        """Average, least and greatest per minute, of these points, or of all."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End it."""


def tree_bytes(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def steady_bytes(folder: Path, *, wait_s: float = 180) -> int:
    """The same, once it has not changed for ten seconds: servers flush and compact when idle."""
    until = time.monotonic() + wait_s
    size, since = tree_bytes(folder), time.monotonic()
    while time.monotonic() < until and time.monotonic() - since < 10:
        time.sleep(1)
        now = tree_bytes(folder)
        if now != size:
            size, since = now, time.monotonic()
    return size
