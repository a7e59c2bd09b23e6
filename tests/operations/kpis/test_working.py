"""Work in pieces, beside an account that is kept second by second."""

from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.operations.calendars.calendar import Spans
from lineshaft.operations.kpis.counting import Signal, counted
from lineshaft.operations.kpis.formulas import figures
from lineshaft.operations.kpis.losses import account, in_states, lost, pareto, stretches, waterfall
from lineshaft.operations.kpis.pieces import By, of_key, pieces
from lineshaft.operations.kpis.sums import SECOND_NS, Sums
from lineshaft.operations.kpis.working import Material, work
from lineshaft.operations.states.settings import StateRule, WorkUnit
from lineshaft.operations.states.timeline import Timeline

S = SECOND_NS
STATES = (
    StateRule(name="run", when="a", item="executing"),
    StateRule(name="setup", when="a", item="executing", mode="setup"),
    StateRule(name="jam", when="a", loss="own"),
    StateRule(name="starved", when="a", loss="outside"),
    StateRule(name="fault", when="a", item="not-available", failure=True, loss="own"),
    StateRule(name="service", when="a", mode="maintenance"),
    StateRule(name="repair", when="a", mode="maintenance", corrective=True, failure=True),
    StateRule(name="warm", when="a", item="executing", mode="none"),
)
NAMES = [s.name for s in STATES]
STOPS = {"jam", "starved", "fault", "warm"}
FAILS = {"fault", "repair"}
UNIT = WorkUnit(path="u", cycle_s=2.0, cycles={"A": 3.0, "B": 5.0}, micro_stop_s=4.0)


def runs(symbols):
    """(first seconds, symbols) of a list with one symbol a second."""
    starts = [i for i, v in enumerate(symbols) if i == 0 or v != symbols[i - 1]]
    return starts, [symbols[i] for i in starts]


def signal(values):
    starts, names = runs(values)
    known = {"": 0}
    codes = np.array([known.setdefault(n, len(known)) for n in names], dtype=np.int32)
    return Signal(np.array(starts, dtype=np.int64) * S, codes, tuple(known))


def timeline(states, reasons=None, unit=UNIT, since=0):
    pairs = list(zip(states, reasons or [""] * len(states), strict=True))
    starts, kinds = runs(pairs)
    codes = {"": 0}
    return Timeline(
        unit=unit,
        start_ns=np.array(starts, dtype=np.int64) * S,
        stop_ns=len(states) * S,
        state=np.array([NAMES.index(k) if k else -1 for k, _ in kinds], dtype=np.int32),
        states=STATES,
        reason=np.array([codes.setdefault(r, len(codes)) for _, r in kinds], dtype=np.int32),
        reasons=tuple(codes),
        corrected=np.zeros(len(starts), dtype=np.bool_),
        lasting_since_ns=since,
        lasting_until_ns=len(states) * S,
    )


