"""The rows of the metrics of ISA-18.2 and EEMUA 191 that tell of people, on journals of a desk."""

import numpy as np
import pytest
from msgspec.structs import replace
from tests.operations.alarms.desks import Clock, desk, tick
from tests.operations.alarms.histories import T0, S, X, Y, rows

from lineshaft.core.access import SYSTEM
from lineshaft.core.clock import now_ns
from lineshaft.operations.alarms import happenings as h
from lineshaft.operations.alarms.metrics import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    floods,
    steady_class,
    upset_class,
)
from lineshaft.operations.alarms.rationalisation import as_csv, limits_of, rationale
from lineshaft.operations.alarms.report import entries, report
from lineshaft.operations.alarms.settings import Advice, Alarm, Limit, Priority, Rate
from lineshaft.operations.alarms.state import Traits
from lineshaft.security.access import Branches

HIGH = Alarm(name="high", point=X, hi=Limit(value=3.0, priority=Priority.HIGH))
LOW = Alarm(name="low", point=Y, hi=Limit(value=3.0, priority=Priority.LOW))


def later() -> Clock:
    """A clock that has passed all that the tests tell of."""
    clock = Clock()
    clock.now = T0 + 4 * DAY_NS
    return clock


async def acknowledge(made, name, seconds, comment=""):
    event_id = made.view(SYSTEM, name).state.event_id
    what = h.Acknowledged(time_ns=T0 + round(seconds * S), event_id=event_id, by="li")
    await made.answer(SYSTEM, name, what, comment=comment)


async def figures(made, stop_s=100.0):
    start, stop = T0, T0 + round(stop_s * S)
    found = await entries(made.book.records, Branches(), SYSTEM, start_ns=start, stop_ns=stop)
    return report(found, start, stop, made.book.alarms.values())


async def test_time_to_acknowledge_is_told_as_p50_and_p95_of_each_priority(tmp_path):
    async with desk(tmp_path, HIGH, LOW, clock=later()) as made:
        for k in range(10):
            await made.take(rows((X, 10 * k, 9), (Y, 10 * k, 9)))
            await acknowledge(made, "high", 10 * k + k / 2)
            await made.take(rows((X, 10 * k + 5, 0), (Y, 10 * k + 5, 0)))
        await acknowledge(made, "low", 99)
        found = (await figures(made)).acknowledge
    waited = np.arange(10) / 2
    assert found["high"].count == 10
    assert found["high"].p50_s == pytest.approx(np.percentile(waited, 50))
    assert found["high"].p95_s == pytest.approx(np.percentile(waited, 95))
    assert found["low"].p50_s == pytest.approx(9)
    assert "critical" not in found


async def test_acknowledged_without_action_and_re_alarms_are_counted(tmp_path):
    alarm = Alarm(name="high", point=X, hi=Limit(value=3.0), life=Traits(realarm_s=10))
    clock = Clock()
    async with desk(tmp_path, alarm, LOW, clock=clock) as made:
        await made.take(rows((X, 1, 9), (Y, 1, 9)))
        await acknowledge(made, "high", 2)
        await acknowledge(made, "low", 2, comment="valve closed by hand")
        await tick(made, clock, 13)
        found = await figures(made)
        assert (found.acknowledged_only, found.realarms) == (1, 1)


async def test_shelves_are_told_with_count_age_and_those_over_their_time(tmp_path):
    clock = Clock()
    short = Alarm(name="high", point=X, hi=Limit(value=3.0), life=Traits(shelve_s_max=30))
    async with desk(tmp_path, short, LOW, clock=clock) as made:
        for name in ("high", "low"):
            await made.answer(SYSTEM, name, h.TimedShelved(time_ns=T0 + S, seconds=20))
        await tick(made, clock, 41)  # nobody looked for twenty seconds
        await made.answer(SYSTEM, "low", h.TimedShelved(time_ns=T0 + 50 * S, seconds=60))
        found = (await figures(made)).shelving
    assert (found.count, found.still, found.over) == (3, 1, 1)
    assert found.longest_s == pytest.approx(50)


async def test_changes_without_a_permit_are_counted(tmp_path):
    async with desk(tmp_path) as made:
        await made.define(SYSTEM, HIGH)
        changed = Alarm(name="high", point=X, hi=Limit(value=4.0))
        await made.define(SYSTEM, changed)
        await made.define(SYSTEM, HIGH, permit="MOC-1")
        out = h.RemovedFromService(time_ns=T0, permit="WO-17")
        await made.answer(SYSTEM, "high", out)
        await made.answer(SYSTEM, "high", h.Suppressed(time_ns=T0, on=True))
        await made.answer(SYSTEM, "high", h.Disabled(time_ns=T0), permit="MOC-2")
        found = report(await made.book.records.events(kind="alarm", newest_first=True), 0, T0 + S)
    assert found.unauthorised == 2  # the first change, and the suppression


async def test_the_per_day_line_and_the_distribution_stand_beside_their_targets(tmp_path):
    async with desk(tmp_path, HIGH, LOW, clock=later()) as made:
        for day, count in ((0, 2), (2, 1)):
            for k in range(count):
                at = day * DAY_NS // S + 10 * k
                await made.take(rows((Y, at, 9), (Y, at + 1, 0)))
        found = await figures(made, 3 * DAY_NS / S)
    assert [d.count for d in found.days] == [2, 0, 1]
    assert found.configured == {"low": 1, "medium": 0, "high": 1, "critical": 0}
    assert found.targets == {"low": 0.8, "medium": 0.15, "high": 0.05, "critical": 0.01}
    assert found.top_share == 1.0


