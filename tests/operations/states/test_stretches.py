"""Timelines against a slow and simple one, second by second."""

import itertools
import tempfile
from asyncio import run
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.operations.states.lines import PRESS, UNIT, S, press

from lineshaft.core.access import SYSTEM
from lineshaft.core.quality import Quality
from lineshaft.operations.states.naming import stands, states_of
from lineshaft.operations.states.timeline import UNKNOWN

NAMES = [s.name for s in states_of(UNIT)]
SAMPLES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 4), st.sampled_from([0, 0, 0, Quality.BAD])),
    max_size=20,
    unique_by=lambda r: r[0],
)
SPANS = st.tuples(st.integers(0, 59), st.integers(1, 30), st.integers(0, 4))


def by_seconds(samples, corrections) -> list[int]:
    """The state of each of 60 seconds."""
    state, line = UNKNOWN, []
    known = {t: (UNKNOWN if q else s) for t, s, q in samples}
    for second in range(60):
        state = known.get(second, state)
        line.append(state)
    for start, length, number in corrections:
        for second in range(start, min(start + length, 60)):
            line[second] = number
    return line


@given(SAMPLES, st.lists(SPANS, max_size=6), st.integers(0, 58), st.integers(1, 60))
def test_a_timeline_is_that_of_every_second_with_corrections_in_turn(samples, spans, start, length):
    stop = min(start + length, 60)
    expected = by_seconds(samples, spans)[start:stop]

    async def found(folder: Path):
        async with press(folder) as made:
            if samples:
                await made.went(*samples)
            for a, n, number in spans:
                b = min(a + n, 60)
                await made.states.deeds.correct(SYSTEM, PRESS, a * S, b * S, state=NAMES[number])
            return await made.states.intervals.timeline(PRESS, start * S, stop * S)

    with tempfile.TemporaryDirectory() as folder:
        line = run(found(Path(folder)))
    assert (line.start_ns[0], line.stop_ns) == (start * S, stop * S)
    pairs = list(zip(line.state, line.reason, strict=True))
    assert all(a != b for a, b in itertools.pairwise(pairs))
    seconds = [
        int(state)
        for state, a, b in zip(line.state, line.start_ns // S, line.ends_ns // S, strict=True)
        for _ in range(a, b)
    ]
    assert seconds == expected
    codes = [line.reasons[r] for r in line.reason]
    assert codes == ["L-1" if s >= 0 and NAMES[s] == "waits" else "" for s in line.state]


@given(SAMPLES, st.integers(0, 59), st.integers(1, 59))
def test_a_span_of_any_width_tells_the_same_of_its_ends(samples, start, length):
    """What lies outside of the span is known as it would be in a wider one."""
    stop = min(start + length, 60)

    async def found(folder: Path):
        async with press(folder) as made:
            if samples:
                await made.went(*samples)
            timeline = made.states.intervals.timeline
            return await timeline(PRESS, start * S, stop * S), await timeline(PRESS, 0, 100 * S)

    with tempfile.TemporaryDirectory() as folder:
        line, wide = run(found(Path(folder)))
    rows = list(zip(wide.start_ns.tolist(), wide.ends_ns.tolist(), strict=True))
    first = next(a for a, b in rows if a <= start * S < b)
    last = next(b for a, b in rows if a < stop * S <= b)
    if line.state[0] != UNKNOWN or first > 0:
        assert line.lasting_since_ns == first
    assert line.lasting_until_ns == (last if last < 100 * S else 100_000 * S)


@given(SAMPLES, st.integers(0, 59), st.integers(0, 8), st.integers(0, 8))
def test_a_reason_sticks_to_the_stop_that_overlaps_it_most(samples, at, before, after):
    """Late data come after the explanation; the reason is where most of the old stop is now."""
    late = [(max(at - before, 0), 0, 0), (at, 1, 0), (at + after + 1, 2, 0)]

    async def found(folder: Path):
        async with press(folder) as made:
            if samples:
                await made.went(*samples)
            whole = await made.states.intervals.whole(PRESS, at * S, at * S + 1)
            state = int(whole.laid.line.state[0])
            if state == UNKNOWN or not stands(UNIT_STATES[state]):
                return None
            (note,) = await made.states.deeds.explain(SYSTEM, PRESS, at * S, reason="M-1")
            await made.went(*late)
            return note, await made.states.intervals.timeline(PRESS, 0, 100_000 * S)

    with tempfile.TemporaryDirectory() as folder:
        got = run(found(Path(folder)))
    if got is None:
        return
    note, line = got
    shared = [
        min(b, note.stop_ns) - max(a, note.start_ns) if s >= 0 and stands(UNIT_STATES[s]) else 0
        for s, a, b in zip(line.state, line.start_ns, line.ends_ns, strict=True)
    ]
    where = [i for i, r in enumerate(line.reason) if line.reasons[r] == "M-1"]
    assert where == ([shared.index(max(shared))] if max(shared) > 0 else [])


UNIT_STATES = states_of(UNIT)


async def test_the_stretches_of_a_day_add_up_to_the_day(tmp_path):
    async with press(tmp_path) as made:
        await made.went((0, 0), (600, 1), (900, 0), (86_400, 4))
        line = await made.states.intervals.timeline(PRESS, 0, 86_400 * S)
        sums = dict.fromkeys((s.name for s in line.states), 0)
        for state, start, end in zip(line.state, line.start_ns, line.ends_ns, strict=True):
            sums[line.states[state].name] += int(end - start) // S
        assert {n: t for n, t in sums.items() if t} == {"running": 86_100, "fault": 300}
