"""What an evaluator gives depends on the samples, and on nothing else."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.operations.expressions.histories import (
    BAD,
    EXPRESSIONS,
    GOOD,
    S,
    columns,
    histories,
)
from tests.operations.expressions.written import NAMES, one_sample

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions import evaluator as evaluator_module
from lineshaft.operations.expressions.evaluator import State
from lineshaft.operations.expressions.expression import compile_expression
from lineshaft.operations.expressions.tails import samples_of

grids = st.sampled_from([0, S // 2, S, 3 * S])
FOREVER = 2**62


def compiled(text, every_ns=None):
    return compile_expression(text, NAMES, every_ns=every_ns)


def short_names(expression):
    return [p.path.removeprefix("hall/") for p in expression.inputs]


def same(left, right):
    assert left.time_ns.tolist() == right.time_ns.tolist()
    assert left.quality.tolist() == right.quality.tolist()
    assert list(map(repr, left.values.tolist())) == list(map(repr, right.values.tolist()))


def together(results):
    parts = list(zip(*[(r.time_ns, r.values, r.quality) for r in results], strict=True))
    return results[0]._replace(
        time_ns=np.concatenate(parts[0]),
        values=np.concatenate(parts[1]),
        quality=np.concatenate(parts[2]),
    )


def streamed(expression, arrivals, cuts, lateness_ns, *, restarts=False):
    """Push the arrivals (name, time, value, quality), cut at some places."""
    evaluator = expression.evaluator(lateness_ns)
    found, late = [], []
    for start, stop in zip([0, *cuts], [*cuts, len(arrivals)], strict=True):
        rows = {}
        for name, *sample in arrivals[start:stop]:
            rows.setdefault(name, []).append(tuple(sample))
        found.append(evaluator.push(columns(rows)))
        late += found[-1].late
        if restarts:
            state = msgspec.json.decode(msgspec.json.encode(evaluator.save()), type=State)
            evaluator = expression.evaluator(lateness_ns)
            evaluator.restore(state)
    found.append(evaluator.finish())
    return together(found), late


@st.composite
def runs(draw, texts=EXPRESSIONS):
    """An expression, its history, and one way in which that may arrive."""
    expression = compiled(draw(st.sampled_from(texts)), draw(grids))
    rows = draw(histories())
    rows = {n: rows[n] for n in short_names(expression)}
    samples = sorted((t, n, v, q) for n, found in rows.items() for t, v, q in found)
    lateness = draw(st.integers(1, 5 * S))
    delays = draw(
        st.lists(st.integers(0, lateness - 1), min_size=len(samples), max_size=len(samples))
    )
    order = sorted(range(len(samples)), key=lambda i: samples[i][0] + delays[i])
    arrivals = [(samples[i][1], samples[i][0], *samples[i][2:]) for i in order]
    cuts = sorted(draw(st.lists(st.integers(0, len(samples)), max_size=8)))
    return expression, rows, arrivals, cuts, lateness


@settings(max_examples=300)
@given(runs())
def test_rows_depend_neither_on_batches_nor_on_the_order_within_the_lateness(run):
    expression, rows, arrivals, cuts, lateness = run
    whole = expression.over(columns(rows), -FOREVER, FOREVER)
    found, late = streamed(expression, arrivals, cuts, lateness)
    same(found, whole)
    assert not late


@settings(max_examples=100)
@given(runs())
def test_an_evaluator_goes_on_after_a_restart_as_if_there_had_been_none(run):
    expression, rows, arrivals, cuts, lateness = run
    found, _ = streamed(expression, arrivals, cuts, lateness, restarts=True)
    same(found, expression.over(columns(rows), -FOREVER, FOREVER))


@given(runs(), st.integers(0, 20 * S), st.integers(0, 20 * S))
def test_a_span_of_history_has_the_rows_of_all_of_it(run, one, other):
    expression, rows, *_ = run
    start, stop = sorted((one, other))
    whole = expression.over(columns(rows), -FOREVER, FOREVER)
    span = expression.over(columns(rows), start, stop)
    inside = (whole.time_ns >= start) & (whole.time_ns < stop)
    same(span, whole._replace(
        time_ns=whole.time_ns[inside], values=whole.values[inside], quality=whole.quality[inside]
    ))  # fmt: skip


@settings(max_examples=150)
@given(runs(), st.data())
def test_late_samples_tell_which_rows_have_to_be_computed_again(run, data):
    expression, rows, arrivals, *_ = run
    if not arrivals:
        return
    held_back = data.draw(st.integers(0, len(arrivals) - 1))
    name, time_ns, value, quality = arrivals[held_back]
    rest = arrivals[:held_back] + arrivals[held_back + 1 :]
    evaluator = expression.evaluator(0)
    before = [
        evaluator.push(columns({n: [(t, v, q)]})) for n, t, v, q in sorted(rest, key=lambda a: a[1])
    ]
    before.append(evaluator.finish())
    last = evaluator.push(columns({name: [(time_ns, value, quality)]}))
    whole = expression.over(columns(rows), -FOREVER, FOREVER)
    given_rows = together(before)
    old = dict(
        zip(
            given_rows.time_ns.tolist(),
            zip(map(repr, given_rows.values.tolist()), given_rows.quality.tolist(), strict=True),
            strict=True,
        )
    )
    new = dict(
        zip(
            whole.time_ns.tolist(),
            zip(map(repr, whole.values.tolist()), whole.quality.tolist(), strict=True),
            strict=True,
        )
    )
    differing = [
        t for t in new if t <= evaluator.until_ns and t not in last.time_ns and old.get(t) != new[t]
    ]
    inside = [t for t in differing if any(s.start_ns <= t < s.stop_ns for s in last.late)]
    # Only of one time can rows be without the sample: those sampled apart in one push.
    assert differing == inside


def test_the_last_of_equal_times_wins_and_a_repeat_is_nothing_new():
    expression = compiled("a + 0.0")
    evaluator = expression.evaluator(0)
    first = columns({"a": [(1, 1.0, GOOD), (1, 2.0, GOOD), (2, 3.0, GOOD)]})
    assert evaluator.push(first).values.tolist() == [2.0, 3.0]
    again = evaluator.push(columns({"a": [(2, 3.0, GOOD)]}))
    assert not again.late
    assert not len(again.time_ns)
    changed = evaluator.push(columns({"a": [(2, 4.0, GOOD)]}))
    assert [(s.path, s.start_ns, s.stop_ns) for s in changed.late] == [("hall/a", 2, 3)]


def test_rows_wait_for_the_slowest_source_until_it_is_known_to_be_silent():
    expression = compiled("a > b")
    evaluator = expression.evaluator(5)
    assert not len(evaluator.push(columns({"a": [(100, 1.0, GOOD)]})).time_ns)
    assert evaluator.push({}, heard_ns={"hall/b": 104}).time_ns.tolist() == []
    assert evaluator.push({}, heard_ns=105).time_ns.tolist() == [100]


def test_a_silent_plant_makes_a_condition_stale_and_long_when_its_clock_goes_on():
    stale = compiled("stale(a, '3s')", S).evaluator(0)
    stale.push({"hall/a": one_sample(0, 1.0)})
    found = stale.push({}, heard_ns=5 * S)
    assert found.values.tolist() == [False, False, True, True, True]
    lasting = compiled("duration(a > 0) >= duration('2s')", S).evaluator(0)
    lasting.push({"hall/a": one_sample(0, 1.0)})
    assert lasting.push({}, heard_ns=3 * S).values.tolist() == [False, True, True]


def test_memory_is_let_go_once_no_window_needs_it():
    evaluator = compiled("avg(a, '2s')", 0).evaluator(0)
    for second in range(100):
        evaluator.push({"hall/a": one_sample(second * S, 1.0)})
    assert len(evaluator.save().inputs["hall/a"].time) <= 4 * 8


def test_a_clock_that_runs_ahead_does_not_make_the_rest_late():
    evaluator = compiled("a > 1").evaluator(0)
    found = evaluator.push(columns({"a": [(1, 2.0, GOOD), (900, 2.0, GOOD)]}), newest_ns=500)
    assert (found.time_ns.tolist(), found.ahead) == ([1], 1)
    assert not evaluator.push(columns({"a": [(2, 2.0, GOOD)]})).late


def test_a_long_silence_is_told_in_pieces_that_miss_nothing(monkeypatch):
    monkeypatch.setattr(evaluator_module, "TICKS_MAX", 10)
    evaluator = compiled("duration(stale(a, '3s')) > duration('5s')", S).evaluator(0)
    found = [evaluator.push({"hall/a": one_sample(0, 1.0)})]
    found += [evaluator.push({}, heard_ns=95 * S) for _ in range(12)]
    assert max(len(f.time_ns) for f in found) == 10
    rows = together(found)
    assert rows.time_ns.tolist() == [n * S for n in range(96)]
    assert rows.values.tolist() == [n - 3 > 5 for n in range(96)]


def test_what_is_remembered_has_an_end_and_what_is_given_up_is_counted(monkeypatch):
    monkeypatch.setattr(evaluator_module, "TAIL_ROWS_MAX", 100)
    evaluator = compiled("sum(a, '1h')", 0).evaluator(0)
    samples = columns({"a": [(n, 1.0, GOOD) for n in range(130)]})
    found = evaluator.push(samples)
    assert found.dropped == 30
    assert found.values[-1] == 130
    assert evaluator.push(columns({"a": [(130, 1.0, GOOD)]})).values.tolist() == [101]


def test_columns_come_from_a_batch():
    rows = [("hall/a", 1, 2.5), ("hall/s", 1, "RUN"), ("hall/a", 2, None, BAD)]
    batch = Batch.of_rows(rows)
    found = compiled("a > 2 && s == 'RUN'").over(
        {path: samples_of(batch, path) for path in ("hall/a", "hall/s")}, 0, 10
    )
    assert found.values.tolist() == [True, False]
    assert found.quality.tolist() == [GOOD, BAD]


def test_long_integers_and_short_ones_of_a_point_are_numbers_side_by_side():
    batch = Batch.of_rows([("p", 1, 5), ("p", 2, 2**60), ("p", 3, None, 0x8000_0000), ("p", 4, -1)])
    found = compile_expression("x * 2.0", {"x": Point(path="p", kind=Kind.INTEGER)})
    evaluator = found.evaluator()
    done = evaluator.push({"p": samples_of(batch, "p")})
    good = done.quality < 0x8000_0000
    assert done.time_ns[good].tolist() == [1, 2, 4]
    assert done.values[good].tolist() == [10.0, 2.0**61, -2.0]


def test_a_state_of_another_expression_is_refused():
    state = compiled("a > 1").evaluator().save()
    with pytest.raises(Invalid, match="a > 1"):
        compiled("a > 2").evaluator().restore(state)


def test_a_path_that_is_no_input_is_refused():
    with pytest.raises(Invalid, match="hall/b"):
        compiled("a > 1").evaluator().push({"hall/b": one_sample(1, 1.0)})


def test_history_that_reaches_back_as_far_as_told_is_enough():
    expression = compiled("avg(avg(a, '2s') - delta(a, '3s'), '4s') > 0", S)
    assert expression.lookback_ns == 7 * S
    rows = [(n * S // 3, float(n % 7), GOOD) for n in range(120)]
    start = 30 * S
    first = max(t for t, _, _ in rows if t <= start - expression.lookback_ns)
    short = expression.over(columns({"a": [r for r in rows if r[0] >= first]}), start, FOREVER)
    same(short, expression.over(columns({"a": rows}), start, FOREVER))
