"""A follower that goes through history beside the frames that are kept, and says what is to change.

Where there are kept frames already (after a restart, after late samples, when recomputing) only
differences are written: going through the same history twice writes nothing the second time.
"""

from collections.abc import Mapping

from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.expressions.tails import LONG_AGO, Samples
from lineshaft.operations.frames.binding import Bound
from lineshaft.operations.frames.book import Book, news, removal
from lineshaft.operations.frames.feed import before as before_start
from lineshaft.operations.frames.following import MINUTE_NS, Follower, Step
from lineshaft.operations.frames.frame import Frame
from lineshaft.records import Change
from lineshaft.stores import Store

Groups = list[list[Change]]
FAR_NS = 2**62


class Walk:
    """One follower on its way."""

    def __init__(self, follower: Follower, high_ns: int | None) -> None:
        self.follower = follower
        self.high_ns = high_ns
        """Beginning of the newest frame that is kept; None once there are none ahead."""
        self.kept: Frame | None = None
        """The open frame, as the records have it."""
        self._there: dict[int, Frame] = {}
        self.covered_ns = LONG_AGO
        """Up to when kept frames that were passed last."""

    @classmethod
    async def begun(cls, store: Store, book: Book, bound: Bound, start_ns: int) -> "Walk":
        """Ready to go on from a time; a frame that lasts over it is gone through from its start."""
        template, asset = bound.template.name, bound.asset
        # A frame that had not lasted long enough by then is not kept, so it is looked for anew.
        start_ns -= round(bound.template.min_s * NS_PER_S)
        covering = await book.covering(template, asset, start_ns)
        if covering is not None:
            start_ns = covering.start_ns
        follower = Follower(bound)
        minute = start_ns // MINUTE_NS
        before = await book.within(template, asset, minute * MINUTE_NS, start_ns)
        known = await before_start(store, bound, start_ns)
        follower.warm_up(known, start_ns, minute=(minute, len(before)))
        newest_ns = await book.newest_ns(template, asset)
        ahead = newest_ns is not None and newest_ns >= start_ns
        return cls(follower, newest_ns if ahead else None)

    @property
    def at_rest(self) -> bool:
        """Whether no frame is open, nor any kept one not looked at yet."""
        return self.follower.start_ns is None and not self._there

    async def meet(self, book: Book, until_ns: int) -> None:
        """Look up the kept frames that begin in the step to come."""
        if self.high_ns is None:
            return
        bound = self.follower.bound
        found = await book.within(
            bound.template.name,
            bound.asset,
            self.follower.until_ns + 1,
            min(until_ns, self.high_ns) + 1,
        )
        self._there |= found
        ends = [FAR_NS if f.end_ns is None else f.end_ns for f in found.values()]
        self.covered_ns = max(self.covered_ns, *ends) if ends else self.covered_ns

    def step(self, columns: Mapping[str, Samples], until_ns: int) -> Groups:
        """Go on up to a time; what is to be written for it. `meet` was called for it before."""
        step = self.follower.push(columns, until_ns)
        groups: Groups = []
        for frame in step.closed:
            groups.append(news(self._known(frame.start_ns), frame))
        if self.high_ns is not None:
            gone = [s for s in self._there if s != self.follower.start_ns]
            groups += [removal(self._there.pop(start_ns)) for start_ns in gone]
            if until_ns < self.high_ns:
                return groups
            self.high_ns = None
            self.kept = self._there.pop(self.follower.start_ns or 0, None)
        return groups + self._of_open(step)

    def _known(self, start_ns: int) -> Frame | None:
        """The kept frame of that beginning; it is done with."""
        if self.kept is not None and self.kept.start_ns == start_ns:
            known, self.kept = self.kept, None
            return known
        return self._there.pop(start_ns, None)

    def _of_open(self, step: Step) -> Groups:
        groups: Groups = []
        if self.kept is not None and self.kept.start_ns != self.follower.start_ns:
            groups.append(removal(self.kept))
            self.kept = None
        if step.open is not None and step.open != self.kept:
            groups.append(news(self.kept, step.open))
            self.kept = step.open
        return groups
