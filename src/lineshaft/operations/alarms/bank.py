"""Many thresholds judged at once: dead band, delays on source time, columns in and changes out.

A channel is one threshold on one signal: `value > limit` or `value < limit`, held until the value
is back beyond the dead band, and told only when it has lasted. Where a stream is cut into batches
changes nothing. What comes older than the newest of its channel is left out, and counted.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Ids = NDArray[np.intp]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEVER_NS = np.iinfo(np.int64).min


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """The channels as columns, all of shape (m,)."""

    limit: Floats
    above: Flags
    """True: the condition is `value > limit`; false: `value < limit`."""
    dead_band: Floats
    """How far back the value must come, from zero up."""
    on_ns: Times
    """How long the condition must last before it is told."""
    off_ns: Times
    """How long it must be gone before that is told."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What is told: conditions that came or went, by time and then channel; all (k,)."""

    time_ns: Times
    """Source time: of the sample, plus the delay."""
    channel: Ids
    on: Flags


class Kept(msgspec.Struct, kw_only=True):
    """What a bank remembers, as columns of shape (m,)."""

    raw: Flags
    """The condition with dead band, before delays."""
    since_ns: Times
    """Since when it is as it is."""
    told: Flags
    newest_ns: Times

    @classmethod
    def of(cls, channels: int) -> "Kept":
        """At the beginning: no condition holds."""
        never = np.full(channels, NEVER_NS)
        off = np.zeros(channels, dtype=bool)
        return cls(raw=off, since_ns=never, told=off.copy(), newest_ns=never.copy())


class Bank:
    """The channels and their memory; `kept` may be saved and given back."""

    def __init__(self, thresholds: Thresholds, kept: Kept | None = None) -> None:
        self.thresholds = thresholds
        self.kept = kept or Kept.of(len(thresholds.limit))
        self.late = 0
        """Samples left out, because a newer one of their channel had come."""

    def push(self, channel: Ids, time_ns: Times, value: Floats) -> Changes:
        """Judge samples; of one channel they may stand in any order. NaN changes nothing."""
        # One sample of each channel, in their order, is what most sources bring.
        if not (channel[1:] > channel[:-1]).all():
            order = np.lexsort((time_ns, channel))
            channel, time_ns, value = channel[order], time_ns[order], value[order]
        fresh = time_ns > self.kept.newest_ns[channel]
        if not fresh.all():
            self.late += int((~fresh).sum())
            channel, time_ns, value = channel[fresh], time_ns[fresh], value[fresh]
        if not len(channel):
            return _none()
        first = _firsts(channel)
        raw = self._held(channel, value, first)
        last = np.append(first[1:], len(channel)) - 1
        self.kept.newest_ns[channel[last]] = time_ns[last]
        return self._told(channel, time_ns, raw, first)

    def tick(self, now_ns: int | Times) -> Changes:
        """Time has come to `now_ns` on all channels without a sample: delays may end.

        Of a column (m,) each channel takes its own.
        """
        waiting = np.flatnonzero(self.kept.raw != self.kept.told)
        raw = self.kept.raw[waiting]
        due = self.kept.since_ns[waiting] + self._delay(waiting, raw)
        over = due <= (now_ns if isinstance(now_ns, int) else now_ns[waiting])
        channel, on = waiting[over], raw[over]
        self.kept.told[channel] = on
        return _sorted(due[over], channel, on)

    def _held(self, channel: Ids, value: Floats, first: Ids) -> Flags:
        """The condition at each sample: where the value decides, that, else as before."""
        sides = self.thresholds
        sign = np.where(sides.above[channel], 1.0, -1.0)
        beyond = (value - sides.limit[channel]) * sign
        with np.errstate(invalid="ignore"):
            comes, goes = beyond > 0, beyond <= -sides.dead_band[channel]
        place = np.arange(len(channel))
        decided = np.maximum.accumulate(np.where(comes | goes, place, -1))
        begins = np.repeat(first, np.diff(np.append(first, len(channel))))
        known = decided >= begins
        return np.where(known, comes[decided], self.kept.raw[channel])

    def _told(self, channel: Ids, time_ns: Times, raw: Flags, first: Ids) -> Changes:
        """Runs of the condition that lasted long enough, where they differ from what was told."""
        before = np.empty(len(raw), dtype=bool)
        before[1:] = raw[:-1]
        seen = channel[first]
        before[first] = self.kept.raw[seen]
        begins = np.flatnonzero(raw != before)
        # The run that each channel was in comes first, then those that begin in this batch.
        of = np.concatenate([seen, channel[begins]])
        on = np.concatenate([self.kept.raw[seen], raw[begins]])
        since = np.concatenate([self.kept.since_ns[seen], time_ns[begins]])
        order = np.argsort(of, kind="stable")
        of, on, since = of[order], on[order], since[order]
        due = since + self._delay(of, on)
        # What has been so for ever is due for ever.
        lasted = (self._ends(of, since) >= due) | (since == NEVER_NS)
        self._keep(of, on, since)
        return self._differing(of[lasted], on[lasted], due[lasted])

    def _ends(self, of: Ids, since: Times) -> Times:
        """When each run ended: as the next begins, or as far as its channel has been seen."""
        ends = self.kept.newest_ns[of]
        inner = of[1:] == of[:-1]
        ends[:-1][inner] = since[1:][inner]
        return ends

    def _keep(self, of: Ids, on: Flags, since: Times) -> None:
        last = np.append(np.flatnonzero(of[1:] != of[:-1]), len(of) - 1)
        self.kept.raw[of[last]] = on[last]
        self.kept.since_ns[of[last]] = since[last]

    def _differing(self, of: Ids, on: Flags, due: Times) -> Changes:
        if not len(of):
            return _none()
        before = np.empty(len(on), dtype=bool)
        before[1:] = on[:-1]
        first = _firsts(of)
        before[first] = self.kept.told[of[first]]
        last = np.append(first[1:], len(of)) - 1
        self.kept.told[of[last]] = on[last]
        new = on != before
        return _sorted(due[new], of[new], on[new])

    def _delay(self, channel: Ids, on: Flags) -> Times:
        return np.where(on, self.thresholds.on_ns[channel], self.thresholds.off_ns[channel])


def _firsts(channel: Ids) -> Ids:
    """Where each channel begins in a sorted column."""
    return np.append(0, np.flatnonzero(channel[1:] != channel[:-1]) + 1)


def _sorted(time_ns: Times, channel: Ids, on: Flags) -> Changes:
    order = np.lexsort((channel, time_ns))
    return Changes(time_ns=time_ns[order], channel=channel[order], on=on[order])


def _none() -> Changes:
    return Changes(
        time_ns=np.empty(0, dtype=np.int64),
        channel=np.empty(0, dtype=np.intp),
        on=np.empty(0, dtype=bool),
    )
