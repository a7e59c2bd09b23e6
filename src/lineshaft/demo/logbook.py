"""The factory's logbook: what people and misfortune did to it, in the order it happened.

One line of JSON an entry, appended by whoever causes it and read by every device. Together with
the seed it says all about the factory: a device that is killed and started again reads the
logbook and goes on where it would have been.
"""

import enum
import os
from pathlib import Path

import msgspec

from lineshaft.core.clock import NS_PER_S, now_ns


class What(enum.Enum):
    """What can be done to a device."""

    SET = "set"
    """Somebody wrote a set-point; stays until the next write."""
    STOP = "stop"
    """The machine itself fails and stands with a fault."""
    BAD = "bad"
    """One sensor is broken: the device says so, in the way its protocol has for it."""
    FROZEN = "frozen"
    """One value no longer changes, and the device does not know it."""
    GARBAGE = "garbage"
    """The device sends bytes that nobody can read (MQTT)."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the logbook."""

    time_ns: int
    """When it begins."""
    machine: str
    """Which machine."""
    what: What
    """What happens."""
    point: str = ""
    """Which point, where it concerns one."""
    value: float = 0.0
    """What was set."""
    stop_ns: int = 0
    """When it is over, for all but `set`."""

    def lasts(self, time_ns: int) -> bool:
        """Whether it is going on at that time."""
        return self.time_ns <= time_ns < self.stop_ns


class Logbook:
    """Reads and appends the entries of one file; entries never change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self._read_bytes = 0

    def refresh(self) -> list[Entry]:
        """Read what was appended since; returns it."""
        try:
            if self.path.stat().st_size <= self._read_bytes:
                return []
            with self.path.open("rb") as file:
                file.seek(self._read_bytes)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        new = [e for line in whole.splitlines() if (e := _entry(line)) is not None]
        self.entries = sorted([*self.entries, *new], key=lambda e: e.time_ns)
        return new

    def add(self, entry: Entry) -> None:
        """Append an entry; every device sees it within its next step."""
        line = msgspec.json.encode(entry) + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # One write of a short line to a file opened for appending is never torn or mixed.
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, line)
        finally:
            os.close(file)

    def set(self, machine: str, point: str, value: float) -> None:
        """Note that somebody wrote a set-point now."""
        self.add(Entry(time_ns=now_ns(), machine=machine, what=What.SET, point=point, value=value))

    def happen(self, machine: str, what: What, *, seconds: float, point: str = "") -> None:
        """Note that something goes wrong from now on, for that long."""
        start = now_ns()
        stop = start + int(seconds * NS_PER_S)
        self.add(Entry(time_ns=start, machine=machine, what=what, point=point, stop_ns=stop))

    def of(self, machine: str, what: What, point: str = "") -> list[Entry]:
        """The entries of one sort, oldest first."""
        return [e for e in self.entries if (e.machine, e.what, e.point) == (machine, what, point)]

    def ailing(self, machine: str, what: What, time_ns: int) -> dict[str, Entry]:
        """By point, the entries of one sort that are going on at that time."""
        return {
            e.point: e
            for e in self.entries
            if e.machine == machine and e.what is what and e.lasts(time_ns)
        }


def _entry(line: bytes) -> Entry | None:
    """The entry; None for a line that somebody spoilt by hand: the factory runs on."""
    try:
        return msgspec.json.decode(line, type=Entry)
    except msgspec.DecodeError:
        return None
