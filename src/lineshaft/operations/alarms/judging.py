"""All alarms at once: a batch comes in, and out comes what has arisen or gone, in order."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec
import numpy as np

from lineshaft.core.batch import BAD, Batch
from lineshaft.core.quality import Quality
from lineshaft.operations.alarms.bank import Bank, Changes, Kept, Thresholds, Times
from lineshaft.operations.alarms.detectors import suppressors, watched
from lineshaft.operations.alarms.evaluating import Found, Rows, Signals
from lineshaft.operations.alarms.happenings import Arisen, Gone, Suppressed
from lineshaft.operations.alarms.rules import AlarmGroup
from lineshaft.operations.alarms.settings import SEVERITY, Alarm, OnBad, Priority
from lineshaft.operations.expressions.tails import numbers_of

SECOND_NS = 1_000_000_000
BAD_INPUT = "BadInput"
"""What stands as limit when an alarm rings for the quality of its input."""
SUPPRESS = "#"
"""First character of what stands as limit of a channel that suppresses its alarm."""
_NAMES = {
    "hihi": "HiHi",
    "hi": "Hi",
    "lo": "Lo",
    "lolo": "LoLo",
    "off_normal": "OffNormal",
    "trip": "Trip",
    "condition": "Condition",
}
_GRAVE = ("HiHi", "LoLo", "Hi", "Lo", "Trip", "OffNormal", "Condition", BAD_INPUT)
"""The outer limit of a side is the graver one, whatever priorities were given."""


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


Told = tuple[str, Arisen | Gone | Suppressed]
"""Name of an alarm, and what happened to it."""


_Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Channel, time, number and quality of samples that are to be judged."""


