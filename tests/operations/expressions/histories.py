"""Histories for tests to draw: a few points, odd times, every sort of quality."""

import numpy as np
from hypothesis import strategies as st
from tests.operations.expressions.written import FLAGS, NUMBERS, TEXTS

from lineshaft.operations.expressions.tails import Samples

S = 10**9
GOOD, UNCERTAIN, BAD, WORSE = 0, 0x4090_0000, 0x8031_0000, 0x808C_0000
qualities = st.sampled_from([GOOD, GOOD, GOOD, GOOD, UNCERTAIN, BAD, WORSE])
times = st.integers(0, 40).map(lambda n: n * S // 2) | st.integers(0, 20 * S)
tame = st.integers(-40, 40).map(lambda n: n / 4)
"""Numbers whose sums need no rounding, so that every way to add them up gives the same."""
wild = st.floats(-1e6, 1e6) | st.sampled_from([1e16, -1e16, 0.1, 1e-9, 0.0])


@st.composite
def histories(draw, values=wild, size_max=25):
    """Of each name a list of samples (time, value, quality), each time once."""
    kinds = {
        **dict.fromkeys(NUMBERS, values),
        **dict.fromkeys(FLAGS, st.booleans()),
        **dict.fromkeys(TEXTS, st.sampled_from(["RUN", "STOP", ""])),
    }
    return {
        name: draw(
            st.lists(st.tuples(times, kind, qualities), max_size=size_max, unique_by=lambda s: s[0])
        )
        for name, kind in kinds.items()
    }


def columns(rows, names=None) -> dict[str, Samples]:
    """Samples of each name as columns, by path."""
    return {
        f"hall/{name}": Samples(
            np.array([t for t, _, _ in found], dtype=np.int64),
            [v for _, v, _ in found]
            if name in TEXTS
            else np.array([float(v) for _, v, _ in found]),
            np.array([q for _, _, q in found], dtype=np.uint32),
        )
        for name, found in rows.items()
        if names is None or name in names
    }


EXPRESSIONS = [
    "a > 2.0 && p || s == 'RUN'",
    "p ? a / b : c",
    "a + b * c",
    "quality(a) != 'bad' ? a : 0",
    "s + u",
    "avg(a, '3s')",
    "mean(a, '3s')",
    "mean(a - b, '2500ms') > 1",
    "min(a, '3s') + max(b, '1s')",
    "sum(a, '4s') > 1 && count(s, '2s') > 1",
    "stddev(a, '5s')",
    "avg(a - b, '3s')",
    "avg(avg(a, '1s') - min(b, '2s'), '3s')",
    "delta(a, '2s')",
    "rate(a, '1500ms')",
    "increase(a, '3s')",
    "increase(a, '3s', 100)",
    "increase(a + b, '3s') > increase(c, '2s')",
    "prev(a) - a",
    "prev(a + b)",
    "prev(prev(a))",
    "changed(s)",
    "changed(a > b) || changed(p)",
    "duration(a > 0.5)",
    "duration(a > b && p) > duration('1s')",
    "duration(stale(a, '2s')) > duration('1s')",
    "max(duration(p).getSeconds(), '4s')",
    "stale(a, '2s') && !stale(b, '1s')",
    "has(a) ? avg(a, '2s') : prev(b)",
    "avg(double(duration(a > 0) > duration('1s')), '3s')",
    "duration(changed(a))",
    "prev(avg(a, '2s'))",
    "time() > timestamp('1970-01-01T00:00:05Z') && a > 0",
    "mean(duration(p).getSeconds(), '3s')",
    "stddev(a, '2s') > stddev(a, '8s')",
    "changed(stale(a, '1s'))",
    "delta(mean(a, '2s'), '3s')",
]
"""One for each function at least, alone and within others."""
