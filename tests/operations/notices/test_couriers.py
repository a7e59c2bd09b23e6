"""Couriers: tries, waits, quiet hours, floods, and nothing lost on the way."""

import pytest
from tests.operations.notices.rigs import OIL, T0, Clock, S, rig
from tests.operations.notices.servers import hook

from lineshaft.core.access import SYSTEM
from lineshaft.operations.alarms.happenings import Acknowledged
from lineshaft.operations.alarms.settings import Alarm, Limit, Priority
from lineshaft.operations.notices.notice import ITEMS_MAX, Status
from lineshaft.operations.notices.settings import Delivery, Quiet, Recipient, Rule, Step

AT_ONCE = Rule(name="all", steps=(Step(to=("li",)),))
PATIENT = Delivery(timeout_s=2.0)


def li(server, **more):
    return Recipient(name="li", url=server.url, **more)


def alarms(count: int, priority: Priority = Priority.MEDIUM) -> list[Alarm]:
    limit = Limit(value=80, priority=priority)
    return [Alarm(name=f"a{n}", point=f"acme/press/p{n}", hi=limit) for n in range(count)]


async def ring(made, count: int) -> None:
    for n in range(count):
        await made.reads(90, f"acme/press/p{n}")


async def test_what_fails_is_tried_again_later_with_the_same_identifier(tmp_path):
    async with (
        hook("500", "cut", "hang", "302", "503") as server,
        rig(tmp_path, [li(server)], [AT_ONCE], delivery=PATIENT) as made,
    ):
        await made.reads(90)
        for n in range(1, 6):
            await made.serve("li")
            assert len(server.tried) == n
            (waiting,) = await made.found(Status.WAITING)
            assert waiting.tries == n
            assert waiting.error
            at = await made.serve("li")
            assert len(server.tried) == n, "it is not tried again at once"
            assert at > made.clock.now
            made.clock.now = at
        assert at - T0 >= 100 * S, "the server asked for 100 s"
        assert "do not get through" in made.notices.problems()[0]
        await made.serve("li")
        (sent,) = await made.found()
        assert (sent.status, sent.tries, sent.error) == (Status.SENT, 6, "")
        assert {h["webhook-id"] for h, _ in server.tried} == {sent.id}
        assert {b for _, b in server.tried} == {server.tried[0][1]}, "the same to the byte"
        assert made.notices.problems() == []
        kinds = [e.event.kind for e in await made.records.events(kind="notice")]
        assert kinds == ["notice.sent"]


async def test_an_answer_that_is_lost_makes_a_double_with_the_same_identifier(tmp_path):
    async with (
        hook("lose") as server,
        rig(tmp_path, [li(server)], [AT_ONCE]) as made,
    ):
        await made.reads(90)
        await made.serve("li")
        made.clock.passes(10)
        await made.serve("li")
        first, second = server.taken
        assert first == second


async def test_what_was_tried_comes_with_its_own_identifier_even_in_a_flood(tmp_path):
    async with (
        hook("lose") as server,
        rig(tmp_path, [li(server, at_most=2)], [AT_ONCE], alarms=alarms(8)) as made,
    ):
        await ring(made, 1)
        await made.serve("li")
        (tried,) = await made.found()
        await ring(made, 8)
        made.clock.passes(10)
        await made.serve("li", 3)
        assert [b["id"] for b in server.taken[:2]] == [tried.id] * 2
        assert len(server.taken) == 3
        assert {a["name"] for a in server.taken[2]["alarms"]} == {f"a{n}" for n in range(1, 8)}


async def test_a_no_that_will_stay_is_given_up_on_record_and_can_be_tried_again(tmp_path):
    async with (
        hook("410") as server,
        rig(tmp_path, [li(server)], [AT_ONCE]) as made,
    ):
        await made.reads(90)
        await made.serve("li")
        (given_up,) = await made.found(Status.GIVEN_UP)
        (event,) = await made.records.events(kind="notice.given-up")
        assert event.event.data["alarms"] == ["oil hot"]
        assert "410" in event.event.data["error"]
        await made.notices.retry(SYSTEM, [given_up.id])
        await made.serve("li")
        assert [b["id"] for b in server.taken] == [given_up.id]


