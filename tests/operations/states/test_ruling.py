"""Reasons that stops are given by rules."""

import httpx
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.operations.states.lines import (
    FAULT,
    PRESS,
    REASONS,
    RUN,
    SETUP,
    UNIT,
    WAIT,
    S,
    press,
    story,
)
from tests.twins.living.plants import plant, until

from lineshaft.core.access import SYSTEM
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.core.quality import Quality
from lineshaft.operations.derived.definition import compiled
from lineshaft.operations.expressions.columns import BAD
from lineshaft.operations.states.checking import check_work_units
from lineshaft.operations.states.ruling import (
    Ruling,
    definition_of_rules,
    numbered,
    reason_point,
    rules_for,
)
from lineshaft.operations.states.settings import ReasonRule
from lineshaft.operations.states.stretches import of_samples

DIE = ReasonRule(name="die sensor", when="die_ok == 0", code="M-1", within_s=20)
OIL = ReasonRule(name="oil pressure", when="oil < 2", code="M-2")
RULES = (DIE, OIL)
POINT = reason_point(PRESS)


async def held(made, *rows: tuple) -> None:
    """Which rule held from which second on."""
    await made.store.append(story(*rows, point=POINT))


async def reasons(made, start_s: float, stop_s: float) -> list[tuple]:
    """Start, reason and rule of each stop."""
    found = await made.stops(int(start_s * S), int(stop_s * S))
    return [(s.start_ns // S, s.reason, s.rule) for s in found]


async def test_a_stop_has_the_reason_of_the_rule_that_holds_at_its_start_or_soon_after(tmp_path):
    async with press(tmp_path, rules=RULES) as made:
        await made.went((0, RUN), (100, FAULT), (200, RUN), (300, FAULT), (400, RUN), (500, FAULT))
        await held(made, (90, 2), (150, 1), (210, 0), (312, 2), (313, 1), (330, 0), (521, 1))
        # 312 is too late for the second rule, 313 in time for the first, 521 for none.
        assert await reasons(made, 0, 600) == [
            (100, "M-2", "oil pressure"),
            (300, "M-1", "die sensor"),
            (500, "", ""),
        ]
        assert [r for _, _, r in await made.stretches(0, 600)] == ["", "M-2", "", "M-1", "", ""]


async def test_rules_say_nothing_of_set_up_or_running_and_more_than_the_state_itself(tmp_path):
    async with press(tmp_path, rules=RULES) as made:
        await made.went((0, RUN), (100, SETUP), (200, WAIT), (300, RUN), (400, WAIT))
        await held(made, (50, 1), (350, 0))
        assert await reasons(made, 0, 500) == [
            (100, "", ""),
            (200, "M-1", "die sensor"),
            (400, "L-1", ""),
        ]


async def test_people_count_more_and_what_they_take_back_gives_way_to_the_rule(tmp_path):
    async with press(tmp_path, rules=RULES) as made:
        await made.went((0, RUN), (100, FAULT), (200, RUN))
        await held(made, (100, 1))
        (note,) = await made.states.deeds.explain(SYSTEM, PRESS, 150 * S, reason="M-2")
        assert note.before == "M-1"
        assert await reasons(made, 0, 300) == [(100, "M-2", "")]
        await made.states.deeds.withdraw(SYSTEM, note.id)
        assert await reasons(made, 0, 300) == [(100, "M-1", "die sensor")]
        await made.states.deeds.explain(SYSTEM, PRESS, 130 * S, stop_ns=160 * S, reason="M-2")
        assert await reasons(made, 0, 300) == [
            (100, "M-1", "die sensor"),
            (130, "M-2", ""),
            (160, "M-1", "die sensor"),
        ]


async def test_a_stop_that_a_person_has_made_has_the_reason_of_its_rule(tmp_path):
    async with press(tmp_path, rules=RULES) as made:
        await made.went((0, RUN))
        await held(made, (10, 0), (100, 2))
        await made.states.deeds.correct(SYSTEM, PRESS, 95 * S, 200 * S, state="fault")
        assert await reasons(made, 0, 300) == [(95, "M-2", "oil pressure")]


async def test_what_is_not_known_gives_no_reason(tmp_path):
    async with press(tmp_path, rules=RULES) as made:
        await made.went((0, RUN), (100, FAULT), (200, RUN))
        await held(made, (50, 1), (90, 1, Quality.BAD_NO_COMMUNICATION), (150, 0))
        assert await reasons(made, 0, 300) == [(100, "", "")]


async def test_several_units_at_once_have_the_same_reasons(tmp_path):
    async with press(tmp_path, rules=RULES) as made:
        await made.went((0, RUN), (100, FAULT), (200, RUN))
        await held(made, (100, 1))
        (line,) = await made.states.intervals.timelines([PRESS], 0, 300 * S)
        assert [line.reasons[r] for r in line.reason] == ["", "M-1", ""]


async def test_the_board_tells_the_reason_as_soon_as_its_rule_holds(tmp_path):
    async with press(tmp_path, rules=RULES) as made:
        made.clock.now = 100_000 * S
        await made.went((99_000, RUN), (99_990, FAULT))
        assert (await made.states.board.view(PRESS)).reason == ""
        await held(made, (99_995, 1))
        await made.states.follower.take(story((99_995, 1), point=POINT))
        view = await made.states.board.view(PRESS)
        assert (view.reason, view.rule, view.unexplained) == ("M-1", "die sensor", 0)


async def test_a_rule_keeps_its_number_and_history_its_meaning(tmp_path):
    async with press(tmp_path, rules=RULES) as made:
        await made.went((0, RUN), (100, FAULT), (200, RUN))
        await held(made, (100, 2), (150, 0))
        new = ReasonRule(name="guard", when="guard == 1", code="M-1")
        await made.states.reload((UNIT,), REASONS, (new, DIE))
        assert [r.name for r in made.states.units.find(PRESS).rules] == [
            "die sensor",
            "oil pressure",
            "guard",
        ]
        assert await reasons(made, 0, 300) == [(100, "M-2", "oil pressure")]
        await made.states.reload((UNIT,), REASONS, ())
        assert await reasons(made, 0, 300) == [(100, "M-2", "oil pressure")]


def test_what_a_rule_cannot_know_does_not_hide_the_rules_behind_it():
    made = definition_of_rules(UNIT, RULES, numbered(RULES))
    points = {n: Point(path=f"{PRESS}/{n}") for n in ("die_ok", "oil")}
    rule = compiled(made, lambda p: points.get(p.removeprefix(f"{PRESS}/"))).expression
    time_ns = np.array([1, 2, 3], dtype=np.int64)
    rows = Batch.of(
        [f"{PRESS}/die_ok", f"{PRESS}/oil"],
        np.array([0, 0, 0, 1, 1, 1], dtype=np.int32),
        np.concatenate((time_ns, time_ns)),
        number=np.array([1.0, 0.0, 0.0, 1.0, 1.0, 5.0]),
        quality=np.array([0, BAD, 0, 0, 0, 0], dtype=np.uint32),
    )
    assert over(rule, rows) == [2.0, 2.0, 1.0]


def test_where_no_rule_is_left_it_says_so_from_then_on():
    made = definition_of_rules(UNIT, (), RULES)
    state = Point(path=f"{PRESS}/work_state", kind=Kind.ENUM)
    rule = compiled(made, lambda p: state if p == state.path else None).expression
    rows = story((1, RUN), (2, FAULT, Quality.BAD))
    assert over(rule, rows) == [0.0, 0.0]
    assert definition_of_rules(UNIT, (), ()) is None


def over(rule, rows: Batch) -> list[float]:
    from lineshaft.operations.derived.rows import columns_of  # noqa: PLC0415

    found = rule.over(columns_of(rows, {p.path for p in rule.inputs}), 0, 2**62)
    assert (found.quality < BAD).all()
    return found.values.tolist()


def test_rules_hold_in_their_branches():
    near = msgspec.structs.replace(DIE, units=("acme/hall",))
    far = msgspec.structs.replace(OIL, units=("acme/hal", "acme/hall/pressing"))
    assert rules_for(PRESS, (far, near)) == (near,)
    assert rules_for(PRESS, (OIL, DIE)) == (OIL, DIE)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"code": "X-9"}, "gives the reason 'X-9', which no table"),
        ({"name": " "}, "is empty, too long or stands twice"),
        ({"name": OIL.name}, "is empty, too long or stands twice"),
        ({"when": "die_ok =="}, "reason rule 'die sensor'"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule, told):
    with pytest.raises(Invalid, match=told):
        check_work_units([UNIT], REASONS, [msgspec.structs.replace(DIE, **rule), OIL])


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from([RUN, FAULT, SETUP])), max_size=12),
    st.lists(st.tuples(st.integers(0, 60), st.integers(-1, 2)), max_size=12),
    st.tuples(st.integers(0, 15), st.integers(0, 15)),
)
def test_the_first_that_holds_in_time_counts(states, held, within):
    states, held = sorted(dict(states).items()), sorted(dict(held).items())
    rules = tuple(
        msgspec.structs.replace(r, within_s=float(w)) for r, w in zip(RULES, within, strict=True)
    )
    line = of_samples(
        np.array([t * S for t, _ in states], dtype=np.int64),
        np.array([s for _, s in states], dtype=np.int32),
        0,
        70 * S,
    )
    ruling = Ruling(
        np.array([t * S for t, _ in held], dtype=np.int64),
        np.array([n for _, n in held], dtype=np.int32),
        rules,
    )
    found = ruling.of_stops(line, UNIT.states)

    def by_hand(start: int, stop: int) -> int:
        now = [n for t, n in held if t <= start][-1:]
        if now and now[0] > 0:
            return now[0]
        later = [n for t, n in held if start < t < stop and n > 0 and t <= start + within[n - 1]]
        return later[0] if later else 0

    ends = line.ends_ns // S
    for start, stop, state, rule in zip(line.start_ns // S, ends, line.state, found, strict=True):
        assert rule == (by_hand(int(start), int(stop)) if state == FAULT else 0)


TABLES = """
[[work_units]]
path = "acme/saw"
[[work_units.states]]
name = "running"
when = "motor == 1"
item = "executing"
[[reasons]]
code = "M-1"
text = "Blade broken"
[[reason_rules]]
name = "blade watch"
when = "work_state == 'stopped' && blade == 0"
code = "M-1"
within_s = 5
"""


async def rows_of(made, start_ns: int, *rows: tuple) -> None:
    """Seconds since the start, name of the point, value."""
    await made.spine.publish(
        "data.test", Batch.of_rows([(f"acme/saw/{n}", start_ns + t * S, v) for t, n, v in rows])
    )


async def test_a_plant_gives_reasons_live_for_late_data_and_after_a_new_start(tmp_path):
    start = now_ns() - 600 * S

    async def said(http: httpx.AsyncClient) -> list[tuple]:
        asked = {"unit": "acme/saw", "start": "-1h"}
        items = (await http.get("/api/v1/states/stops", params=asked)).json()["items"]
        return [(round((s["start_ns"] - start) / S), s["reason"], s["rule"]) for s in items]

    async with plant(tmp_path, TABLES) as (made, http):
        await rows_of(made, start, (0, "motor", 1.0), (0, "blade", 1.0))
        await rows_of(made, start, (100, "motor", 0.0), (103, "blade", 0.0), (200, "motor", 1.0))
        await rows_of(made, start, (210, "blade", 1.0), (300, "motor", 0.0), (400, "motor", 1.0))

        async def live() -> bool:
            return await said(http) == [(100, "M-1", "blade watch"), (300, "", "")]

        await until(live)
        await rows_of(made, start, (302, "blade", 0.0), (350, "blade", 1.0))

        async def late() -> bool:
            return (await said(http))[1:] == [(300, "M-1", "blade watch")]

        await until(late)
    async with plant(tmp_path, TABLES) as (_, http):
        assert (await said(http))[1:] == [(300, "M-1", "blade watch")]


async def test_a_rule_that_is_added_gives_reasons_to_stops_of_before(tmp_path):
    start = now_ns() - 600 * S
    without = TABLES[: TABLES.index("[[reason_rules]]")]
    async with plant(tmp_path, without) as (made, http):
        await rows_of(made, start, (0, "motor", 1.0), (90, "blade", 0.0), (100, "motor", 0.0))
        await rows_of(made, start, (200, "motor", 1.0))
        asked = {"unit": "acme/saw", "start": "-1h"}

        async def stopped() -> bool:
            return bool((await http.get("/api/v1/states/stops", params=asked)).json()["items"])

        await until(stopped)
    async with plant(tmp_path, TABLES) as (_, http):

        async def explained() -> bool:
            (stop,) = (await http.get("/api/v1/states/stops", params=asked)).json()["items"]
            return stop["rule"] == "blade watch"

        await until(explained)