class Judge:
    """The thresholds of all alarms, and what they remember.

    A channel hears the samples of a point or the rows of an expression. An off-normal value `v` is
    two thresholds in one: the distance |value − v| below a half. What `signals` lacks, because an
    expression cannot be compiled now, is not judged. Of the points `texts` no text is read as
    the integer that it may look like.
    """

    def __init__(
        self,
        alarms: Sequence[Alarm],
        remembered: Mapping[str, Mapping[str, Seen]] | None = None,
        *,
        signals: Signals | None = None,
        groups: Mapping[str, AlarmGroup] | None = None,
        texts: frozenset[str] = frozenset(),
    ) -> None:
        self._texts = texts
        self.channels: list[Channel] = []
        self.signals = signals or Signals({})
        self._of_source: dict[str, list[int]] = {}
        self._of_alarm: dict[str, list[int]] = {}
        self._last: tuple[list[str], list[np.ndarray]] = ([], [])
        self._together = {a.name for a in alarms if not a.exclusive}
        made = [c for alarm in alarms for c in _channels_of(alarm, groups or {})]
        for place, (source, channel, *_) in enumerate(made):
            self.channels.append(channel)
            self._of_source.setdefault(source, []).append(place)
            self._of_alarm.setdefault(channel.alarm, []).append(place)
        table = np.array([m.row for m in made], dtype=float).reshape(-1, 5)
        self._centre = np.array([m.centre for m in made], dtype=float)
        self._bad = np.array([m.on_bad for m in made], dtype=bool)
        self._of_key = {
            key: np.array(self._of_source[key], dtype=np.intp)
            for key in self.signals.by_key
            if key in self._of_source
        }
        self._channels_of_key = {key: self._of_source[key] for key in self._of_key}
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
    def late(self) -> int:
        """Samples that came too late; of expressions since each was compiled."""
        return self.bank.late + sum(s.late for s in self.signals.by_key.values())

    @property
    def points(self) -> list[str]:
        """The points that are watched."""
        plain = [s for s in self._of_source if not s.startswith("=")]
        return list(dict.fromkeys([*plain, *self.signals.points]))

    def push(self, batch: Batch) -> tuple[list[Told], set[str]]:
        """What has arisen or gone, by time; and the alarms whose memory must be kept anew."""
        rows, channel = self._expanded(batch)
        columns = (batch.time_ns[rows], self._numbers(batch, rows), batch.quality[rows])
        return self._judged([(channel, *columns), *self._parts(self.signals.push(batch))])

    def tick(self, now_ns: int, *, all_told: bool = False) -> tuple[list[Told], set[str]]:
        """What the passing of time alone has brought about; see `push`.

        Expressions wait for late samples, unless with `all_told` there are no more to come.
        """
        found = self.signals.tick(now_ns, all_told=all_told)
        told, moved = self._judged(self._parts(found))
        before = self._telling()
        changes = self.bank.tick(self._horizon(now_ns))
        moved |= {self.channels[i].alarm for i in changes.channel}
        return [*told, *self._happened(changes, before)], moved

    def take(self, rows: Sequence[Rows]) -> tuple[list[Told], set[str]]:
        """Judge rows of expressions that history gave; what was judged before is not late."""
        late = self.bank.late
        judged = self._judged([self._spread(r) for r in rows])
        self.bank.late = late
        return judged

    def forget(self, alarm: str) -> None:
        """Judge an alarm anew, as if it had not heard anything yet."""
        new = Kept.of(1)
        for i in self._of_alarm.get(alarm, ()):
            if not self._covers(i):
                self.bank.kept.raw[i], self.bank.kept.told[i] = new.raw[0], new.told[0]
                self.bank.kept.since_ns[i] = new.since_ns[0]
                self.bank.kept.newest_ns[i] = new.newest_ns[0]

    def unheard(self) -> list[str]:
        """The points of which some channel has not heard anything yet."""
        never = self._never()
        plain = ((s, of) for s, of in self._of_source.items() if not s.startswith("="))
        return [source for source, of in plain if never[of].any()]

    def stand(self, held: Batch, now_ns: int) -> tuple[list[Told], set[str]]:
        """Judge what holds now for the channels that have not heard anything yet; see `push`.

        `held` has the newest sample of points. It counts from now on, so that nothing is told
        of the time before; what comes next is new if it is newer than the sample was.
        """
        rows, channel = self._expanded(held)
        rows, channel = rows[fresh := self._never()[channel]], channel[fresh]
        number = self._numbers(held, rows)
        parts = [(channel, held.time_ns[rows], number, held.quality[rows])]
        for key, channels in self._of_key.items():
            own = channels[self._never()[channels]]
            found = self.signals.by_key[key].present() if len(own) else None
            if found is not None:
                parts.append((own, *(np.repeat(c, len(own)) for c in found[1:])))
        told = self._judged([(c, np.full(len(c), now_ns), *rest) for c, _, *rest in parts])
        for own, time_ns, *_ in parts:
            self.bank.kept.newest_ns[own] = np.minimum(time_ns, now_ns)
        return told

    def _never(self) -> np.ndarray:
        return np.equal(self.bank.kept.newest_ns, Seen().newest_ns)

    def fresh(self, key: str) -> bool:
        """Whether no channel has heard anything of that expression yet."""
        newest = self.bank.kept.newest_ns[self._of_key[key]]
        return bool((newest == Seen().newest_ns).all())

    def _horizon(self, now_ns: int) -> Times:
        """Up to when each channel knows all."""
        known = np.full(len(self.channels), now_ns, dtype=np.int64)
        for key, channels in self._of_key.items():
            known[channels] = min(self.signals.by_key[key].until_ns, now_ns)
        return known

    def _parts(self, found: Found) -> list[_Columns]:
        """All rows of expressions for the channels that hear them."""
        many = [
            (channel, time_ns, value, quality)
            for key, time_ns, value, quality in found.single
            for channel in self._channels_of_key[key]
        ]
        parts = [self._spread(rows) for rows in found.rows]
        if many:
            channels, times, values, codes = zip(*many, strict=True)
            parts.append(
                (
                    np.array(channels, dtype=np.intp),
                    np.array(times, dtype=np.int64),
                    np.array(values, dtype=np.float64),
                    np.array(codes, dtype=np.uint32),
                )
            )
        return parts

    def _spread(self, rows: Rows) -> _Columns:
        """Rows of an expression for each channel that hears it."""
        channels = self._of_key[rows.key]
        n, m = len(rows.time_ns), len(channels)
        value, quality = np.tile(rows.value, m), np.tile(rows.quality, m)
        return np.repeat(channels, n), np.tile(rows.time_ns, m), value, quality

    def _judged(self, parts: Sequence[_Columns]) -> tuple[list[Told], set[str]]:
        parts = [p for p in parts if len(p[0])]
        if not parts:
            return [], set()
        channel, time_ns, number, quality = (np.concatenate(c) for c in zip(*parts, strict=True))
        is_bad = (quality & BAD) != 0
        centre = self._centre[channel]
        value = np.where(np.isnan(centre), number, np.abs(number - centre))
        value = np.where(is_bad, np.nan, value)
        value = np.where(self._bad[channel], is_bad.astype(float), value)
        before = self.bank.kept.raw.copy()
        told_before = self._telling()
        changes = self.bank.push(channel, time_ns, value)
        touched = np.flatnonzero(self.bank.kept.raw != before)
        moved = {self.channels[i].alarm for i in (*touched, *changes.channel)}
        return self._happened(changes, told_before), moved

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
            for i in self._of_alarm.get(alarm, ())
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
        rows, channels = [np.empty(0, dtype=np.intp)], [np.empty(0, dtype=np.intp)]
        for table in self._tables(batch.points):
            channel = table[batch.index]
            found = np.flatnonzero(channel >= 0)
            rows.append(found)
            channels.append(channel[found])
        return np.concatenate(rows), np.concatenate(channels)

    def _numbers(self, batch: Batch, rows: np.ndarray) -> np.ndarray:
        """The numbers of some rows; integers that are long stand in text."""
        number = numbers_of(batch, rows)
        if batch.text.null_count == len(batch) or not self._texts:
            return number
        is_text = np.array([p in self._texts for p in batch.points], dtype=bool)
        return np.where(is_text[batch.index[rows]], batch.number[rows], number)

    def _tables(self, points: list[str]) -> list[np.ndarray]:
        """The nth channel of each point, -1 where it has none; sources repeat their points."""
        if points != self._last[0]:
            of_index = [self._of_source.get(p, []) for p in points]
            most = max(map(len, of_index), default=0)
            tables = [
                np.array([o[nth] if nth < len(o) else -1 for o in of_index], dtype=np.intp)
                for nth in range(most)
            ]
            self._last = (points, tables)
        return self._last[1]

    def _telling(self) -> np.ndarray:
        return self.bank.kept.told.copy()

    def _happened(self, changes: Changes, told: np.ndarray) -> list[Told]:
        """Changes of channels as happenings of alarms, covers first at the same moment."""
        found: list[Told] = []
        columns = (changes.time_ns.tolist(), changes.channel.tolist(), changes.on.tolist())
        names = [self.channels[c].alarm for c in columns[1]]
        moments = zip(names, *columns, strict=True)
        ordered = sorted(moments, key=lambda m: (m[1], not self._covers(m[2]), m[0]))
        key = lambda m: (m[1], not self._covers(m[2]), m[0])  # noqa: E731 - as it was sorted
        for (time_ns, judged, name), group in groupby(ordered, key=key):
            together = list(group)
            if not judged:
                found += [(name, self._cover(c, time_ns, on=on)) for _, _, c, on in together]
                continue
            was = self._passed(name, told)
            for _, _, channel, on in together:
                told[channel] = on
            now = self._passed(name, told)
            if now != was and (name in self._together or now[:1] != was[:1]):
                several = name in self._together
                found.append((name, _as_happening(now, time_ns, several=several)))
        return found

    def _covers(self, channel: int) -> bool:
        return self.channels[channel].limit.startswith(SUPPRESS)

    def _cover(self, channel: int, time_ns: int, *, on: bool) -> Suppressed:
        return Suppressed(time_ns=time_ns, on=on, by=self.channels[channel].limit[1:])

    def _passed(self, alarm: str, told: np.ndarray) -> list[Channel]:
        """The limits that are passed; channels stand from the gravest to the mildest."""
        return [self.channels[i] for i in self._of_alarm[alarm] if told[i] and not self._covers(i)]