async def test_what_is_too_old_is_given_up(tmp_path):
    async with (
        hook(*["500"] * 99) as server,
        rig(tmp_path, [li(server)], [AT_ONCE], delivery=Delivery(give_up_s=3600)) as made,
    ):
        await made.reads(90)
        while made.clock.now < T0 + 3600 * S:
            made.clock.now = max(await made.serve("li"), made.clock.now + S)
        await made.serve("li")
        (old,) = await made.found()
        assert old.status is Status.GIVEN_UP
        assert 5 < len(server.tried) < 30, "the waits grow"
        assert made.notices.figures.given_up == {"webhook": 1}


async def test_after_quiet_hours_there_is_one_digest_and_what_is_urgent_does_not_wait(tmp_path):
    noon = Quiet(start="11:00", stop="14:00")
    async with (
        hook() as server,
        rig(tmp_path, [li(server, quiet=(noon,))], [AT_ONCE]) as made,
    ):
        await made.reads(90)
        at = await made.serve("li")
        assert (server.tried, at) == ([], T0 + 2 * 3600 * S)
        await made.reads(70)
        await made.reads(99)
        await made.serve("li", 2)
        (urgent,) = server.taken
        assert (urgent["alarm"]["on"], urgent["alarm"]["priority"]) == ("arisen", "critical")
        await made.reads(70)
        await made.reads(90)
        await made.serve("li")
        made.clock.now = at
        await made.serve("li", 2)
        assert len(server.taken) == 2
        digest = server.taken[1]
        assert [a["on"] for a in digest["alarms"]] == ["arisen", "arisen"]
        assert len(await made.found(Status.JOINED)) == 2
        assert not await made.found(Status.WAITING)


async def test_a_single_notice_after_quiet_hours_comes_as_it_is(tmp_path):
    noon = Quiet(start="11:00", stop="14:00")
    async with (
        hook() as server,
        rig(tmp_path, [li(server, quiet=(noon,))], [AT_ONCE]) as made,
    ):
        await made.reads(90)
        made.clock.now = await made.serve("li")
        await made.serve("li")
        assert server.taken[0]["alarm"]["name"] == "oil hot"


async def test_a_flood_becomes_one_digest_and_nothing_of_it_is_lost(tmp_path):
    count = ITEMS_MAX + 30
    async with (
        hook() as server,
        rig(tmp_path, [li(server, at_most=5)], [AT_ONCE], alarms=alarms(count)) as made,
    ):
        await ring(made, count)
        at = await made.serve("li", 10)
        assert len(server.taken) == 5
        digest = server.taken[-1]
        assert len(digest["alarms"]) == ITEMS_MAX
        assert len(digest["alarms"]) + digest["more"] + 4 == count
        await made.reads(70, "acme/press/p0")
        await made.reads(90, "acme/press/p0")
        at = await made.serve("li")
        assert len(server.taken) == 5
        assert at == T0 + 600 * S + (made.notices._couriers["li"]._sent_ns[0] - T0)
        made.clock.now = at
        await made.serve("li")
        assert len(server.taken) == 6


async def test_a_critical_alarm_finds_room_in_a_flood(tmp_path):
    many = [*alarms(5), Alarm(name="fire", point=OIL, hi=Limit(value=80, priority="critical"))]
    many[-1] = Alarm(name="fire", point=OIL, hi=Limit(value=80, priority=Priority.CRITICAL))
    async with (
        hook() as server,
        rig(tmp_path, [li(server, at_most=2)], [AT_ONCE], alarms=many) as made,
    ):
        await ring(made, 5)
        await made.serve("li", 5)
        assert len(server.taken) == 2
        await ring(made, 5)
        await made.reads(90, OIL)
        await made.serve("li")
        assert server.taken[-1]["alarm"]["name"] == "fire"


