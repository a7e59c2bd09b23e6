"""What cannot be, what never ends, what begins too often, what is not kept yet."""

import pytest
from msgspec.structs import replace
from tests.operations.frames.halls import ASSET, BASE, S, hall, rows_of

from lineshaft.core.access import SYSTEM
from lineshaft.core.errors import Invalid, Missing
from lineshaft.operations import deletions
from lineshaft.operations.frames.binding import bind
from lineshaft.operations.frames.book import SEEN
from lineshaft.operations.frames.following import Follower
from lineshaft.operations.frames.frame import Note, parts_of
from lineshaft.operations.frames.preview import _walked, preview
from lineshaft.operations.frames.settings import (
    Attribute,
    Template,
    check_parents,
    check_template,
)

RUN = Template(name="run", assets=(ASSET,), begin="on", backfill_s=300)


async def test_a_template_that_opens_a_thousand_frames_a_second_is_bounded():
    wild = replace(RUN, per_minute_max=10)
    async with hall(wild) as h:
        await h.bring(*[("on", t / 1000, t % 2 == 1) for t in range(2000)])
        await h.until(10)
        assert len(await h.found()) == 10
        (problem,) = h.frames.problems()
        # Of a thousand ten are kept, and the last one is open.
        assert "'run': 989 began beyond per_minute_max" in problem
        await h.restart(wild)
        await h.frames.recompute(SYSTEM, "run", "", BASE - S, h.now)
        await h.settle()
        assert len(await h.found()) == 10


async def test_a_frame_that_never_ends_is_cut_off_and_waits_for_the_next_beginning():
    async with hall(replace(RUN, max_s=60)) as h:
        await h.bring(("on", 1, True))
        await h.until(59)
        assert [f[:2] for f in await h.found()] == [(1.0, None)]
        await h.until(100)
        assert [f[:2] for f in await h.found()] == [(1.0, 61.0)]
        await h.bring(("on", 101, True), ("on", 102, False), ("on", 103, True))
        await h.until(110)
        assert [f[:2] for f in await h.found()] == [(1.0, 61.0), (103.0, None)]


async def test_too_short_frames_are_none_and_are_not_told():
    async with hall(replace(RUN, min_s=5)) as h:
        await h.bring(("on", 1, True))
        await h.until(4)
        assert await h.found() == []
        await h.bring(("on", 4.5, False), ("on", 10, True))
        await h.until(20)
        assert [f[:2] for f in await h.found()] == [(10.0, None)]
        kinds = [e.event.kind for e in await h.records.events(kind="frame")]
        assert kinds == ["frame.opened"]


async def test_bad_quality_changes_nothing_and_a_mean_leaves_it_out():
    hot = Attribute(name="mean", of="heat", take="mean")
    async with hall(replace(RUN, attributes=(hot,))) as h:
        await h.bring(("heat", 0, 10.0), ("on", 0, True), ("heat", 10, 30.0), ("on", 20, False))
        await h.bring_bad(("heat", 5), ("on", 6))
        await h.until(30)
        ((start, end, values),) = await h.found()
        assert (start, end, values) == (0.0, 20.0, {"mean": (5 * 10 + 10 * 30) / 15})


async def test_late_samples_change_take_away_and_add_frames_and_notes_stay():
    async with hall(RUN) as h:
        await h.bring(("on", 0, False), ("on", 10, True), ("on", 20, False), ("heat", 40, 1.0))
        await h.until(50)
        key = f"run|{ASSET}|{BASE + 10 * S}"
        told = Note(reason="R1", comment="mine")
        await h.frames.gallery.annotate(SYSTEM, key, told, acknowledge=True)
        await h.bring(("on", 15, False), ("on", 30, True), ("on", 31, False))
        await h.until(55)
        await h.until(60)
        assert [f[:2] for f in await h.found()] == [(10.0, 15.0), (30.0, 31.0)]
        (view,) = await h.frames.gallery.shown(SYSTEM, [await h.frames.gallery.frame(SYSTEM, key)])
        assert (view.reason, view.end_ns) == ("R1", BASE + 15 * S)
        await h.bring(("on", 10, False))
        await h.until(65)
        await h.until(70)
        assert [f[:2] for f in await h.found()] == [(30.0, 31.0)]
        with pytest.raises(Missing):
            await h.frames.gallery.frame(SYSTEM, key)


