"""From the alarm journal to the outbox: who is told of what, and what an answer makes unneeded."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.operations.notices.rigs import OIL, Clock, S, rig

from lineshaft.core.access import SYSTEM
from lineshaft.core.errors import Invalid
from lineshaft.operations.alarms.happenings import (
    Acknowledged,
    Commented,
    Silenced,
    TimedShelved,
)
from lineshaft.operations.alarms.settings import Alarm, Limit, Priority
from lineshaft.operations.alarms.state import Traits
from lineshaft.operations.notices.notice import Status, priority_of
from lineshaft.operations.notices.outbox import WAITING_MAX
from lineshaft.operations.notices.settings import (
    Delivery,
    Recipient,
    Rule,
    Smtp,
    Step,
    check_notices,
)

LI = Recipient(name="li", url="http://127.0.0.1:9/hook")
KIM = Recipient(name="kim", url="http://127.0.0.1:9/hook")
AT_ONCE = Rule(name="all", steps=(Step(to=("li",)),))
LADDER = Rule(name="all", steps=(Step(to=("li",)), Step(to=("kim",), after_s=600)))


def acknowledged(made):
    state = made.desk.view(SYSTEM, "oil hot").state
    return Acknowledged(time_ns=made.clock.now, event_id=state.event_id, by="li")


async def test_an_alarm_that_arises_is_told_with_all_that_is_known(tmp_path):
    async with rig(tmp_path, [LI], [AT_ONCE]) as made:
        await made.reads(70)
        await made.reads(90)
        (notice,) = await made.found()
        told = notice.told
        assert (notice.recipient, notice.channel, notice.path) == ("li", "webhook", OIL)
        assert (told.alarm, told.on, told.priority) == ("oil hot", "arisen", Priority.MEDIUM)
        assert (told.value, told.unit, told.limit, told.limit_value) == (90, "Cel", "Hi", 80)
        assert (told.cause, told.action, told.group) == (
            "Cooler blocked",
            "Clean the cooler",
            "press",
        )
        assert told.since_ns == told.time_ns


async def test_a_graver_limit_is_told_again_and_a_lesser_one_is_not(tmp_path):
    async with rig(tmp_path, [LI], [AT_ONCE]) as made:
        for value in (90, 99, 90):
            await made.reads(value)
        assert [n.told.on for n in await made.found()] == ["arisen", "escalated"]
        assert [n.priority for n in await made.found()] == [Priority.MEDIUM, Priority.CRITICAL]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, 1),
        ({"priorities": (Priority.MEDIUM,)}, 1),
        ({"priorities": (Priority.LOW, Priority.HIGH)}, 0),
        ({"groups": ("press",)}, 1),
        ({"groups": ("paint",)}, 0),
        ({"branch": "acme/press"}, 1),
        ({"branch": "acme/pre"}, 0),
        ({"on": ("returned",)}, 0),
    ],
)
async def test_rules_tell_only_what_they_name(tmp_path, more, told):
    rule = Rule(name="some", steps=AT_ONCE.steps, **more)
    async with rig(tmp_path, [LI], [rule]) as made:
        await made.reads(90)
        assert len(await made.found()) == told


async def test_a_later_step_waits_and_an_acknowledgement_ends_it(tmp_path):
    async with rig(tmp_path, [LI, KIM], [LADDER]) as made:
        await made.reads(90)
        first, later = sorted(await made.found(), key=lambda n: n.due_ns)
        assert (first.recipient, later.recipient) == ("li", "kim")
        assert later.due_ns - first.due_ns == 600 * S
        await made.answer(Silenced(time_ns=made.clock.now))
        await made.answer(Commented(time_ns=made.clock.now))
        assert len(await made.found(Status.WAITING)) == 2
        await made.answer(acknowledged(made))
        (cancelled,) = await made.found(Status.CANCELLED)
        assert cancelled.id == later.id
        (waiting,) = await made.found(Status.WAITING)
        assert waiting.id == first.id, "what happened is told all the same"


@pytest.mark.parametrize("stops", [True, False])
async def test_whether_a_return_ends_later_steps_is_the_rules_to_say(tmp_path, stops):
    rule = Rule(name="all", steps=LADDER.steps, returned_stops=stops)
    async with rig(tmp_path, [LI, KIM], [rule]) as made:
        await made.reads(90)
        await made.reads(70)
        assert bool(await made.found(Status.CANCELLED)) is stops


async def test_a_refused_acknowledgement_ends_nothing(tmp_path):
    async with rig(tmp_path, [LI, KIM], [LADDER]) as made:
        await made.reads(90)
        wrong = Acknowledged(time_ns=made.clock.now, event_id="wrong", by="li")
        with pytest.raises(Exception, match="Bad_EventIdUnknown"):
            await made.answer(wrong)
        await made.read()
        assert not await made.found(Status.CANCELLED)


async def test_what_is_on_the_shelf_is_not_told_until_it_comes_off(tmp_path):
    async with rig(tmp_path, [LI, KIM], [LADDER]) as made:
        await made.answer(TimedShelved(time_ns=made.clock.now, seconds=60))
        await made.reads(90)
        assert not await made.found()
        made.clock.passes(61)
        await made.desk.tick()
        await made.read()
        assert [n.told.on for n in await made.found()] == ["uncovered"] * 2


async def test_a_shelf_ends_the_later_steps(tmp_path):
    async with rig(tmp_path, [LI, KIM], [LADDER]) as made:
        await made.reads(90)
        await made.answer(TimedShelved(time_ns=made.clock.now, seconds=60))
        assert [n.recipient for n in await made.found(Status.CANCELLED)] == ["kim"]


async def test_a_return_is_told_to_those_who_were_told_of_the_alarm(tmp_path):
    rule = Rule(name="all", steps=LADDER.steps, on=("arisen", "returned"))
    async with rig(tmp_path, [LI, KIM], [rule]) as made:
        await made.reads(90)
        await made.reads(70)
        back = [n for n in await made.found() if n.told.on == "returned"]
        assert [n.recipient for n in back] == ["li"], "kim was not told before"
        await made.reads(90)
        await made.reads(70)
        back = [n for n in await made.found() if n.told.on == "returned"]
        assert len(back) == 2


async def test_a_severity_that_rises_does_not_put_off_who_comes_next(tmp_path):
    async with rig(tmp_path, [LI, KIM], [LADDER]) as made:
        await made.reads(90)
        (before,) = [n for n in await made.found() if n.recipient == "kim"]
        made.clock.passes(500)
        await made.reads(99)
        assert [n for n in await made.found() if n.recipient == "kim"] == [before]


async def test_place_and_notices_are_kept_together(tmp_path):
    clock = Clock()
    async with rig(tmp_path, [LI], [AT_ONCE], clock=clock) as made:
        await made.reads(90)
        before = await made.found()
    async with rig(tmp_path, [LI], [AT_ONCE], clock=clock) as made:
        await made.read()
        assert await made.found() == before
        assert made.notices.outbox.waiting("li") == before


async def test_what_there_is_no_room_for_is_counted_and_on_record(tmp_path, monkeypatch):
    monkeypatch.setattr("lineshaft.operations.notices.outbox.WAITING_MAX", 1)
    assert WAITING_MAX > 1
    async with rig(tmp_path, [LI], [AT_ONCE]) as made:
        await made.reads(90)
        await made.reads(99)
        assert len(await made.found()) == 1
        (lost,) = await made.records.events(kind="notice.lost")
        assert (lost.event.path, lost.event.data["alarms"]) == (OIL, ["oil hot"])
        assert made.notices.outbox.lost == {"li": 1}
        assert "1 were lost" in made.notices.problems()[0]


async def test_a_dead_recipient_leaves_room_for_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr("lineshaft.operations.notices.outbox.WAITING_MAX", 8)
    wu = Recipient(name="wu", url="http://wu.example/")
    grave = Rule(name="grave", priorities=(Priority.CRITICAL,), steps=(Step(to=("wu",)),))
    async with rig(tmp_path, [LI, wu], [AT_ONCE, grave]) as made:
        for _ in range(10):  # nobody reaches li
            await made.reads(90)
            await made.reads(20)
        assert len(made.notices.outbox.waiting("li")) == 4
        await made.reads(99)
        assert len(made.notices.outbox.waiting("wu")) == 1
        assert made.notices.outbox.lost["wu"] == 0


async def test_all_that_waits_for_somebody_who_is_gone_makes_room_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("lineshaft.operations.notices.outbox.CHANGES_MAX", 2)
    async with rig(tmp_path, [LI], [AT_ONCE]) as made:
        for _ in range(5):
            await made.reads(90)
            await made.reads(20)
        waiting = len(made.notices.outbox)
        assert waiting >= 5
        await made.notices.reload([], [], Delivery())
        async with asyncio.TaskGroup() as group:
            clearing = group.create_task(made.notices._clear())
            async with asyncio.timeout(20):
                while len(made.notices.outbox):
                    await asyncio.sleep(0.01)
            clearing.cancel()
        assert len(await made.found(Status.GIVEN_UP)) == waiting


async def test_steps_of_a_rule_that_is_gone_are_not_told(tmp_path):
    # Without rules nobody reads the journal, so that no answer would end them.
    async with rig(tmp_path, [LI, KIM], [LADDER]) as made:
        await made.reads(90)
        assert len(made.notices.outbox.waiting("kim")) == 1
        await made.notices.reload([LI, KIM], [], Delivery())
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(made.notices._read())
            async with asyncio.timeout(20):
                while made.notices.outbox.waiting("kim"):
                    await asyncio.sleep(0.01)
            reading.cancel()
        (step,) = await made.found(Status.CANCELLED)
        assert (step.recipient, step.rule) == ("kim", "all")
        assert len(made.notices.outbox.waiting("li")) == 1  # of what has happened


async def test_an_alarm_that_needs_no_acknowledgement_has_no_later_steps(tmp_path):
    quiet = Alarm(name="oil hot", point=OIL, hi=Limit(value=80), life=Traits(acknowledge=False))
    async with rig(tmp_path, [LI, KIM], [LADDER], alarms=[quiet]) as made:
        await made.reads(90)
        assert [n.recipient for n in await made.found()] == ["li"]


SMTP = Smtp(host="mail", sender="plant@acme.example")


@pytest.mark.parametrize(
    ("recipient", "message"),
    [
        (Recipient(name="x"), "no way to it"),
        (Recipient(name="x", url="http://a/", mail="a@b"), "url and mail"),
        (Recipient(name="x", url="ftp://a/"), "not the address of a web server"),
        (Recipient(name="x", url="http://a:99999/"), "not the address of a web server"),
        (Recipient(name="x", mail="a b@c"), "no e-mail address"),
        (Recipient(name="x", mail="a@b\nBcc: all@c"), "no e-mail address"),
        (Recipient(name="x", topic="a/#"), "wildcard"),
        (Recipient(name="x", topic="a/b"), r"\[delivery.mqtt\]"),
        (Recipient(name="x", url="http://a/", zone="Mars/Base"), "no time zone"),
        (Recipient(name=" ", url="http://a/"), "wanted 1 to"),
    ],
)
def test_recipients_that_cannot_be_reached_are_refused(recipient, message):
    with pytest.raises(Invalid, match=message):
        check_notices([recipient], [], Delivery(smtp=SMTP))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Rule(name="r", steps=()), "tells nobody"),
        (Rule(name="r", steps=(Step(to=()),)), "tells nobody"),
        (Rule(name="r", steps=(Step(to=("who",)),)), "no recipient 'who'"),
        (Rule(name="r", steps=(Step(to=("li",), after_s=5), Step(to=("li",)))), "wanted rising"),
    ],
)
def test_rules_that_cannot_be_are_refused(rule, message):
    with pytest.raises(Invalid, match=message):
        check_notices([LI], [rule], Delivery())


@given(st.integers(1, 1000))
def test_priorities_are_four_equal_bands(severity):
    bands = list(Priority)
    assert priority_of(severity) is bands[(severity - 1) // 250]
