"""What people said, laid over what the machine said."""

import msgspec
import pytest
from tests.operations.states.lines import FAULT, PRESS, RUN, SETUP, STOPPED, UNIT, WAIT, S, press

from lineshaft.core.access import SYSTEM, Action, Identity
from lineshaft.core.errors import Denied, Invalid, Missing, Stale
from lineshaft.core.quality import Quality
from lineshaft.operations.calendars.settings import Break, CalendarTable, Shift

DAY = ((0, RUN), (100, FAULT), (200, RUN), (300, STOPPED), (400, SETUP), (500, WAIT), (600, RUN))


async def test_a_timeline_is_what_the_machine_said(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        assert await made.stretches(50, 650) == [
            (50, "running", ""),
            (100, "fault", ""),
            (200, "running", ""),
            (300, "stopped", ""),
            (400, "set-up", ""),
            (500, "waits", "L-1"),
            (600, "running", ""),
        ]


async def test_bad_quality_is_neither_running_nor_a_stop(tmp_path):
    async with press(tmp_path) as made:
        await made.went((100, RUN), (200, RUN, Quality.BAD_NO_COMMUNICATION), (300, RUN), (400, 77))
        assert await made.stretches(50, 500) == [
            (50, "unknown", ""),
            (100, "running", ""),
            (200, "unknown", ""),
            (300, "running", ""),
            (400, "unknown", ""),
        ]


async def test_first_and_last_stretch_tell_how_long_they_last_outside_of_the_span(tmp_path):
    async with press(tmp_path) as made:
        await made.went((10, RUN), (20, FAULT), (30, FAULT), (9_000, FAULT), (20_000, RUN))
        line = await made.states.intervals.timeline(PRESS, 9_500 * S, 9_600 * S)
        assert (line.lasting_since_ns, line.lasting_until_ns) == (20 * S, 20_000 * S)
        line = await made.states.intervals.timeline(PRESS, 30_000 * S, 40_000 * S)
        assert (line.lasting_since_ns, line.lasting_until_ns) == (20_000 * S, made.clock.now)


async def test_a_span_ends_now_and_one_ahead_is_empty(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        line = await made.states.intervals.timeline(PRESS, 550 * S, made.clock.now + 50 * S)
        assert line.stop_ns == made.clock.now
        line = await made.states.intervals.timeline(
            PRESS, made.clock.now + S, made.clock.now + 9 * S
        )
        assert (len(line.start_ns), line.stop_ns) == (0, made.clock.now + S)


async def test_a_reason_fills_the_whole_stop(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        await made.states.deeds.explain(SYSTEM, PRESS, 150 * S, reason="M-1", comment="again")
        assert (await made.stretches(0, 300))[1] == (100, "fault", "M-1")
        (event,) = await made.records.events(kind="state.explained")
        (told,) = event.event.data["notes"]
        assert (told["before"], told["after"], told["comment"]) == ("", "M-1", "again")
        assert (event.event.actor, event.event.path) == (SYSTEM.name, PRESS)


async def test_a_reason_follows_a_stop_that_lasts_on(tmp_path):
    async with press(tmp_path) as made:
        await made.went((0, RUN), (99_000, FAULT))
        await made.states.deeds.explain(SYSTEM, PRESS, 99_000 * S, reason="M-1")
        made.clock.now += 5_000 * S
        await made.went((104_000, RUN))
        assert await made.stretches(99_500, 104_500) == [
            (99_500, "fault", "M-1"),
            (104_000, "running", ""),
        ]


async def test_part_of_a_stop_is_a_split(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        deeds = made.states.deeds
        await deeds.explain(SYSTEM, PRESS, 100 * S, stop_ns=140 * S, reason="M-1")
        await deeds.explain(SYSTEM, PRESS, 150 * S, reason="M-2")
        assert (await made.stretches(0, 250))[1:3] == [(100, "fault", "M-1"), (140, "fault", "M-2")]
        await deeds.explain(SYSTEM, PRESS, 150 * S, stop_ns=170 * S, reason="M-1")
        assert (await made.stretches(0, 250))[1:5] == [
            (100, "fault", "M-1"),
            (140, "fault", "M-2"),
            (150, "fault", "M-1"),
            (170, "fault", "M-2"),
        ]


async def test_a_bound_is_met_by_a_time_that_a_screen_has_rounded(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        (note,) = await made.states.deeds.explain(
            SYSTEM, PRESS, 100 * S - 200, stop_ns=200 * S + 200, reason="M-1"
        )
        assert (note.start_ns, note.stop_ns, note.cut_start, note.cut_stop) == (
            100 * S,
            200 * S,
            False,
            False,
        )


async def test_the_later_note_counts_and_taken_back_the_earlier_one_again(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        deeds = made.states.deeds
        await deeds.explain(SYSTEM, PRESS, 150 * S, reason="M-1")
        (note,) = await deeds.explain(SYSTEM, PRESS, 150 * S, reason="M-2")
        assert note.before == "M-1"
        assert (await made.stretches(0, 250))[1] == (100, "fault", "M-2")
        await deeds.withdraw(SYSTEM, note.id)
        assert (await made.stretches(0, 250))[1] == (100, "fault", "M-1")
        with pytest.raises(Stale, match="already"):
            await deeds.withdraw(SYSTEM, note.id)


async def test_late_data_move_the_bounds_of_a_stop_and_its_reason_with_them(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        await made.states.deeds.explain(SYSTEM, PRESS, 150 * S, reason="M-1")
        await made.went((80, FAULT), (200, FAULT), (230, RUN))
        assert (await made.stretches(0, 300))[:3] == [
            (0, "running", ""),
            (80, "fault", "M-1"),
            (230, "running", ""),
        ]


async def test_a_stop_that_late_data_part_keeps_its_reason_in_the_longer_part(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        (note,) = await made.states.deeds.explain(SYSTEM, PRESS, 150 * S, reason="M-1")
        await made.went((120, RUN), (130, FAULT))
        assert (await made.stretches(0, 250))[1:4] == [
            (100, "fault", ""),
            (120, "running", ""),
            (130, "fault", "M-1"),
        ]
        await made.went((100, RUN), (130, RUN))
        whole = await made.states.intervals.whole(PRESS, 0, 250 * S)
        assert whole.laid.loose == (note.id,)


async def test_a_cut_stays_where_a_person_made_it(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        await made.states.deeds.explain(SYSTEM, PRESS, 100 * S, stop_ns=140 * S, reason="M-1")
        await made.went((80, FAULT), (190, RUN))
        assert (await made.stretches(0, 250))[:4] == [
            (0, "running", ""),
            (80, "fault", "M-1"),
            (140, "fault", ""),
            (190, "running", ""),
        ]


async def test_a_corrected_state_holds_for_its_span_and_the_later_one_counts(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        deeds = made.states.deeds
        (note,) = await deeds.correct(SYSTEM, PRESS, 150 * S, 350 * S, state="set-up")
        assert note.before == "fault, running, stopped"
        await deeds.correct(SYSTEM, PRESS, 250 * S, 260 * S, state="running")
        assert (await made.stretches(0, 450))[:6] == [
            (0, "running", ""),
            (100, "fault", ""),
            (150, "set-up", ""),
            (250, "running", ""),
            (260, "set-up", ""),
            (350, "stopped", ""),
        ]
        line = await made.states.intervals.timeline(PRESS, 0, 450 * S)
        assert line.corrected.tolist()[:6] == [False, False, True, True, True, False]


async def test_the_span_of_one_asked_for_within_a_correction_knows_how_far_it_reaches(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        await made.states.deeds.correct(SYSTEM, PRESS, 150 * S, 550 * S, state="fault")
        line = await made.states.intervals.timeline(PRESS, 320 * S, 330 * S)
        assert (line.lasting_since_ns, line.lasting_until_ns) == (100 * S, 550 * S)


async def test_merged_stops_are_one_with_one_reason_and_are_taken_back_together(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        deeds = made.states.deeds
        made_notes = await deeds.merge(SYSTEM, PRESS, 150 * S, 350 * S, reason="M-2")
        assert (await made.stretches(0, 450))[:3] == [
            (0, "running", ""),
            (100, "fault", "M-2"),
            (400, "set-up", ""),
        ]
        await deeds.withdraw(SYSTEM, made_notes[1].id)
        assert (await made.stretches(0, 450))[1] == (100, "fault", "")
        kinds = [e.event.kind for e in await made.records.events(kind="state")]
        assert kinds == ["state.merged", "state.withdrawn"]


async def test_what_is_no_stop_is_not_explained(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        deeds = made.states.deeds
        with pytest.raises(Invalid, match="it was 'running'"):
            await deeds.explain(SYSTEM, PRESS, 250 * S, reason="M-1")
        with pytest.raises(Invalid, match="not offered"):
            await deeds.explain(SYSTEM, PRESS, 150 * S, reason="S-1")
        with pytest.raises(Invalid, match="not within the stop"):
            await deeds.explain(SYSTEM, PRESS, 150 * S, stop_ns=250 * S, reason="M-1")
        with pytest.raises(Invalid, match="one stop"):
            await deeds.merge(SYSTEM, PRESS, 150 * S, 160 * S, reason="M-1")
        with pytest.raises(Invalid, match="no state 'dancing'"):
            await deeds.correct(SYSTEM, PRESS, 0, S, state="dancing")
        with pytest.raises(Invalid, match="not yet over"):
            await deeds.correct(SYSTEM, PRESS, 0, made.clock.now + S, state="fault")
        assert await made.records.events(kind="state") == []


async def test_who_may_not_see_explain_or_correct_is_turned_away(tmp_path):
    viewer = Identity(name="li", actions=frozenset({Action.LOOK}))
    operator = Identity(name="wu", actions=frozenset({Action.LOOK, Action.WRITE}))
    stranger = Identity(name="xu", actions=frozenset(Action), branches=("acme/hall/saw",))
    async with press(tmp_path) as made:
        await made.went(*DAY, (99_000, FAULT), (99_900, RUN))
        deeds = made.states.deeds
        with pytest.raises(Denied):
            await deeds.explain(viewer, PRESS, 150 * S, reason="M-1")
        with pytest.raises(Missing):
            await deeds.explain(stranger, PRESS, 150 * S, reason="M-1")
        (note,) = await deeds.explain(operator, PRESS, 150 * S, reason="M-1")
        with pytest.raises(Missing):
            await deeds.withdraw(stranger, note.id)
        with pytest.raises(Denied):
            await deeds.withdraw(viewer, note.id)
        with pytest.raises(Denied, match="last 24 h"):
            await deeds.correct(operator, PRESS, 150 * S, 160 * S, state="set-up")
        await deeds.correct(operator, PRESS, 99_100 * S, 99_200 * S, state="set-up")
        assert deeds.all_seen(stranger) == []


async def test_stops_tell_which_need_a_reason(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY, (700, FAULT), (705, RUN), (99_990, STOPPED))
        await made.states.deeds.explain(SYSTEM, PRESS, 100 * S, stop_ns=140 * S, reason="M-1")
        stops = await made.stops(120 * S, made.clock.now)
        rows = [(s.start_ns // S, s.state, s.reason, s.micro, s.unexplained) for s in stops]
        assert rows == [
            (100, "fault", "M-1", False, False),
            (140, "fault", "", False, True),
            (300, "stopped", "", False, True),
            (400, "set-up", "", False, False),
            (500, "waits", "L-1", False, False),
            (700, "fault", "", True, False),
            (99_990, "stopped", "", False, True),
        ]
        assert [s.part for s in stops[:3]] == [True, True, False]
        assert stops[-1].lasts


async def test_a_stop_outside_of_planned_busy_time_needs_no_reason(tmp_path):
    shift = Shift(
        name="day", start="00:10", stop="01:00", breaks=(Break(start="00:20", stop="00:30"),)
    )
    unit = msgspec.structs.replace(UNIT, calendar="one-shift")
    async with press(tmp_path, unit) as made:
        made.calendars.take([CalendarTable(name="one-shift", zone="UTC", shifts=(shift,))])
        minutes = [(0, RUN), (5, FAULT), (8, RUN), (9, FAULT), (11, RUN), (21, FAULT), (29, RUN)]
        minutes += [(31, FAULT), (32, RUN), (59, STOPPED), (70, RUN), (75, FAULT), (80, RUN)]
        await made.went(*((m * 60, s) for m, s in minutes))
        stops = await made.stops(0, 90 * 60 * S)
        assert {s.start_ns // S // 60: s.unexplained for s in stops} == {
            5: False,
            9: True,
            21: False,
            31: True,
            59: True,
            75: False,
        }


async def test_without_its_calendar_every_stop_is_to_be_explained(tmp_path):
    async with press(tmp_path, msgspec.structs.replace(UNIT, calendar="gone")) as made:
        await made.went(*DAY)
        assert [s.unexplained for s in await made.stops(0, 350 * S)] == [True, True]


async def test_what_was_said_outlives_the_process(tmp_path):
    async with press(tmp_path) as made:
        await made.went(*DAY)
        await made.states.deeds.explain(SYSTEM, PRESS, 150 * S, reason="M-1")
    async with press(tmp_path) as made:
        await made.went(*DAY)
        assert (await made.stretches(0, 250))[1] == (100, "fault", "M-1")
