"""Rows made one by one have every bit of those that columns make."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.operations.expressions.histories import S, columns, histories, qualities
from tests.operations.expressions.test_streams import FOREVER, compiled, same, short_names, together

nasty = (
    st.floats(-1e3, 1e3)
    | st.floats()
    | st.sampled_from([0.0, -0.0, 5e-324, 1.7e308, -1.7e308, 1e16, 0.1, 2.0**-60])
)
EXPRESSIONS = [
    "a > 2.0 && p || s == 'RUN'",
    "p ? a / b : c",
    "a * b + c",
    "a % b",
    "has(a) ? -a : abs(b)",
    "!(a == b) || !has(p)",
    "abs(a - b) > 5.0 && c < 100.0",
    "avg(a, '3s')",
    "avg(a, '4s') / sum(b, '2s') > 1 || count(a, '2s') > 2",
    "sum(a, '5s') - sum(a, '1s')",
    "min(a, '3s') + max(b, '1s')",
    "delta(a, '2s')",
    "rate(a, '1500ms') * 60",
    "stale(a, '2s') && !stale(b, '1s')",
    "duration(a > b && p) > duration('1s')",
    "duration(s != 'RUN') > duration('2s') || rate(a, '2s') > 3",
]


@st.composite
def steps(draw):
    """Samples in the order of time: of some inputs a new one, at one time or within a second."""
    names = ("a", "b", "c", "p", "s")
    found, time_ns = [], 0
    for _ in range(draw(st.integers(1, 15))):
        time_ns += draw(st.integers(1, 3 * S) | st.just(S))
        step = {}
        for name in draw(st.lists(st.sampled_from(names), min_size=1, unique=True)):
            value = draw(
                {"p": st.booleans(), "s": st.sampled_from(["RUN", "STOP"])}.get(name, nasty)
            )
            step[name] = [(time_ns, value, draw(qualities))]
        found.append(step)
    return found


@settings(max_examples=120)
@given(st.sampled_from(EXPRESSIONS), steps(), st.sampled_from([0, S // 2, S]), st.booleans())
def test_rows_one_by_one_are_those_of_columns(text, steps, every_ns, looks):
    expression = compiled(text, every_ns)
    wanted = short_names(expression)
    rows = {n: [r for step in steps for r in step.get(n, ())] for n in wanted}
    whole = expression.over(columns(rows), -FOREVER, FOREVER)
    evaluator = expression.evaluator(0)
    found = []
    for step in steps:
        found.append(evaluator.push(columns(step, wanted)))
        time_ns = next(iter(step.values()))[0][0]
        found.append(evaluator.push({}, heard_ns=time_ns))
        if looks:
            evaluator.look()
    found.append(evaluator.finish())
    until = max(r[-1][0] for r in rows.values() if r) if any(rows.values()) else 0
    came = together(found)
    kept = came.time_ns <= until
    same(came._replace(**{n: getattr(came, n)[kept] for n in ("time_ns", "values", "quality")}),
         whole)  # fmt: skip


@settings(max_examples=50)
@given(st.sampled_from(EXPRESSIONS), histories(nasty))
def test_what_an_evaluator_knows_is_the_same_after_rows_one_by_one(text, rows):
    expression = compiled(text)
    wanted = short_names(expression)
    arrivals = sorted((r[0], n, r) for n in wanted for r in rows[n])
    one, other = expression.evaluator(0), expression.evaluator(0)
    for _, name, row in arrivals:
        samples = columns({name: [row]})
        same(one.push(samples), other.push(samples))
        other.save()  # has columns know all
    assert one.save() == other.save()


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_these_expressions_are_taken_row_by_row(text):
    expression = compiled(text)
    evaluator = expression.evaluator(0)
    for second in range(3):
        rows = {n: [(second * S, True if n == "p" else "RUN" if n == "s" else 1.5, 0)]
                for n in short_names(expression)}  # fmt: skip
        evaluator.push(columns(rows))
    few = {n: ([4 * S], ["RUN" if p.path.endswith("/s") else 1.0], [0])
           for n, p in enumerate(expression.inputs)}  # fmt: skip
    rows = evaluator.push_few(few)
    assert rows is not None
    assert rows[-1].time_ns == 4 * S


def test_a_long_stream_is_let_go_of_and_gives_the_same():
    expression = compiled("avg(a, '5s') > 0.1 && duration(b > 0) < duration('9s')")
    chance = np.random.default_rng(1)
    values = {n: chance.normal(0, 1, 2_000) for n in "ab"}
    rows = {n: [(t * S, float(v), 0) for t, v in enumerate(values[n])] for n in "ab"}
    evaluator = expression.evaluator(0)
    found = [evaluator.push(columns({n: rows[n][t : t + 1] for n in "ab"})) for t in range(2_000)]
    same(together([*found, evaluator.finish()]), expression.over(columns(rows), 0, FOREVER))
    assert all(len(i.time) < 20 * 8 for i in evaluator.save().inputs.values())


@pytest.mark.parametrize("function", ["avg", "sum", "stddev", "min", "max"])
def test_many_windows_at_once_are_those_of_small_batches(function):
    expression = compiled(f"{function}(a, '9s')", 0)
    chance = np.random.default_rng(2)
    n = 40_000
    times = np.cumsum(chance.integers(1, S, n))
    rows = columns({"a": []})["hall/a"]._replace(
        time_ns=times,
        values=chance.normal(0, 1, n) * 10.0 ** chance.integers(-9, 9, n),
        quality=np.where(chance.random(n) < 0.1, 0x8031_0000, 0).astype(np.uint32),
    )
    evaluator = expression.evaluator(0)
    found = [
        evaluator.push({"hall/a": rows._replace(**{f: getattr(rows, f)[i : i + 500]
                        for f in rows._fields})})
        for i in range(0, n, 500)
    ]  # fmt: skip
    same(together([*found, evaluator.finish()]), expression.over({"hall/a": rows}, 0, FOREVER))
