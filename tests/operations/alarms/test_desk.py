from contextlib import asynccontextmanager

import msgspec
import pytest

from lineshaft.core.access import SYSTEM, Action, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.errors import Denied, Invalid, Missing, Stale
from lineshaft.core.plugin import build
from lineshaft.operations.alarms.desk import COLLECTIONS, SUBSCRIPTION, Desk
from lineshaft.operations.alarms.happenings import Acknowledged, Reset, TimedShelved
from lineshaft.operations.alarms.settings import Alarm, Limit, Priority
from lineshaft.operations.alarms.state import Traits
from lineshaft.operations.alarms.view import Annunciation, Letter
from lineshaft.records import Append, Records
from lineshaft.security.access import Branches
from lineshaft.spines import Spine

S = 1_000_000_000
OIL = Alarm(name="oil hot", point="acme/press/oil", hi=Limit(value=80, priority=Priority.HIGH))
SLOW = Alarm(name="slow", point="acme/press/oil", hi=Limit(value=80), on_delay_s=10)


class Clock:
    now = 100 * S

    def __call__(self) -> int:
        return self.now


@asynccontextmanager
async def desk(folder, *alarms, clock=None):
    spine = build(Spine, {"name": "spine", "kind": "memory"})
    spine.durable(SUBSCRIPTION, "data.>", size_max=8)
    path = str(folder / "records")
    records = build(Records, {"name": "records", "kind": "sqlite", "path": path})
    async with records.opened(COLLECTIONS):
        made = Desk(records, spine, Branches(), clock=clock or Clock())
        await made.start(alarms)
        yield made


def oil(time_s: int, value: float) -> Batch:
    return Batch.of_rows([("acme/press/oil", time_s * S, value)])


async def journal(made: Desk) -> list[str]:
    return [e.event.kind for e in await made._records.events(kind="alarm")]


async def test_an_alarm_rings_is_answered_and_returns(tmp_path):
    async with desk(tmp_path, OIL) as made:
        await made.take(oil(1, 90))
        view = made.view(SYSTEM, "oil hot")
        assert (view.letter, view.state.severity) == (Letter.UNACKNOWLEDGED, 625)
        ack = Acknowledged(time_ns=2 * S, event_id=view.state.event_id, by="li")
        assert (await made.answer(SYSTEM, "oil hot", ack)).annunciation is Annunciation.STEADY
        await made.take(oil(3, 70))
        assert made.view(SYSTEM, "oil hot").letter is Letter.NORMAL
        assert await journal(made) == ["alarm.arisen", "alarm.acknowledged", "alarm.gone"]


async def test_everything_is_as_it_was_after_a_restart(tmp_path):
    async with desk(tmp_path, OIL, SLOW) as made:
        await made.take(oil(1, 90))
        await made.answer(SYSTEM, "slow", TimedShelved(time_ns=S, seconds=60))
        before = made.views(SYSTEM)
    clock = Clock()
    clock.now = 11 * S
    async with desk(tmp_path, OIL, SLOW, clock=clock) as made:
        assert made.views(SYSTEM) == before
        await made.tick()
        slow = made.view(SYSTEM, "slow")
        assert (slow.state.active, slow.state.active_ns) == (True, 11 * S)
        assert slow.letter is Letter.SHELVED


async def test_a_refused_deed_is_told_with_its_code_and_stands_in_the_journal(tmp_path):
    async with desk(tmp_path, OIL) as made:
        with pytest.raises(Stale, match="Bad_InvalidState"):
            await made.answer(SYSTEM, "oil hot", Reset(time_ns=S))
        (event,) = await made._records.events(kind="alarm")
        assert event.event.data["refused"] == "Bad_InvalidState"