def _as_happening(now: list[Channel], time_ns: int, *, several: bool) -> Arisen | Gone:
    if not now:
        return Gone(time_ns=time_ns)
    first = now[0]
    quality = Quality.BAD if first.limit == BAD_INPUT else Quality.GOOD
    return Arisen(
        time_ns=time_ns,
        severity=max(c.severity for c in now) if several else first.severity,
        limit=first.limit,
        limits=tuple(c.limit for c in now) if several else (),
        quality=int(quality),
    )


_Row = tuple[float, bool, float, float, float]


class _Made(NamedTuple):
    """A channel, and what it is made of."""

    source: str
    channel: Channel
    row: _Row
    """Limit, above or below, dead band, on- and off-delay in seconds."""
    centre: float = np.nan
    """Of an off-normal distance."""
    on_bad: bool = False
    """Whether it watches the quality."""


def _channels_of(alarm: Alarm, groups: Mapping[str, AlarmGroup]) -> list[_Made]:
    """The channels of an alarm, from the gravest to the mildest, covers last."""
    formula = watched(alarm)
    source = formula.key if formula else alarm.point
    on_s = alarm.on_delay_s
    if alarm.discrepancy:
        on_s = max(on_s, alarm.discrepancy.within_s)
    delays = (on_s, alarm.off_delay_s)
    found: list[_Made] = []
    for name, limit in alarm.limits().items():
        channel = Channel(alarm.name, _NAMES[name], SEVERITY[limit.priority])
        if name in ("off_normal", "trip"):
            row: _Row = (0.5, False, 0.0, *delays)
            found.append(_Made(source, channel, row, centre=limit.value))
        else:
            above, band = name not in ("lo", "lolo"), alarm.dead_band
            row = (limit.value, above, 0.0 if name == "condition" else band, *delays)
            found.append(_Made(source, channel, row))
    if alarm.on_bad is OnBad.RAISE:
        channel = Channel(alarm.name, BAD_INPUT, SEVERITY[Priority.LOW])
        found.append(_Made(source, channel, (0.5, True, 0.0, *delays), on_bad=True))
    found.sort(key=lambda m: _GRAVE.index(m.channel.limit))
    for by, cover in suppressors(alarm, groups).items():
        channel = Channel(alarm.name, f"{SUPPRESS}{by}", 0)
        found.append(_Made(cover.key, channel, (0.5, True, 0.0, 0.0, 0.0)))
    return found
