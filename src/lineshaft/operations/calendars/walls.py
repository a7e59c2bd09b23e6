"""From what the clock on the wall shows to the time that it is, through clock changes."""

import datetime as dt
import functools
import zoneinfo

from lineshaft.core.clock import NS_PER_S

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
DAY_S = 86_400


@functools.lru_cache(maxsize=65_536)
def moment_ns(day: dt.date, second: int, zone: zoneinfo.ZoneInfo) -> int:
    """When the wall shows `second` seconds after midnight of the day; may be 86400 or more.

    A time that is skipped is the moment of the jump, one that comes twice is the first.
    """
    wall = dt.datetime.combine(day, dt.time()) + dt.timedelta(seconds=second)
    early = _epoch_s(wall.replace(tzinfo=zone))
    late = _epoch_s(wall.replace(tzinfo=zone, fold=1))
    # In a gap the first reading has the offset before it, so that it lies after the second.
    return (early if early <= late else _jump(late, early, zone)) * NS_PER_S


def is_on_wall(day: dt.date, zone: zoneinfo.ZoneInfo) -> bool:
    """Whether there is such a day: Apia went from 29 to 31 December 2011."""
    return moment_ns(day, 0, zone) < moment_ns(day, DAY_S, zone)


def day_at(time_ns: int, zone: zoneinfo.ZoneInfo) -> dt.date:
    """The local day."""
    return (EPOCH + dt.timedelta(seconds=time_ns // NS_PER_S)).astimezone(zone).date()


def _epoch_s(when: dt.datetime) -> int:
    delta = when.astimezone(dt.UTC) - EPOCH
    return delta.days * DAY_S + delta.seconds


def _jump(low: int, high: int, zone: zoneinfo.ZoneInfo) -> int:
    """The first second with the offset of `high`; the change lies in (low, high]."""
    goal = _offset(high, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle, zone) == goal else (middle, high)
    return high


def _offset(epoch_s: int, zone: zoneinfo.ZoneInfo) -> dt.timedelta | None:
    return (EPOCH + dt.timedelta(seconds=epoch_s)).astimezone(zone).utcoffset()