def calendar(plan):
    """`plan`: one of off, day, DAY (a break in it), late a second."""
    starts, kinds = runs(plan)
    names = ("", "day", "late")
    return Spans(
        start_ns=np.array(starts, dtype=np.int64) * S,
        stop_ns=np.array([*starts[1:], len(plan)], dtype=np.int64) * S,
        planned=np.array([k != "off" for k in kinds]),
        busy=np.array([k in ("day", "late") for k in kinds]),
        shift=np.array(
            [names.index(k.lower()) if k != "off" else 0 for k in kinds], dtype=np.int32
        ),
        day=np.array([20_000 + s // 40 for s in starts], dtype=np.int32),
        shifts=names,
    )


def steps(values):
    """A counter read each second, from second 0 on; the rise at second i is `values[i - 1]`."""
    total = np.cumsum([1000.0, *values])
    return counted(np.arange(len(total), dtype=np.int64) * S, total)


seconds = 80
lines = st.lists(
    st.tuples(st.sampled_from([*NAMES, ""]), st.integers(1, 12)), min_size=1, max_size=30
).map(lambda parts: [n for name, k in parts for n in [name] * k][:seconds])


def long(values, words):
    return st.lists(
        st.tuples(st.sampled_from(words), st.integers(1, values)), min_size=20, max_size=60
    ).map(lambda parts: ([w for word, k in parts for w in [word] * k] * seconds)[:seconds])


materials = st.tuples(
    lines,
    long(15, ["off", "day", "DAY", "late"]),
    long(30, ["", "o1", "o2"]),
    long(30, ["", "A", "B", "C"]),
    st.lists(st.integers(0, 3), min_size=seconds, max_size=seconds),
    st.lists(st.integers(0, 2), min_size=seconds, max_size=seconds),
)


def made_of(drawn):
    states, plan, orders, products, good, scrap = drawn
    n = len(states)
    return work(
        Material(
            timeline=timeline(states),
            spans=calendar(plan),
            order=signal(orders),
            product=signal(products),
            counters={"good": steps(good[:n]), "scrap": steps(scrap[:n])},
        )
    )


def by_second(drawn):  # noqa: C901 - one long account
    """One row a second: what it counts as, worked out without the code under test."""
    states, plan, orders, products, good, scrap = drawn
    rows, i = [], 0
    length = {}
    while i < len(states):
        j = i
        while j < len(states) and (states[j] in STOPS) == (states[i] in STOPS):
            j += 1
        failed = any(s in FAILS for s in states[i:j])
        for k in range(i, j):
            length[k] = (j - i, failed, i)
        i = j
    for t, state in enumerate(states):
        shift = plan[t]
        if shift == "off":
            element = "off"
        elif state == "service":
            element = "apmt"
        elif state == "repair":
            element = "acmt"
        elif shift == "DAY":
            element = "pdot"
        elif state == "":
            element = "unknown"
        elif state in ("run", "setup"):
            element = {"run": "apt", "setup": "aust"}[state]
        else:
            element = "adet" if orders[t] else "adot"
        lasts, failed, _ = length[t]
        micro = element == "adet" and lasts < UNIT.micro_stop_s and not failed
        rows.append(
            {
                "element": "apt" if micro else element,
                "micro": micro,
                "shift": shift,
                "order": orders[t],
                "product": products[t],
                "state": state,
                "good": good[t],
                "scrap": scrap[t],
                "pri": UNIT.cycles.get(products[t], UNIT.cycle_s),
            }
        )
    return rows


@settings(deadline=None, max_examples=200)
@given(materials)
def test_every_sum_is_that_of_an_account_kept_by_the_second(drawn):
    rows = by_second(drawn)
    found = work_whole(made_of(drawn))
    time = {
        e: sum(r["element"] == e for r in rows) * S
        for e in ("apt", "aust", "adet", "adot", "apmt", "acmt", "unknown", "off")
    }
    assert {e: getattr(found, e) for e in time} == time
    breaks = sum(r["element"] == "pdot" for r in rows)
    repaired_in_breaks = sum(r["element"] == "acmt" and r["shift"] == "DAY" for r in rows)
    assert found.pdot == (breaks + repaired_in_breaks) * S + time["apmt"]
    assert found.pot == sum(r["shift"] != "off" for r in rows) * S
    assert found.micro == sum(r["micro"] for r in rows) * S
    assert found.gq == sum(r["good"] for r in rows)
    assert found.sq == sum(r["scrap"] for r in rows)
    assert found.pq == found.gq + found.sq
    assert found.ideal == sum(r["pri"] * (r["good"] + r["scrap"]) for r in rows) * S
    assert found.unplanned_pq == sum(r["good"] + r["scrap"] for r in rows if r["shift"] == "off")
    assert found.ttr == sum(r["state"] in FAILS and r["shift"] != "off" for r in rows) * S
    begins = [
        t
        for t, r in enumerate(rows)
        if r["state"] in FAILS and (t == 0 or rows[t - 1]["state"] not in FAILS)
    ]
    assert found.failures == len(begins)


@settings(deadline=None, max_examples=200)
@given(materials, st.sampled_from(By))
def test_times_are_nested_and_nothing_is_lost(drawn, by):
    for piece in pieces(made_of(drawn), by):
        s = piece.sums
        assert s.pot >= s.pbt >= s.aubt >= s.aupt >= s.apt >= s.micro >= 0
        assert s.pbt == s.aubt + s.adot + s.acmt_in_pbt + s.unknown


@settings(deadline=None, max_examples=100)
@given(materials, st.sampled_from(By))
def test_pieces_add_up_to_the_whole(drawn, by):
    made = made_of(drawn)
    cut = pieces(made, by)
    assert sum((p.sums for p in cut), Sums()) == work_whole(made)
    assert len({p.key for p in cut}) == len(cut)
    atoms = sum(of_key(made, by, p.key).astype(int) for p in cut)
    assert (atoms == 1).all()


@settings(deadline=None, max_examples=100)
@given(materials)
def test_oee_times_planned_busy_time_is_what_good_parts_should_have_taken(drawn):
    made = made_of(drawn)
    rows = by_second(drawn)
    for piece in pieces(made, By.SHIFT):
        oee = figures(piece.sums)["oee"]
        if oee.value is None:
            continue
        shift = piece.key.shift
        day = [
            r
            for t, r in enumerate(rows)
            if r["shift"].lower() == shift
            and piece.start_ns <= t * S < piece.stop_ns
            and day_of(drawn[1], t) == piece.key.day
        ]
        exact = sum(Fraction(r["pri"]) * r["good"] for r in day) * S
        assert Fraction(oee.above) / Fraction(oee.below) * piece.sums.pbt == exact


def day_of(plan, second):
    start = max(i for i in runs(plan)[0] if i <= second)
    return np.datetime_as_string(np.datetime64(20_000 + start // 40, "D"))


@settings(deadline=None, max_examples=100)
@given(materials)
def test_losses_fall_from_planned_busy_time_to_oee_time(drawn):
    made = made_of(drawn)
    s = work_whole(made)
    falls = {f.name: f for f in waterfall([account(made)])}
    assert falls["pbt"].ns == s.pbt
    assert falls["setup"].left_ns == falls["apt"].ns == s.apt
    assert falls["speed"].left_ns == falls["ideal"].ns
    assert falls["scrap"].left_ns == falls["oee"].ns == round(s.ideal_good)
    causes = pareto(lost(made))
    assert sum(c.ns for c in causes) == s.adet + s.adot + s.acmt_in_pbt
    assert [c.ns for c in causes] == sorted((c.ns for c in causes), reverse=True)
    assert sum(i.ns for i in in_states(made)) == s.pot


@settings(deadline=None, max_examples=100)
@given(materials)
def test_stretches_tell_the_whole_account(drawn):
    made = made_of(drawn)
    rows = by_second(drawn)
    told = [""] * len(rows)
    for s in stretches(made, np.ones(len(made.start_ns), dtype=bool)):
        for t in range(s.start_ns // S, s.stop_ns // S):
            told[t] = (s.element, s.micro, s.state, s.order, s.product)
    keys = ("element", "micro", "state", "order", "product")
    assert told == [tuple(r[k] for k in keys) for r in rows]


def work_whole(made):
    (piece,) = pieces(made, By.WHOLE)
    return piece.sums


def simple(states, *, reasons=None, unit=UNIT, plan=None, since=0, **counters):
    spans = calendar(plan or ["day"] * len(states))
    return work(
        Material(timeline=timeline(states, reasons, unit, since), spans=spans, counters=counters)
    )


def test_a_stop_is_measured_whole_and_then_cut_by_the_calendar():
    # Ten seconds of jam, of which only the last two lie in the shift: no micro-stop.
    states = ["run"] * 5 + ["jam"] * 10 + ["run"] * 5
    found = work_whole(simple(states, plan=["off"] * 13 + ["day"] * 7))
    assert (found.adet, found.apt, found.micro) == (2 * S, 5 * S, 0)


def test_a_stop_that_began_before_the_span_is_as_long_as_it_was():
    found = work_whole(simple(["jam"] * 3 + ["run"] * 5))
    assert (found.micro, found.micro_stops, found.stops) == (3 * S, 1, 0)
    unit = timeline(["jam"] * 3 + ["run"] * 5)
    later = msgspec.structs.replace(
        unit,
        start_ns=unit.start_ns + 10 * S,
        stop_ns=18 * S,
        lasting_since_ns=S,
        lasting_until_ns=18 * S,
    )
    made = work(Material(timeline=later, spans=calendar(["day"] * 30)))
    assert (work_whole(made).adet, work_whole(made).micro) == (3 * S, 0)


def test_two_short_states_of_one_standstill_are_one_stop_of_their_length():
    made = simple(["run"] * 3 + ["jam"] * 3 + ["starved"] * 3 + ["run"])
    assert (work_whole(made).micro, work_whole(made).stops) == (0, 1)
    causes = {c.state: (c.ns, c.loss) for c in pareto(lost(made))}
    assert causes == {"jam": (3 * S, "own"), "starved": (3 * S, "outside")}


def test_a_short_failure_is_a_stop():
    found = work_whole(simple(["run"] * 3 + ["fault"] * 2 + ["run"]))
    assert (found.micro, found.adet, found.failures) == (0, 2 * S, 1)


def test_mean_times_between_failures_come_in_both_variants():
    # Two failures: 2 s with the repair of 3 s, then 4 s; 15 s of operation.
    states = (
        ["run"] * 5 + ["fault"] * 2 + ["repair"] * 3 + ["run"] * 6 + ["fault"] * 4 + ["run"] * 4
    )
    found = work_whole(simple(states))
    f = figures(found)
    assert (found.failures, found.ttr, found.ttf) == (2, 9 * S, 15 * S)
    seconds_of = {n: f[n].value * 3600 for n in f if n.startswith("mt")}
    assert seconds_of == pytest.approx(
        {
            "mtbf_iso_22400": 24 / 3,
            "mtbf_semi_e10": 24 / 2,
            "mttf_iso_22400": 15 / 3,
            "mttf_semi_e10": 15 / 2,
            "mttr_iso_22400": 9 / 3,
            "mttr_semi_e10": 9 / 2,
        }
    )


def test_a_failure_that_lasts_since_before_the_span_is_not_counted_again():
    line = timeline(["fault"] * 6 + ["run"] * 2)
    later = msgspec.structs.replace(
        line,
        start_ns=line.start_ns + 10 * S,
        stop_ns=18 * S,
        lasting_since_ns=4 * S,
        lasting_until_ns=18 * S,
    )
    made = work(Material(timeline=later, spans=calendar(["day"] * 30)))
    assert (work_whole(made).failures, work_whole(made).ttr) == (0, 6 * S)


def test_reasons_go_by_their_code_whatever_the_state():
    states = ["run"] + ["jam"] * 6 + ["run"] + ["starved"] * 5 + ["run"] + ["jam"] * 7
    reasons = ["", *["M-1"] * 6, "", *["M-1"] * 5, "", *[""] * 7]
    causes = [
        (c.reason, c.state, c.ns // S, c.stops)
        for c in pareto(lost(simple(states, reasons=reasons)))
    ]
    assert causes == [("", "jam", 7, 1), ("M-1", "jam", 6, 1), ("M-1", "starved", 5, 1)]


def test_a_sample_at_the_end_of_a_shift_counts_in_it():
    plan = ["day"] * 10 + ["late"] * 10
    counter = counted(np.array([0, 10, 11, 20]) * S, np.array([0.0, 4.0, 5.0, 9.0]))
    cut = pieces(simple(["run"] * 20, plan=plan, good=counter), By.SHIFT)
    assert [(p.key.shift, p.sums.gq) for p in cut] == [("day", 4.0), ("late", 5.0)]


def test_quantities_follow_from_the_counters_that_there_are():
    ten, three, one = (steps([n]) for n in (10, 3, 1))
    states = ["run"]

    def sums(**counters):
        s = work_whole(simple(states, **counters))
        return s.pq, s.gq, s.sq, s.rq

    assert sums(made=ten, scrap=three) == (10, 7, 3, 0)
    assert sums(made=ten, scrap=three, rework=one) == (10, 6, 3, 1)
    assert sums(made=ten, good=three, rework=one) == (10, 3, 6, 1)
    assert sums(good=ten, scrap=three) == (13, 10, 3, 0)
    assert sums(made=ten) == (10, 10, 0, 0)
    assert sums() == (0, 0, 0, 0)


def test_too_fast_is_flagged_and_not_clipped():
    found = figures(work_whole(simple(["run"] * 4, good=steps([1, 1, 1, 1]))))
    assert (found["effectiveness"].value, found["effectiveness"].doubtful) == (2.0, True)


def test_of_a_span_that_lies_ahead_there_is_nothing():
    line = msgspec.structs.replace(
        timeline(["run"]),
        start_ns=np.zeros(0, np.int64),
        stop_ns=0,
        state=np.zeros(0, np.int32),
        reason=np.zeros(0, np.int32),
        corrected=np.zeros(0, np.bool_),
    )
    made = work(Material(timeline=line, spans=calendar(["day"])))
    assert pieces(made, By.SHIFT) == []
    assert waterfall([account(made)])[-1].ns == 0
    assert (lost(made), in_states(made)) == ([], [])
