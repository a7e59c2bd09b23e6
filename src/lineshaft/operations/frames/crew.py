"""All followers: which there are by the templates, who reads which point, what came late."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.operations import Names
from lineshaft.operations.frames.binding import Bound, assets_of, bind
from lineshaft.operations.frames.book import Mark, mark_key
from lineshaft.operations.frames.settings import Template
from lineshaft.operations.frames.walk import Walk

FOLLOWERS_MAX = 5_000
"""Templates times assets."""
LAG_NS_MAX = 60 * NS_PER_S
"""Samples that come later than this are old data, not a slow source."""
LAG_NS_MIN = NS_PER_S // 4
Rows = npt.NDArray[np.intp]


class Track:
    """One template on one asset."""

    def __init__(self, bound: Bound, mark: Mark | None) -> None:
        self.bound = bound
        self.key = mark_key(bound.template.name, bound.asset)
        self.live: Walk | None = None
        """Follows the present; None before it has begun."""
        self.repair: Walk | None = None
        """Goes through history again, behind `live`."""
        self.mark = mark
        """As the records have it."""
        self.dirty: tuple[int, int] | None = mark.dirty if mark else None
        """First and last time to go through again."""
        self.repairing: tuple[int, int] | None = None
        """What `repair` is about."""
        self.awaited: tuple[str, int] | None = None
        """A late sample that must be in the store before `dirty` is looked at."""
        self.dirty_since_ns = self.dirty_first_ns = 0
        """When the latest and the first late sample of `dirty` came."""
        self.trouble = ""

    @property
    def until_ns(self) -> int:
        """Up to when its frames are known."""
        if self.live is not None:
            return self.live.follower.until_ns
        return (self.mark.until_ns if self.mark else None) or 0

    def soil(self, first_ns: int, last_ns: int, now_ns: int) -> bool:
        """Have a span gone through again; whether it was not to be already."""
        before = self.dirty
        if before is None:
            self.dirty = (first_ns, last_ns)
            self.dirty_first_ns = now_ns
        else:
            self.dirty = (min(before[0], first_ns), max(before[1], last_ns))
        if self.dirty != before:
            self.dirty_since_ns = now_ns
        return self.dirty != before

    def marked(self) -> Mark:
        """The mark as it is to be kept."""
        spans = [s for s in (self.dirty, self.repairing) if s is not None]
        dirty = (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None
        return Mark(until_ns=self.until_ns or None, dirty=dirty)


class Crew:
    """Followers by template and asset."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._version = -1
        self.templates: dict[str, Template] = {}
        self.tracks: dict[str, Track] = {}
        self.waiting: dict[str, str] = {}
        """Why a follower cannot begin, by its key."""
        self._readers: dict[str, list[Track]] = {}
        self.newest_ns: dict[str, int] = {}
        """Time of the newest sample seen of each point that is read."""
        self._value: dict[str, tuple[object, ...]] = {}
        """The newest sample seen of each point, to know it again."""
        self.lag_ns: dict[str, int] = {}
        """How late the samples of a point come lately."""
        self._late_ns: dict[str, int] = {}
        """How late the newest sample of each point came."""
        self.unsettled: dict[str, int] = {}
        """Points with samples that the store may not have yet, and their newest time."""
        self.late = 0
        """Samples that came after their time had been judged."""

    def assign(self, templates: Iterable[Template], marks: dict[str, Mark]) -> None:
        """Follow what the templates say; followers whose expressions did not change go on."""
        self.templates = {t.name: t for t in templates}
        self._version = self._names.version
        wanted: dict[str, tuple[Template, str]] = {}
        self.waiting = {}
        for template in self.templates.values():
            try:
                assets = assets_of(template, self._names)
            except Invalid as error:
                self.waiting[mark_key(template.name, "")] = str(error)
                continue
            wanted |= {mark_key(template.name, a): (template, a) for a in assets}
        for key in [*wanted][FOLLOWERS_MAX:]:
            self.waiting[key] = f"there are {FOLLOWERS_MAX} followers already"
            del wanted[key]
        self.tracks = {k: t for k, t in self.tracks.items() if k in wanted}
        for key, (template, asset) in wanted.items():
            self._bind(key, template, asset, marks)
        self._readers = {}
        for track in self.tracks.values():
            for point in track.bound.points:
                self._readers.setdefault(point, []).append(track)

    def stale(self) -> bool:
        """Whether the namespace has changed since."""
        return self._version != self._names.version

    def _bind(self, key: str, template: Template, asset: str, marks: dict[str, Mark]) -> None:
        track = self.tracks.get(key)
        if track is not None and track.bound.template == template and self._holds(track.bound):
            return
        mark = marks.get(key) if track is None else track.marked()
        try:
            self.tracks[key] = Track(bind(template, asset, self._names), mark)
        except Invalid as error:
            self.tracks.pop(key, None)
            self.waiting[key] = f"{error} {error.remedy}".strip()

    def _holds(self, bound: Bound) -> bool:
        """Whether its points are declared as they were."""
        inputs = {p.path: p for e in bound.expressions for p in e.inputs}
        return all(self._names.find(path) == point for path, point in inputs.items())

    def reading(self, points: Sequence[str]) -> list[Track]:
        """The followers that read any of the points; all where none is named."""
        if not points:
            return list(self.tracks.values())
        found = {t.key: t for p in points for t in self._readers.get(p, ())}
        return list(found.values())

    def of(self, template: str) -> Iterator[Track]:
        """The followers of a template."""
        return (t for t in self.tracks.values() if t.bound.template.name == template)

    # ---- what passes on the spine

    def take(self, batch: Batch, now_ns: int) -> list[Track]:
        """Note what a batch brings; the followers whose mark must be kept for it."""
        names, index = batch.points, batch.index
        order = np.lexsort((batch.time_ns, index))
        sorted_index = index[order]
        edges = np.append(np.flatnonzero(np.diff(sorted_index)) + 1, len(order))
        soiled: dict[str, Track] = {}
        start = 0
        for stop in edges.tolist():
            path = names[int(sorted_index[start])] if stop > start else ""
            if path in self._readers:
                self._take_point(path, batch, order[start:stop], now_ns, soiled)
            start = stop
        return list(soiled.values())

    def _take_point(
        self, path: str, batch: Batch, rows: Rows, now_ns: int, soiled: dict[str, Track]
    ) -> None:
        """Samples of one point, by time."""
        before_ns = self.newest_ns.get(path)
        times = batch.time_ns[rows]
        # Many a device tells its last sample again and again; that is no late sample.
        if before_ns == times[0] and self._value.get(path) == _value(batch, int(rows[0])):
            times, rows = times[1:], rows[1:]
            if not len(times):
                return
        first_ns, last_ns = int(times[0]), int(times[-1])
        disorder = before_ns is not None and first_ns <= before_ns
        if before_ns is None or last_ns >= before_ns:
            self._value[path] = _value(batch, int(rows[-1]))
        self._hear(path, last_ns, now_ns)
        for track in self._readers[path]:
            if disorder or first_ns <= track.until_ns:
                known_ns = max(track.until_ns, before_ns or 0)
                self.late += int((times <= known_ns).sum())
                track.awaited = (path, first_ns)
                if track.soil(first_ns, max(min(last_ns, known_ns), first_ns), now_ns):
                    soiled[track.key] = track

    def _hear(self, path: str, last_ns: int, now_ns: int) -> None:
        if last_ns > self.newest_ns.get(path, -(2**63)):
            self.newest_ns[path] = self.unsettled[path] = last_ns
        # Slow is who is late twice running: what a device had stored up comes late once.
        late_ns = now_ns - last_ns
        late_ns = late_ns if 0 <= late_ns <= LAG_NS_MAX else 0
        self.lag_ns[path] = min(late_ns, self._late_ns.get(path, 0))
        self._late_ns[path] = late_ns

    def wait_ns(self, track: Track) -> int:
        """How long after its time a moment is judged: its lateness, and how slow sources are."""
        lag = max((self.lag_ns.get(p, 0) for p in track.bound.points), default=0)
        steps = 0 if lag < LAG_NS_MIN else 1 << (lag // LAG_NS_MIN).bit_length()
        return round(track.bound.template.lateness_s * NS_PER_S) + steps * LAG_NS_MIN


def _value(batch: Batch, row: int) -> tuple[object, ...]:
    number = float(batch.number[row])
    return (
        None if math.isnan(number) else number,
        batch.text[row].as_py(),
        int(batch.quality[row]),
    )