async def test_who_may_not_see_or_answer_is_turned_away(tmp_path):
    viewer = Identity(name="li", actions=frozenset({Action.LOOK}))
    stranger = Identity(name="wu", actions=frozenset(Action), branches=("acme/saw",))
    reset = Reset(time_ns=S)
    async with desk(tmp_path, OIL) as made:
        with pytest.raises(Denied):
            await made.answer(viewer, "oil hot", reset)
        with pytest.raises(Missing):
            await made.answer(stranger, "oil hot", reset)
        with pytest.raises(Denied):
            await made.define(viewer, SLOW)
        assert made.views(stranger) == []
        with pytest.raises(Missing):
            await made.remove(stranger, "oil hot")


async def test_alarms_are_defined_changed_and_removed_at_run_time(tmp_path):
    async with desk(tmp_path, OIL) as made:
        await made.define(SYSTEM, SLOW)
        await made.take(oil(1, 90))
        assert not made.view(SYSTEM, "slow").state.active
        changed = msgspec.structs.replace(SLOW, on_delay_s=0.0)
        await made.define(SYSTEM, changed)
        await made.take(oil(2, 90))
        assert made.view(SYSTEM, "slow").state.active
    async with desk(tmp_path, OIL) as made:
        assert made.view(SYSTEM, "slow").alarm == changed
        await made.remove(SYSTEM, "slow")
        with pytest.raises(Missing):
            made.view(SYSTEM, "slow")


async def test_alarms_of_the_file_are_changed_in_the_file(tmp_path):
    async with desk(tmp_path, OIL) as made:
        with pytest.raises(Invalid, match="settings file"):
            await made.define(SYSTEM, OIL)
        with pytest.raises(Invalid, match="settings file"):
            await made.remove(SYSTEM, "oil hot")


async def test_a_reload_that_changes_alarms_is_on_record_with_who_had_it_done(tmp_path):
    li = Identity(name="li", actions=frozenset(Action))
    other = msgspec.structs.replace(OIL, hi=Limit(value=95))
    async with desk(tmp_path, OIL, SLOW) as made:
        await made.take(oil(1, 90))
        await made.reload([other, msgspec.structs.replace(SLOW, name="new")], who=li)
        await made.reload([other, msgspec.structs.replace(SLOW, name="new")], who=li)
        events = [e.event for e in await made._records.events(kind="alarm")]
        told = [(e.kind, e.actor, e.data["alarm"]) for e in events]
        assert told == [
            ("alarm.arisen", "lineshaft", "oil hot"),
            ("alarm.defined", "li", "oil hot"),
            ("alarm.defined", "li", "new"),
            ("alarm.removed", "li", "slow"),
        ]
        assert events[1].data["before"] == {"hi": msgspec.to_builtins(OIL.hi)}


async def test_a_limit_taken_out_by_reload_ends_in_the_commit_that_tells_of_it(tmp_path):
    both = msgspec.structs.replace(OIL, hihi=Limit(value=85))
    async with desk(tmp_path, both) as made:
        await made.take(oil(1, 90))
        seen = []
        commit = made.commit

        async def noted(changes):
            seen.append([c.event.kind for c in changes if isinstance(c, Append)])
            await commit(changes)

        made.commit = noted
        await made.reload([msgspec.structs.replace(both, hihi=None, lo=Limit(value=5), hi=None)])
        assert seen == [["alarm.gone", "alarm.defined"]]


async def test_a_name_in_both_homes_is_an_error(tmp_path):
    async with desk(tmp_path) as made:
        await made.define(SYSTEM, OIL)
    with pytest.raises(Invalid, match="twice"):
        async with desk(tmp_path, OIL):
            pass


async def test_the_most_urgent_stands_first(tmp_path):
    low = Alarm(name="a low", point="acme/press/oil", hi=Limit(value=50, priority=Priority.LOW))
    quiet = Alarm(name="b quiet", point="acme/press/oil", hi=Limit(value=500))
    seen = Alarm(
        name="c seen", point="acme/press/oil", hi=Limit(value=1), life=Traits(acknowledge=False)
    )
    async with desk(tmp_path, quiet, seen, low, OIL) as made:
        await made.take(oil(1, 90))
        assert [v.alarm.name for v in made.views(SYSTEM)] == [
            "oil hot",
            "a low",
            "c seen",
            "b quiet",
        ]
