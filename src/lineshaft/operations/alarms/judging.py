"""All alarms at once: a batch comes in, and out comes what has arisen or gone, in order."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec
import numpy as np

from lineshaft.core.batch import BAD, Batch
from lineshaft.core.quality import Quality
from lineshaft.operations.alarms.bank import Bank, Changes, Kept, Thresholds
from lineshaft.operations.alarms.happenings import Arisen, Gone
from lineshaft.operations.alarms.settings import SEVERITY, Alarm, OnBad, Priority

SECOND_NS = 1_000_000_000
BAD_INPUT = "BadInput"
"""What stands as limit when an alarm rings for the quality of its input."""
_NAMES = {"hihi": "HiHi", "hi": "Hi", "lo": "Lo", "lolo": "LoLo", "off_normal": "OffNormal"}


class Channel(msgspec.Struct, frozen=True):
    """One threshold of one alarm."""

    alarm: str
    limit: str
    severity: int


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one channel remembers; kept so that a restart loses no delay."""

    raw: bool = False
    since_ns: int = int(np.iinfo(np.int64).min)
    told: bool = False
    newest_ns: int = int(np.iinfo(np.int64).min)


Told = tuple[str, Arisen | Gone]
"""Name of an alarm, and what happened to it."""


class Judge:
    """The thresholds of all alarms, and what they remember.

    An off-normal value `v` is two thresholds in one: the distance |value − v| below a half.
    """

    def __init__(
        self, alarms: Sequence[Alarm], remembered: Mapping[str, Mapping[str, Seen]] | None = None
    ) -> None:
        self.channels: list[Channel] = []
        self._of_point: dict[str, list[int]] = {}
        self._of_alarm: dict[str, list[int]] = {}
        rows: list[tuple[float, bool, float, float, float]] = []
        normal: list[float] = []
        bad: list[bool] = []
        for alarm in alarms:
            for channel, row, centre, on_bad in _channels_of(alarm):
                place = len(self.channels)
                self.channels.append(channel)
                self._of_point.setdefault(alarm.point, []).append(place)
                self._of_alarm.setdefault(alarm.name, []).append(place)
                rows.append(row)
                normal.append(centre)
                bad.append(on_bad)
        table = np.array(rows, dtype=float).reshape(-1, 5)
        self._centre, self._bad = np.array(normal, dtype=float), np.array(bad, dtype=bool)
        self.bank = Bank(
            Thresholds(
                limit=table[:, 0],
                above=table[:, 1] > 0,
                dead_band=table[:, 2],
                on_ns=(table[:, 3] * SECOND_NS).astype(np.int64),
                off_ns=(table[:, 4] * SECOND_NS).astype(np.int64),
            ),
            self._recalled(remembered or {}),
        )

    @property
    def points(self) -> list[str]:
        """The points that are watched."""
        return list(self._of_point)

    def push(self, batch: Batch) -> tuple[list[Told], set[str]]:
        """What has arisen or gone, by time; and the alarms whose memory must be kept anew."""
        rows, channel = self._expanded(batch)
        if not len(rows):
            return [], set()
        quality = batch.quality[rows]
        is_bad = (quality & BAD) != 0
        number = batch.number[rows]
        value = np.where(
            np.isnan(self._centre[channel]), number, np.abs(number - self._centre[channel])
        )
        value = np.where(is_bad, np.nan, value)
        value = np.where(self._bad[channel], is_bad.astype(float), value)
        before = self.bank.kept.raw.copy()
        told_before = self._telling()
        changes = self.bank.push(channel, batch.time_ns[rows], value)
        touched = np.flatnonzero(self.bank.kept.raw != before)
        moved = {self.channels[i].alarm for i in (*touched, *changes.channel)}
        return self._happened(changes, told_before), moved

    def tick(self, now_ns: int) -> list[Told]:
        """What the passing of time alone has brought about."""
        before = self._telling()
        return self._happened(self.bank.tick(now_ns), before)

    def seen(self, alarm: str) -> dict[str, Seen]:
        """What the channels of an alarm remember, by limit."""
        kept = self.bank.kept
        return {
            self.channels[i].limit: Seen(
                raw=bool(kept.raw[i]),
                since_ns=int(kept.since_ns[i]),
                told=bool(kept.told[i]),
                newest_ns=int(kept.newest_ns[i]),
            )
            for i in self._of_alarm[alarm]
        }

    def _recalled(self, remembered: Mapping[str, Mapping[str, Seen]]) -> Kept:
        kept = Kept.of(len(self.channels))
        for i, channel in enumerate(self.channels):
            seen = remembered.get(channel.alarm, {}).get(channel.limit)
            if seen is not None:
                kept.raw[i], kept.told[i] = seen.raw, seen.told
                kept.since_ns[i], kept.newest_ns[i] = seen.since_ns, seen.newest_ns
        return kept

    def _expanded(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the batch and the channel that each goes to; a row may go to several."""
        of_index = [self._of_point.get(p, []) for p in batch.points]
        most = max(map(len, of_index), default=0)
        rows, channels = [np.empty(0, dtype=np.intp)], [np.empty(0, dtype=np.intp)]
        for nth in range(most):
            table = np.array([o[nth] if nth < len(o) else -1 for o in of_index], dtype=np.intp)
            channel = table[batch.index]
            found = np.flatnonzero(channel >= 0)
            rows.append(found)
            channels.append(channel[found])
        return np.concatenate(rows), np.concatenate(channels)

    def _telling(self) -> np.ndarray:
        return self.bank.kept.told.copy()

    def _happened(self, changes: Changes, told: np.ndarray) -> list[Told]:
        """Changes of channels as happenings of alarms: the gravest limit that holds counts."""
        found: list[Told] = []
        columns = (changes.time_ns.tolist(), changes.channel.tolist(), changes.on.tolist())
        names = [self.channels[c].alarm for c in columns[1]]
        moments = zip(names, *columns, strict=True)
        ordered = sorted(moments, key=lambda m: (m[1], m[0]))
        for (time_ns, name), together in groupby(ordered, key=lambda m: (m[1], m[0])):
            was = self._gravest(name, told)
            for _, _, channel, on in together:
                told[channel] = on
            now = self._gravest(name, told)
            if now is not was:
                found.append((name, _as_happening(now, time_ns)))
        return found

    def _gravest(self, alarm: str, told: np.ndarray) -> Channel | None:
        """Channels stand from the gravest to the mildest."""
        return next((self.channels[i] for i in self._of_alarm[alarm] if told[i]), None)


def _as_happening(now: Channel | None, time_ns: int) -> Arisen | Gone:
    if now is None:
        return Gone(time_ns=time_ns)
    quality = Quality.BAD if now.limit == BAD_INPUT else Quality.GOOD
    return Arisen(time_ns=time_ns, severity=now.severity, limit=now.limit, quality=int(quality))


_Row = tuple[float, bool, float, float, float]


def _channels_of(alarm: Alarm) -> list[tuple[Channel, _Row, float, bool]]:
    """Channel, threshold row, centre of an off-normal distance, whether it watches quality."""
    delays = (alarm.on_delay_s, alarm.off_delay_s)
    found: list[tuple[Channel, _Row, float, bool]] = []
    for name, limit in alarm.limits().items():
        channel = Channel(alarm.name, _NAMES[name], SEVERITY[limit.priority])
        if name == "off_normal":
            row: _Row = (0.5, False, 0.0, *delays)
            found.append((channel, row, limit.value, False))
        else:
            row = (limit.value, name in ("hihi", "hi"), alarm.dead_band, *delays)
            found.append((channel, row, np.nan, False))
    if alarm.on_bad is OnBad.RAISE:
        channel = Channel(alarm.name, BAD_INPUT, SEVERITY[Priority.LOW])
        found.append((channel, (0.5, True, 0.0, *delays), np.nan, True))
    # The outer limit of a side is the graver one, whatever priorities were given.
    grave = ("HiHi", "LoLo", "Hi", "Lo", "OffNormal", BAD_INPUT)
    return sorted(found, key=lambda f: grave.index(f[0].limit))