async def test_what_nobody_was_told_of_does_not_count_as_annunciated(tmp_path):
    async with desk(tmp_path, HIGH, LOW) as made:
        await made.answer(SYSTEM, "high", h.OneShotShelved(time_ns=T0))
        await made.take(rows((X, 1, 9), (Y, 1, 9)))
        found = await figures(made)
    assert (found.rates.count, found.covered) == (1, 1)
    assert found.longest_active_s == 99


def test_steady_and_upset_are_classes_of_their_own():
    calm = np.arange(0, 12 * HOUR_NS, 30 * MINUTE_NS)
    burst = 13 * HOUR_NS + np.arange(60) * 5 * S
    times = np.sort(np.concatenate([calm, burst]))
    found = floods(times, DAY_NS)
    assert steady_class(times, found, 0, DAY_NS) == "predictive"
    assert upset_class(found) == "reactive"
    assert upset_class([]) == ""


# ---- rationalisation


def test_what_is_missing_of_an_alarm_is_named():
    advice = Advice(cause="valve", action="close it")
    line = rationale(Alarm(name="a", point=X, hi=Limit(value=3.0), advice=advice))
    assert line.missing == ["consequence", "respond_s"]
    whole = Advice(cause="a", consequence="b", action="c", respond_s=60)
    assert rationale(Alarm(name="a", point=X, hi=Limit(value=3), advice=whole)).missing == []


@pytest.mark.parametrize(
    ("alarm", "shown"),
    [
        (HIGH, "HI 3 (high)"),
        (Alarm(name="a", point=X, when="x > 3"), "x > 3"),
        (Alarm(name="a", point=X, stale_s=30), "stale for 30 s"),
        (
            Alarm(name="a", point=X, hi=Limit(value=3), rate=Rate(per="min")),
            "HI 3 (medium) of rate over 1m per min",
        ),
    ],
)
def test_what_an_alarm_watches_is_told_in_one_line(alarm, shown):
    assert limits_of(alarm) == shown


def test_no_cell_of_the_csv_is_a_formula():
    alarm = Alarm(name="=1+1", point=X, when="x > 3", advice=Advice(cause='@x, "y"'))
    text = as_csv([rationale(alarm)])
    assert text.splitlines()[1].startswith("'=1+1,")
    assert '"\'@x, ""y"""' in text


# ---- what the journal of a span does not hold


async def test_what_is_active_since_before_the_span_is_stale_too(tmp_path):
    clock = later()
    async with desk(tmp_path, HIGH, LOW, clock=clock) as made:
        await made.take(rows((X, 1, 9.0), (Y, 1, 9.0)))
        await made.take(rows((Y, 2 * DAY_NS // S, 0.0)))
        start, stop = T0 + DAY_NS, T0 + 3 * DAY_NS
        found = await entries(made.book.records, Branches(), SYSTEM, start_ns=start, stop_ns=stop)
        since = {v.alarm.name: v.state.active_ns for v in made.views(SYSTEM) if v.state.active}
        figures = report(found, start, stop, made.book.alarms.values(), since_ns=since)
    assert figures.stale == 2  # one ended in the span, one goes on
    assert figures.longest_active_s == pytest.approx(3 * DAY_NS / S - 1)


@pytest.mark.parametrize("way", ["removed", "disabled"])
async def test_an_alarm_that_is_taken_away_is_not_active_for_ever(tmp_path, way):
    clock = later()
    async with desk(tmp_path, clock=clock) as made:
        await made.define(SYSTEM, HIGH)
        await made.take(rows((X, 4 * DAY_NS // S, 9.0)))
        if way == "removed":
            await made.remove(SYSTEM, "high")
        else:
            await made.answer(SYSTEM, "high", h.Disabled(time_ns=clock.now + S))
        events = await made.book.records.events(kind="alarm", newest_first=True)
        stop = now_ns() + 9 * DAY_NS
        longest_ns = report(list(events), T0, stop).longest_active_s * S
        assert longest_ns < stop - clock.now - 8 * DAY_NS


async def test_an_old_time_in_the_journal_does_not_end_the_search(tmp_path, monkeypatch):
    monkeypatch.setattr("lineshaft.operations.alarms.report.PAGE", 2)
    clock = later()
    day_s = DAY_NS // S
    async with desk(tmp_path, HIGH, LOW, clock=clock) as made:
        for k in range(3):
            await made.take(rows((X, 3 * day_s + 2 * k, 9.0), (X, 3 * day_s + 2 * k + 1, 0.0)))
        await made.take(rows((Y, 1, 9.0)))  # of a machine whose clock stands
        await made.take(rows((X, 3 * day_s + 9, 9.0)))
        start, stop = T0 + 2 * DAY_NS, T0 + 4 * DAY_NS
        found = await entries(made.book.records, Branches(), SYSTEM, start_ns=start, stop_ns=stop)
    assert len(found) == 7


async def test_a_severity_that_falls_is_no_activation_and_one_that_rises_is_answered_with_it(
    tmp_path,
):
    # By hand: it rings at 10 (Hi) and 20 (HiHi), falls to Hi at 30, is acknowledged at 50.
    both = replace(HIGH, hihi=Limit(value=8.0, priority=Priority.CRITICAL))
    async with desk(tmp_path, both, clock=later()) as made:
        await made.take(rows((X, 10, 5.0), (X, 20, 9.0), (X, 30, 5.0)))
        await acknowledge(made, "high", 50)
        await made.take(rows((X, 60, 0.0)))
        found = await figures(made)
    assert (found.rates.count, found.unanswered, found.covered) == (2, 0, 0)
    assert found.by_severity == {"low": 0, "medium": 0, "high": 1, "critical": 1}
    assert found.acknowledge["critical"].p50_s == pytest.approx(30)
    assert found.acknowledge_s_median == pytest.approx(30)
    assert found.longest_active_s == pytest.approx(50)