async def test_a_new_start_remembers_how_much_somebody_got(tmp_path):
    clock = Clock()
    async with hook() as server:
        one = li(server, at_most=2)
        async with rig(tmp_path, [one], [AT_ONCE], alarms=alarms(9), clock=clock) as made:
            await ring(made, 9)
            await made.serve("li", 4)
            assert len(server.taken) == 2
            await made.reads(70, "acme/press/p0")
            await made.reads(90, "acme/press/p0")
        async with rig(tmp_path, [one], [AT_ONCE], alarms=alarms(9), clock=clock) as made:
            await made.serve("li", 4)
            assert len(server.taken) == 2


async def test_the_last_step_is_told_again_until_somebody_answers(tmp_path):
    rule = Rule(name="all", steps=AT_ONCE.steps, repeat_s=300, repeats_max=2)
    async with (
        hook() as server,
        rig(tmp_path, [li(server)], [rule]) as made,
    ):
        await made.reads(90)
        await made.serve("li")
        for seconds in (300, 600):
            made.clock.now = await made.serve("li")
            await made.serve("li")
            assert server.taken[-1]["alarm"]["unacknowledged_s"] == seconds
        assert await made.serve("li") == 0, "twice at most"
        assert len({b["id"] for b in server.taken}) == 3


async def test_an_answer_ends_the_repetitions(tmp_path):
    rule = Rule(name="all", steps=AT_ONCE.steps, repeat_s=300)
    async with (
        hook() as server,
        rig(tmp_path, [li(server)], [rule]) as made,
    ):
        await made.reads(90)
        await made.serve("li")
        state = made.desk.view(SYSTEM, "oil hot").state
        await made.answer(Acknowledged(time_ns=made.clock.now, event_id=state.event_id, by="li"))
        assert await made.serve("li") == 0
        assert len(server.taken) == 1


async def test_a_step_that_is_answered_while_it_is_tried_is_not_tried_again(tmp_path):
    rule = Rule(name="all", steps=(Step(to=("li",), after_s=60),))
    async with (
        hook("500") as server,
        rig(tmp_path, [li(server)], [rule]) as made,
    ):
        await made.reads(90)
        made.clock.passes(60)
        await made.serve("li")
        state = made.desk.view(SYSTEM, "oil hot").state
        await made.answer(Acknowledged(time_ns=made.clock.now, event_id=state.event_id, by="li"))
        made.clock.passes(60)
        await made.serve("li")
        assert len(server.tried) == 1
        assert [n.status for n in await made.found()] == [Status.CANCELLED]


async def test_mail_of_other_parts_waits_for_no_quiet_hours_and_is_cleared_later(tmp_path):
    all_day = Quiet(start="00:00", stop="24:00")
    async with (
        hook() as server,
        rig(tmp_path, [li(server, quiet=(all_day,))], [AT_ONCE]) as made,
    ):
        await made.notices.mail("li", subject="Shift report", text="All is well.", path="acme")
        await made.serve("li")
        assert server.taken[0]["subject"] == "[Acme] Shift report"
        assert server.taken[0]["text"] == "All is well."
        made.clock.passes(100)
        await made.notices.outbox.clear(made.clock.now)
        assert await made.found() == []
        page = await made.records.find("notice_contents")
        assert page.records == ()


@pytest.mark.parametrize("language", ["en", "de", "zh"])
async def test_a_recipient_reads_in_the_own_language_and_time(tmp_path, language):
    async with (
        hook() as server,
        rig(
            tmp_path,
            [li(server, language=language, zone="Asia/Shanghai")],
            [AT_ONCE],
            delivery=Delivery(url="https://plant.example"),
        ) as made,
    ):
        await made.reads(90)
        await made.serve("li")
        text = server.taken[0]["text"]
        words = {"en": "What to do", "de": "Was zu tun ist", "zh": "处理措施"}
        assert f"{words[language]}: Clean the cooler" in text
        assert "2025-12-01 20:00:00 CST" in text
        assert "https://plant.example/alarms?open=oil%20hot" in text
        assert "90 Cel" in text
