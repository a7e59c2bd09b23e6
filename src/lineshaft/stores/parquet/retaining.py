"""Retention: whole files are deleted, samples before roll-ups, by rule and then by disk budget.

A segment goes when its newest row is older than its rule keeps samples; its roll-ups stay as long
as the rule keeps those. One that holds points of several rules, since it was written before there
were such, is split when the first of them is due.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Unavailable
from lineshaft.core.flow import assert_off_loop
from lineshaft.stores import Retained, Rule
from lineshaft.stores._rules import Rules
from lineshaft.stores.parquet.manifest import Segment, Thinned
from lineshaft.stores.parquet.merging import Merger, Swap, paths_of
from lineshaft.stores.parquet.shape import coarsest
from lineshaft.stores.parquet.sidecars import Sidecars
from lineshaft.stores.parquet.state import Snapshot
from lineshaft.stores.parquet.weaving import weave

BUDGET = "disk budget"
DROPPED = "retention"
"""The reason in the books."""


class _Part(NamedTuple):
    """Samples of a segment that go."""

    segment: Segment
    shares: dict[str, float]
    """How much of it goes, about, by the branch or other reason that lets go of it."""
    others: bool
    """Whether there are samples of other rules in it, which stay."""
    keeps: bool
    """Whether the roll-ups stay."""


class Keeper:
    """Decides what goes, and deletes it; one call at a time, on the calling thread."""

    def __init__(self, swap: Swap, merger: Merger, sidecars: Sidecars) -> None:
        self._swap = swap
        self._state, self._settler, self._shelf = swap
        self._merger = merger
        self._sidecars = sidecars
        self._turn = threading.Lock()

    def retain(self, given: Sequence[Rule], budget_bytes: int, *, dry: bool) -> Retained:
        """Delete what is due, or only tell.

        Raises:
            OSError: the disk does not take it; what was deleted before is gone.
            Unavailable: the store is closing; what was deleted before is gone.
        """
        assert_off_loop()
        rules = Rules(given)
        with self._turn:
            if not dry:
                self._merger.rules = rules
            now = now_ns()
            snapshot = self._state.snapshot()
            parts = [p for s in snapshot.segments if (p := self._due(s, rules, now))]
            old = [t for t in snapshot.thinned if self._is_over(t, rules, now)]
            told = _Told()
            for part in parts:
                told.samples(part)
            for thinned in old:
                told.rollup(thinned, min(self._branches(thinned, rules)))
            if budget_bytes:
                more, older = _over_budget(snapshot, parts, old, budget_bytes, told)
                parts += more
                old += older
            if not dry:
                try:
                    for part in self._delete(parts, old, rules):
                        told.stays(part.segment.file)
                finally:
                    self._shelf.forget()
            return told.retained()

    # ---- by rule

    def _due(self, segment: Segment, rules: Rules, now: int) -> _Part | None:
        limits = [rules.rule(b).raw_s for b in rules.branches if rules.rule(b).raw_s]
        if not limits or not _older(segment.time_max, min(limits), now):
            return None
        paths = paths_of(self._shelf.path(segment)) if len(rules.branches) > 1 else ["every"]
        branches = rules.branches_of(paths)
        due = {b for b in branches if _older(segment.time_max, rules.rule(b).raw_s, now)}
        if not due:
            return None
        keeps = any(not _older(segment.time_max, rules.rule(b).rollup_s, now) for b in due)
        counts = Counter(rules.branch_of(p) for p in paths)
        shares = {b: counts[b] / len(paths) for b in due}
        return _Part(segment, shares, due != branches, keeps)

    def _is_over(self, thinned: Thinned, rules: Rules, now: int) -> bool:
        branches = self._branches(thinned, rules)
        return all(_older(thinned.time_max, rules.rule(b).rollup_s, now) for b in branches)

    def _branches(self, thinned: Thinned, rules: Rules) -> set[str]:
        return rules.branches_of(self._sidecars.open(thinned.rollup.file).paths)

    # ---- deleting

    def _delete(
        self, parts: Sequence[_Part], old: Sequence[Thinned], rules: Rules
    ) -> Iterator[_Part]:
        """Delete; the parts that stay, as their segments became others meanwhile."""
        if old:
            self._swap.do([], [], drop=old)
        for part in parts:
            self._step()
            segment = part.segment
            with self._settler.pinned([segment.file]):
                added, thinned = self._rest(part, rules)
                done = self._swap.do([segment], added, thinned=thinned)
            if done:
                with self._state.lock:
                    left = sum(s.rows for s in added)
                    self._state.gave_up(DROPPED, segment.rows - left)
            else:
                yield part

    def _step(self) -> None:
        if self._state.closing:
            raise Unavailable("the store is closing", remedy="Do it again when it is open.")

    def _woven(self, segment: Segment) -> Iterator[pa.Table]:
        """The rows of a segment, until the store is closing."""
        for table in weave([segment], self._shelf.folder):
            self._step()
            yield table

    def _rest(self, part: _Part, rules: Rules) -> tuple[list[Segment], list[Thinned]]:
        """What stands in the place of a segment: samples of other rules, and roll-ups."""
        segment = part.segment
        added: list[Segment] = []
        if part.others:
            staying = set(rules.branches) - set(part.shares)
            tables = rules.only(staying, self._woven(segment))
            left = self._shelf.write(tables, coarsest([segment]))
            added += [left] if left else []
        if not part.keeps:
            return added, []
        rollup = segment.rollup
        if part.others or rollup is None:
            rollup = self._shelf.summed_up(rules.only(set(part.shares), self._woven(segment)))
        if rollup is None:
            return added, []
        thinned = Thinned(
            day=segment.day,
            rows=segment.rows - sum(s.rows for s in added),
            time_min=segment.time_min,
            time_max=segment.time_max,
            rollup=rollup,
        )
        return added, [thinned]


class _Told:
    """Adds up what goes."""

    def __init__(self) -> None:
        self._going: dict[str, tuple[list[str], int, dict[str, int]]] = {}
        """By file: the names, rows, and bytes by reason, that go with it."""

    def samples(self, part: _Part) -> None:
        """Samples go, and roll-ups with them if they are not kept."""
        segment = part.segment
        files, size = [segment.file], segment.bytes
        if segment.rollup and not part.keeps:
            files.append(segment.rollup.file)
            size += segment.rollup.bytes
        rows = round(segment.rows * sum(part.shares.values()))
        sizes = {reason: int(size * share) for reason, share in part.shares.items()}
        self._going[segment.file] = files, rows, sizes

    def rollup(self, thinned: Thinned, reason: str) -> None:
        """Roll-ups go."""
        rollup = thinned.rollup
        self._going[rollup.file] = [rollup.file], 0, {reason: rollup.bytes}

    def stays(self, file: str) -> None:
        """It does not go after all."""
        del self._going[file]

    @property
    def bytes(self) -> int:
        """How many go."""
        return sum(sum(sizes.values()) for _, _, sizes in self._going.values())

    def retained(self) -> Retained:
        """The answer."""
        reasons: Counter[str] = Counter()
        for _, _, sizes in self._going.values():
            reasons.update(sizes)
        return Retained(
            files=tuple(file for files, _, _ in self._going.values() for file in files),
            bytes=self.bytes,
            rows=sum(rows for _, rows, _ in self._going.values()),
            reasons=dict(reasons),
        )


def _older(time_max: int, kept_s: float, now: int) -> bool:
    """Whether rows up to that time are kept no more; 0 keeps them for ever."""
    return kept_s > 0 and time_max < now - int(kept_s * NS_PER_S)


def _over_budget(
    snapshot: Snapshot,
    parts: Sequence[_Part],
    old: Sequence[Thinned],
    budget_bytes: int,
    told: _Told,
) -> tuple[list[_Part], list[Thinned]]:
    """The oldest segments, then the oldest roll-ups, whose going makes the rest fit."""
    size = sum(s.bytes + (s.rollup.bytes if s.rollup else 0) for s in snapshot.segments)
    size += sum(t.rollup.bytes for t in snapshot.thinned) - told.bytes
    going = {p.segment.file for p in parts}
    more: list[_Part] = []
    for segment in sorted(snapshot.segments, key=lambda s: s.time_max):
        if size <= budget_bytes:
            return more, []
        if segment.file not in going:
            keeps = segment.rollup is not None
            part = _Part(segment, {BUDGET: 1.0}, others=False, keeps=keeps)
            more.append(part)
            told.samples(part)
            size -= segment.bytes
    older: list[Thinned] = []
    for thinned in sorted(snapshot.thinned, key=lambda t: t.time_max):
        if size <= budget_bytes:
            break
        if thinned not in old:
            older.append(thinned)
            told.rollup(thinned, BUDGET)
            size -= thinned.rollup.bytes
    return more, older
