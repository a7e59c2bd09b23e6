"""Part 13 once more, one interval at a time and without arrays, to compare with.

Written from the rules and not from the code under test: slow, plain, forward only.
"""

import math
import statistics
from dataclasses import dataclass
from itertools import pairwise

from lineshaft.historian.aggregates import Function
from lineshaft.historian.aggregates.series import Configuration

TICK = 1_000_000
GOOD, UNCERTAIN, BAD = 0, 1, 2
Answer = tuple[float, int]
"""Value and severity."""
NONE: Answer = (math.nan, BAD)


@dataclass
class Naive:
    """One interval over samples of (time, value, severity)."""

    rows: list[tuple[int, float, int]]
    a: int
    b: int
    c: Configuration

    # ---- bounds

    def usable(self, severity: int) -> bool:
        limit = GOOD if self.c.treat_uncertain_as_bad else UNCERTAIN
        return severity <= limit

    def simple(self, x: int, barred_from: int | None = None) -> Answer:
        def fits(s: int) -> bool:
            return self.usable(s) if barred_from is None else s < barred_from

        before = [r for r in self.rows if r[0] <= x]
        after = [r for r in self.rows if r[0] > x]
        if not before or not fits(before[-1][2]):
            return NONE
        t, v, s = before[-1]
        if t == x:
            return v, s
        if not after:
            return NONE
        if self.c.stepped:
            return v, s
        t2, v2, s2 = after[0]
        if not fits(s2):
            return v, UNCERTAIN
        return v + (v2 - v) * (x - t) / (t2 - t), max(s, s2)

    def interpolated(self, x: int, *, stepped: bool) -> Answer:
        fit = [r for r in self.rows if self.usable(r[2])]
        before = [r for r in fit if r[0] <= x]
        after = [r for r in fit if r[0] > x]
        if not before:
            return NONE
        t, v, s = before[-1]
        if t == x:
            return v, s
        if not after:
            if not stepped and self.c.sloped_extrapolation and len(fit) > 1 and not self.c.stepped:
                (t0, v0, _), (t1, v1, _) = fit[-2:]
                v = v1 + (v1 - v0) * (x - t1) / (t1 - t0)
            return v, UNCERTAIN
        end = x if stepped else after[0][0]
        skipped = any(t < r[0] <= end and not self.usable(r[2]) for r in self.rows)
        if stepped:
            return v, max(s, UNCERTAIN if skipped else GOOD)
        t2, v2, s2 = after[0]
        value = v + (v2 - v) * (x - t) / (t2 - t)
        return value, max(s, s2, UNCERTAIN if skipped else GOOD)

    # ---- pieces of time

    @property
    def inside(self) -> list[tuple[int, float, int]]:
        return [r for r in self.rows if self.a <= r[0] < self.b]

    @property
    def goods(self) -> list[float]:
        return [v for _, v, s in self.inside if s == GOOD]

    @property
    def stop(self) -> int:
        return min(self.b, self.rows[-1][0] + TICK)

    def regions(self):
        """(length, value at its start, value at its end, severity of its start, of the whole)."""
        cuts = sorted({self.a, self.stop, *(t for t, _, _ in self.rows if self.a < t < self.stop)})
        for p, q in pairwise(cuts):
            value, severity = self.simple(p)
            before = [r for r in self.rows if r[0] <= p]
            after = [r for r in self.rows if r[0] > p]
            if not before or not self.usable(before[-1][2]):
                yield q - p, math.nan, math.nan, BAD, BAD
                continue
            if math.isnan(value):
                value, severity = before[-1][1:]
            ended, whole = value, max(severity, before[-1][2])
            if not self.c.stepped:
                if after and self.usable(after[0][2]):
                    t, v, _ = before[-1]
                    ended = v + (after[0][1] - v) * (q - t) / (after[0][0] - t)
                if not after or after[0][2] != GOOD:
                    whole = max(whole, UNCERTAIN)
            yield q - p, value, ended, severity, whole

    def share(self, good: float, bad: float, total: float) -> int:
        enough = good * 100 >= self.c.percent_data_good * total
        if self.c.percent_data_good == 100 - self.c.percent_data_bad:
            return GOOD if enough else UNCERTAIN
        if bad * 100 >= self.c.percent_data_bad * total:
            return BAD
        return GOOD if enough else UNCERTAIN

    def by_time(self) -> int:
        total, bad = self.stop - self.a, 0
        for length, _, _, _, whole in self.regions():
            bad += 0 if self.usable(whole) else length
        return self.share(total - bad, bad, total) if bad else GOOD

    def by_count(self) -> int:
        every = self.inside
        good = sum(s == GOOD for _, _, s in every)
        bad = sum(not self.usable(s) for _, _, s in every)
        return self.share(good, bad, len(every)) if every else GOOD

    # ---- aggregates

    def answer(self, function: Function) -> Answer:
        """Value and severity; the value is NaN where the severity is bad."""
        if function is Function.INTERPOLATIVE:
            return self.interpolated(self.a, stepped=self.c.stepped)
        before = any(r[0] < self.b for r in self.rows)
        if not before or not any(r[0] >= self.a for r in self.rows):
            return NONE
        value, severity = self.found(function)
        return (math.nan if severity == BAD else value), severity

    def found(self, function: Function) -> Answer:  # noqa: PLR0911
        name = function.value
        if name in ("TimeAverage", "Total"):
            return self.straight(average=name == "TimeAverage")
        if name in ("TimeAverage2", "Total2"):
            return self.known(average=name == "TimeAverage2")
        if name.startswith(("Duration", "Percent")):
            return self.lasting(name)
        if name.startswith(("Minimum", "Maximum", "Range")):
            return self.extreme(name)
        if "Deviation" in name or "Variance" in name:
            return self.spread(name)
        if "Bound" in name:
            return self.bound(name)
        return self.plain(name)

    def straight(self, *, average: bool) -> Answer:
        fit = [t for t, _, s in self.rows if self.usable(s)]
        if not fit or fit[0] >= self.b:
            return NONE
        begin = max(self.a, fit[0])
        cuts = sorted({begin, self.b, *(t for t in fit if begin < t < self.b)})
        area, worst = 0.0, GOOD if fit[0] <= self.a else UNCERTAIN
        for p, q in pairwise(cuts):
            one, two, half = (self.interpolated(x, stepped=False) for x in (p, q, (p + q) // 2))
            area += (one[0] + two[0]) / 2 * (q - p)
            worst = max(worst, half[1])
        worst = min(worst, UNCERTAIN)
        return (area / (self.b - begin) if average else area / 1e9), worst

    def known(self, *, average: bool) -> Answer:
        time = sum(r[0] for r in self.regions() if r[3] != BAD)
        if not time:
            return NONE
        area = sum(n * (v + w) / 2 for n, v, w, s, _ in self.regions() if s != BAD)
        return (area / time if average else area / 1e9), self.by_time()

    def lasting(self, name: str) -> Answer:
        good = bad = zero = 0
        for length, value, _, severity, _ in self.regions():
            good += length * (severity == GOOD)
            bad += length * (not self.usable(severity))
            zero += length * (severity == GOOD and value == 0)
        if "InState" in name:
            return (zero if name.endswith("StateZero") else good - zero) / 1e6, self.by_time()
        part = good if name.endswith("Good") else bad
        percent = name.startswith("Percent")
        return (part / (self.stop - self.a) * 100 if percent else part / 1e6), GOOD

    def extreme(self, name: str) -> Answer:
        if name.startswith("Range"):
            low, one = self.extreme(name.replace("Range", "Minimum"))
            high, two = self.extreme(name.replace("Range", "Maximum"))
            return high - low, max(one, two)
        pick = min if name.startswith("Min") else max
        if name.endswith("2"):
            values = [v for _, v, s in self.inside if self.usable(s)]
            ends = [self.a] if self.c.stepped else [self.a, self.b]
            values += [v for v, s in map(self.simple, ends) if s != BAD]
            return (pick(values), self.by_time()) if values else NONE
        if not self.goods:
            return NONE
        found = pick(self.goods)
        doubtful = any(
            not self.usable(s) or (s == UNCERTAIN and v != found and pick(v, found) == v)
            for _, v, s in self.inside
        )
        return found, UNCERTAIN if doubtful else GOOD

    def spread(self, name: str) -> Answer:
        goods = self.goods
        if not goods:
            return NONE
        if len(goods) == 1:
            value = 0.0
        else:
            sample = name.endswith("Sample")
            value = (statistics.variance if sample else statistics.pvariance)(goods)
        value = math.sqrt(value) if "Deviation" in name else value
        return value, UNCERTAIN if len(goods) < len(self.inside) else GOOD

    def bound(self, name: str) -> Answer:
        one, two = self.simple(self.a), self.simple(self.b)
        if name == "DeltaBounds":
            return two[0] - one[0], max(one[1], two[1])
        return one if name == "StartBound" else two

    def plain(self, name: str) -> Answer:  # noqa: PLR0911
        inside = self.inside
        if name in ("Start", "End"):
            return inside[0 if name == "Start" else -1][1:] if inside else NONE
        if name == "Count":
            return len(self.goods), self.by_count()
        if name == "AnnotationCount":
            return 0, GOOD
        if name == "NumberOfTransitions":
            fit = [(t, v) for t, v, s in self.rows if self.usable(s)]
            steps = [t for i, (t, v) in enumerate(fit) if i == 0 or fit[i - 1][1] != v]
            return sum(self.a <= t < self.b for t in steps), self.by_count()
        if name == "Average":
            return (statistics.fmean(self.goods), self.by_count()) if self.goods else NONE
        if name == "Delta":
            if not self.goods:
                return NONE
            whole = inside[0][2] == inside[-1][2] == GOOD
            return self.goods[-1] - self.goods[0], GOOD if whole else UNCERTAIN
        severities = [s for _, _, s in inside]
        if name == "WorstQuality2":
            severities += [self.simple(x, barred_from=BAD)[1] for x in (self.a, self.b)]
        return (max(severities), GOOD) if severities else NONE