async def test_a_preview_counts_all_frames_and_holds_only_the_first():
    busy = replace(RUN, per_minute_max=6000)
    async with hall() as h:
        await h.bring(*(("on", n / 2, n % 2 == 1) for n in range(1001)), ("heat", 0, 1.0))
        found = await preview(h.store, h.frames.names, busy, BASE, BASE + 600 * S)
        assert (found.count, found.open, len(found.items)) == (500, 0, 100)
        assert [f.start_ns for f in found.items] == [BASE + S // 2 + n * S for n in range(100)]
        follower = Follower(bind(busy, ASSET, h.frames.names))
        ended, first = await _walked(h.store, follower, [f"{ASSET}/on"], BASE, BASE + 600 * S)
        assert (ended, len(first)) == (500, 100)


async def test_a_text_that_cannot_be_kept_stops_no_follower():
    word = Attribute(name="program", of="program", take="begin")
    async with hall(replace(RUN, attributes=(word,))) as h:
        await h.bring(("program", 0, "O\x001"), ("on", 0, False), ("on", 10, True))
        await h.bring(("on", 20, False), ("program", 25, "O2"), ("on", 30, True), ("on", 40, False))
        await h.until(50)
        found = await h.found()
        assert [f[:2] for f in found] == [(10.0, 20.0), (30.0, 40.0)]
        assert found[1][2] == {"program": "O2"}


async def test_a_sample_that_is_told_again_and_again_redoes_nothing():
    async with hall(RUN) as h:
        await h.bring(("on", 10, True))
        await h.until(20)
        for _ in range(3):
            await h.bring(("on", 10, True))
        assert h.frames.crew.late == 0
        assert h.frames.progress(SYSTEM) == []


async def test_an_unknown_point_is_waited_for_and_told():
    later = replace(RUN, begin="later > 1.0")
    async with hall(later) as h:
        (view,) = h.frames.views(SYSTEM)
        assert "later" in view.waiting[ASSET]
        await h.bring(("later", 1, 5.0))
        await h.until(10)
        assert [f[:2] for f in await h.found()] == [(1.0, None)]


async def test_an_import_into_the_past_makes_the_frames_of_that_past():
    async with hall(RUN) as h:
        await h.bring(("on", 0, False), ("heat", 0, 1.0))
        await h.until(50)
        h.historian.aside.append(h.frames.take)
        await h.historian.append(rows_of([("on", -900, True), ("on", -800, False)]))
        await h.until(55)
        await h.until(60)
        assert [f[:2] for f in await h.found()] == [(-900.0, -800.0)]


async def _deletes(h, name: str, start_s: float, stop_s: float) -> None:
    span = BASE + round(start_s * S), BASE + round(stop_s * S)
    await h.historian.corrections.delete([f"{ASSET}/{name}"], span, reason="wrong", by="eva")


@pytest.mark.parametrize("restarted", [False, True])
async def test_frames_over_deleted_history_are_gone_through_again_by_themselves(restarted):
    async with hall(RUN) as h:
        await deletions.look(h.records, h.frames.deleted, SEEN)
        await h.bring(*(("on", t, t in (10, 30, 50)) for t in range(0, 70, 10)), ("heat", 0, 1.0))
        await h.until(80)
        assert [f[:2] for f in await h.found()] == [(10.0, 20.0), (30.0, 40.0), (50.0, 60.0)]
        await _deletes(h, "on", 20, 31)
        if restarted:
            await h.restart(RUN)
        await deletions.look(h.records, h.frames.deleted, SEEN)
        await h.until(85)
        await h.until(90)
        assert [f[:2] for f in await h.found()] == [(10.0, 40.0), (50.0, 60.0)]
        await _deletes(h, "on", -(10**9), 10**9)
        await deletions.look(h.records, h.frames.deleted, SEEN)
        await h.until(95)
        await h.until(100)
        assert await h.found() == []
        assert not h.frames.progress(SYSTEM)


async def test_a_frame_that_had_not_lasted_long_enough_is_not_lost_by_late_samples_or_a_restart():
    slow = replace(RUN, min_s=100.0, attributes=())
    async with hall(slow) as h:
        await h.bring(("on", 0, False), ("heat", 0, 1.0))
        await h.bring(("on", 10, True), ("on", 90, False), ("on", 200, True))
        await h.until(280)
        await h.bring(("on", 90, True))
        await h.until(285)
        await h.until(295)
        await h.restart(slow)
        await h.until(296)
        await h.bring(("on", 310, False))
        await h.until(320)
        assert [f[:2] for f in await h.found()] == [(10.0, 310.0)]
    async with hall(slow) as h:
        await h.bring(("on", 0, False), ("heat", 0, 1.0), ("on", 10, True))
        await h.until(80)
        await h.restart(slow)
        await h.bring(("on", 150, False))
        await h.until(170)
        assert [f[:2] for f in await h.found()] == [(10.0, 150.0)]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "a|b"},
        {"name": " a"},
        {"assets": ()},
        {"assets": ("a b",)},
        {"begin": " "},
        {"min_s": 10.0, "max_s": 1.0},
        {"parent": "run"},
        {"attributes": (Attribute(name="a b", of="x"),)},
        {"attributes": (Attribute(name="a", of="x"), Attribute(name="a", of="y"))},
    ],
)
def test_templates_that_cannot_be_are_refused(change):
    with pytest.raises(Invalid):
        check_template(replace(RUN, **change))


def test_parents_exist_and_go_round_in_no_circle():
    a, b = replace(RUN, name="a", parent="b"), replace(RUN, name="b", parent="a")
    with pytest.raises(Invalid, match="no parent"):
        check_parents({"a": a})
    with pytest.raises(Invalid, match="circle"):
        check_parents({"a": a, "b": b})


def test_a_key_tells_its_parts_though_a_path_may_hold_its_mark():
    assert parts_of("run|a/b|c|-5") == ("run", "a/b|c", -5)
    with pytest.raises(Invalid):
        parts_of("run|a")
