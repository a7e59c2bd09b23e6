"""Derived points stand in order, never in a circle, and late data touches all that is above."""

from graphlib import CycleError, TopologicalSorter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.operations.expressions.histories import S, columns, histories, tame
from tests.operations.expressions.written import NAMES

from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions.expression import compile_expression
from lineshaft.operations.expressions.graph import Graph, Touched
from lineshaft.operations.expressions.tails import Samples
from lineshaft.operations.expressions.tree import Type

points = st.sampled_from("abcdefgh")
edits = st.lists(st.tuples(points, st.lists(points, max_size=3), st.booleans()), max_size=30)


@given(edits)
def test_the_order_holds_and_circles_are_refused_whatever_was_changed(changes):
    graph, plain = Graph(), {}
    for path, reads, remove in changes:
        if remove:
            graph.remove(path)
            plain.pop(path, None)
            continue
        wanted = plain | {path: set(reads)}
        try:
            TopologicalSorter(wanted).prepare()
        except CycleError:
            with pytest.raises(Invalid, match=f"'{path}' would be made of itself"):
                graph.put(path, reads)
        else:
            graph.put(path, reads)
            plain = wanted
        order = graph.order()
        assert sorted(order) == sorted(plain)
        for derived, sources in plain.items():
            assert all(order.index(s) < order.index(derived) for s in sources if s in plain)


def test_a_circle_is_named():
    graph = Graph()
    graph.put("oee", ["availability", "quality"])
    graph.put("availability", ["running"])
    with pytest.raises(Invalid, match="oee → availability → running → oee") as caught:
        graph.put("running", ["oee"])
    assert caught.value.remedy
    assert "running" not in graph
    with pytest.raises(Invalid, match="x → x"):
        graph.put("x", ["x"])


def test_what_is_above_a_point_comes_in_order():
    graph = Graph()
    graph.put("c", ["b", "a"])
    graph.put("b", ["a"])
    graph.put("z", ["y"])
    assert graph.above(["a"]) == ["b", "c"]
    graph.put("b", ["y"])
    assert graph.above(["a"]) == ["c"]
    assert graph.above(["y"]) == ["b", "z", "c"]


def test_late_data_reaches_as_far_as_the_windows_above_it():
    graph = Graph()
    graph.put("mean", ["raw"], reach_ns=5)
    graph.put("alarm", ["mean", "limit"])
    graph.put("since", ["alarm"], reach_ns=None)
    graph.put("other", ["limit"])
    touched = graph.touched([Touched("raw", 10, 12)], 100)
    assert touched == [Touched("mean", 10, 17), Touched("alarm", 10, 17), Touched("since", 10, 100)]
    assert graph.touched([Touched("raw", 98, 200)], 100)[0] == Touched("mean", 98, 100)


KINDS = {Type.DOUBLE: Kind.NUMBER, Type.BOOL: Kind.BOOLEAN}
CHAIN = {
    "d": "avg(a, '2s')",
    "e": "d + b > 1",
    "f": "duration(e) > duration('1s')",
    "g": "delta(d, '3s') + c",
}


@given(histories(values=tame), st.sampled_from("abc"), st.integers(0, 20 * S), tame)
def test_rows_outside_the_touched_spans_stay_as_they_were(rows, name, time_ns, value):
    # The grid goes on for as long as samples come.
    rows = {n: [*rows[n], (60 * S, 1.0, 0)] for n in "abc"}
    late = [s for s in rows[name] if s[0] != time_ns] + [(time_ns, value, 0)]
    after = min((t for t, _, _ in rows[name] if t > time_ns), default=2**62)
    names = NAMES | {n: Point(path=f"hall/{n}") for n in "dg"}
    graph, compiled = Graph(), {}
    for derived, text in CHAIN.items():
        expression = compile_expression(text, names, every_ns=S // 2)
        names |= {derived: Point(path=f"hall/{derived}", kind=KINDS[expression.type])}
        compiled[derived] = expression
        reads = [p.path for p in expression.inputs]
        graph.put(f"hall/{derived}", reads, reach_ns=expression.reach_ns)
    before, now = made(compiled, rows), made(compiled, rows | {name: late})
    touched = graph.touched([Touched(f"hall/{name}", time_ns, after)], 2**62)
    spans = {t.path: t for t in touched}
    for derived in compiled:
        span = spans.get(f"hall/{derived}", Touched("", 0, 0))
        differing = [t for t in before[derived] if before[derived][t] != now[derived].get(t)]
        assert all(span.start_ns <= t < span.stop_ns for t in differing), derived


def made(compiled, rows):
    """All derived points, as what is shown at each time."""
    known = columns(rows)
    found = {}
    for derived, expression in compiled.items():
        result = expression.over({p.path: known[p.path] for p in expression.inputs}, 0, 2**62)
        known[f"hall/{derived}"] = Samples(
            result.time_ns, np.asarray(result.values, dtype=float), result.quality
        )
        shown = zip(map(repr, result.values.tolist()), result.quality.tolist(), strict=True)
        found[derived] = dict(zip(result.time_ns.tolist(), shown, strict=True))
    return found
