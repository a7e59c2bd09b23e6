"""Alarms that machines judge themselves: on the desk as the machine says, answered through it."""

from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.drivers.plc import plc
from tests.operations.notices.servers import hook
from tests.twins.living.plants import plant, until

from lineshaft.core.access import SYSTEM, Action, Identity
from lineshaft.core.errors import Denied, Invalid, Refused, Stale
from lineshaft.core.plugin import build
from lineshaft.drivers import Condition
from lineshaft.gather.device import State as Link
from lineshaft.operations.alarms import desk as desks
from lineshaft.operations.alarms.desk import SUBSCRIPTION, Desk
from lineshaft.operations.alarms.foreign import Foreign
from lineshaft.operations.alarms.happenings import (
    Acknowledged,
    Disabled,
    Enabled,
    TimedShelved,
)
from lineshaft.operations.alarms.origins import happenings, origin_of
from lineshaft.operations.alarms.settings import Alarm, Limit
from lineshaft.operations.alarms.state import State
from lineshaft.operations.alarms.transitions import after
from lineshaft.operations.alarms.view import Letter
from lineshaft.records import Records
from lineshaft.security.access import Branches
from lineshaft.spines import Spine

S = 1_000_000_000
HOT = Condition(
    id="ns=2;i=1",
    source="Press",
    name="oil hot",
    event_id="0a",
    time_ns=100 * S,
    message="Oil 92 °C",
    severity=700,
    active=True,
    acked=False,
    must_ack=True,
)
NAME = "plc/Press/oil hot"


def now(**more) -> Condition:
    return Condition(**{f: getattr(HOT, f) for f in HOT.__struct_fields__} | more)


class Machine:
    """A device that notes what it is told, agrees, or does not."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.no = ""
        self.meanwhile = None

    async def acknowledge(self, name, condition, comment):
        self.asked.append((condition.event_id, comment))
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.no:
            raise Refused(self.no)


@asynccontextmanager
async def board(folder, *alarms):
    spine = build(Spine, {"name": "spine", "kind": "memory"})
    spine.durable(SUBSCRIPTION, "data.>", size_max=8)
    path = str(folder / "records")
    records = build(Records, {"name": "records", "kind": "sqlite", "path": path})
    async with records.opened(desks.COLLECTIONS):
        desk = Desk(records, spine, Branches(), clock=lambda: 200 * S)
        await desk.start(alarms)
        machine = Machine()
        yield desk, Foreign(desk, machine, clock=lambda: 200 * S), machine


def acknowledged(desk):
    state = desk.view(SYSTEM, NAME).state
    return Acknowledged(time_ns=150 * S, event_id=state.event_id, by="li")


async def test_an_alarm_of_a_device_stands_on_the_desk_with_what_it_says(tmp_path):
    async with board(tmp_path) as (desk, foreign, _):
        await foreign.told("plc", "acme/press", [HOT])
        view = desk.view(SYSTEM, NAME)
        assert (view.letter, view.state.severity) == (Letter.UNACKNOWLEDGED, 700)
        assert (view.alarm.point, view.alarm.description) == ("acme/press/Press", "Oil 92 °C")
        await foreign.told("plc", "acme/press", [now(active=False, time_ns=110 * S)])
        assert desk.view(SYSTEM, NAME).letter is Letter.RETURNED_UNACKNOWLEDGED
        await foreign.told("plc", "acme/press", [now(active=False, acked=True, retain=False)])
        assert desk.view(SYSTEM, NAME).letter is Letter.NORMAL
        kinds = [e.event.kind for e in await desk.book.records.events(kind="alarm")]
        assert kinds == ["alarm.arisen", "alarm.gone", "alarm.acknowledged"]


async def test_it_is_as_it_was_after_a_restart_and_ends_when_it_is_listed_no_more(tmp_path):
    async with board(tmp_path) as (desk, foreign, _):
        await foreign.told("plc", "acme/press", [HOT, now(id="ns=2;i=2", name="door open")])
        before = desk.views(SYSTEM)
    async with board(tmp_path) as (desk, foreign, _):
        assert desk.views(SYSTEM) == before
        await foreign.told("plc", "acme/press", [], listed=frozenset({"ns=2;i=2"}))
        assert desk.view(SYSTEM, NAME).letter is Letter.NORMAL
        assert desk.view(SYSTEM, "plc/Press/door open").letter is Letter.UNACKNOWLEDGED


async def test_conditions_of_one_name_are_alarms_of_their_own_after_a_restart_too(tmp_path):
    other = {"id": "ns=2;i=2", "event_id": "0b"}
    async with board(tmp_path) as (desk, foreign, _):
        await foreign.told("plc", "acme/press", [HOT, now(**other)])
        first, second = sorted(v.alarm.name for v in desk.views(SYSTEM))
        assert first == NAME
        assert second.startswith(f"{NAME} #")
    async with board(tmp_path) as (desk, foreign, machine):
        quiet = now(**other, active=False, acked=True, retain=False)
        await foreign.told("plc", "acme/press", [quiet])
        assert desk.view(SYSTEM, NAME).letter is Letter.UNACKNOWLEDGED
        assert desk.view(SYSTEM, second).letter is Letter.NORMAL
        await foreign.told("plc", "acme/press", [now(**other)])
        event_id = desk.view(SYSTEM, second).state.event_id
        what = Acknowledged(time_ns=150 * S, event_id=event_id, by="li")
        await foreign.answer(SYSTEM, second, what)
        assert machine.asked == [("0b", "Lineshaft")]
        assert desk.view(SYSTEM, NAME).letter is Letter.UNACKNOWLEDGED
        assert len(desk.views(SYSTEM)) == 2


async def test_a_condition_that_rings_while_its_namesake_is_quiet_does_not_take_its_shelf(tmp_path):
    async with board(tmp_path) as (desk, foreign, _):
        await foreign.told("plc", "acme/press", [HOT])
        await foreign.answer(SYSTEM, NAME, TimedShelved(time_ns=200 * S, seconds=60))
        await foreign.told("plc", "acme/press", [now(active=False, acked=True, retain=False)])
        await foreign.told("plc", "acme/press", [now(id="ns=2;i=2")])
        letters = {v.alarm.name: v.letter for v in desk.views(SYSTEM)}
        assert letters.pop(NAME) is Letter.SHELVED
        assert [*letters.values()] == [Letter.UNACKNOWLEDGED]


async def test_a_device_that_counts_its_conditions_anew_keeps_their_names(tmp_path):
    async with board(tmp_path) as (desk, foreign, _):
        for start in range(3):
            condition = now(id=f"ns=2;i={start}")
            await foreign.told("plc", "acme", [condition], listed=frozenset({condition.id}))
            (view,) = desk.views(SYSTEM)
            assert (view.alarm.name, view.letter) == (NAME, Letter.UNACKNOWLEDGED)


async def test_the_device_agrees_before_an_acknowledgement_counts(tmp_path):
    async with board(tmp_path) as (desk, foreign, machine):
        await foreign.told("plc", "acme/press", [HOT])
        machine.no = "not now"
        with pytest.raises(Refused, match="not now"):
            await foreign.answer(SYSTEM, NAME, acknowledged(desk))
        assert desk.view(SYSTEM, NAME).letter is Letter.UNACKNOWLEDGED
        machine.no = ""
        await foreign.answer(SYSTEM, NAME, acknowledged(desk), comment="on my way")
        assert desk.view(SYSTEM, NAME).letter is Letter.ACKNOWLEDGED
        assert machine.asked == [("0a", "Lineshaft"), ("0a", "on my way")]
        with pytest.raises(Stale, match="AlreadyAcked"):
            await foreign.answer(SYSTEM, NAME, acknowledged(desk))
        assert len(machine.asked) == 2, "what is refused here is not asked there"


@pytest.mark.parametrize("no", ["", "not now"])
async def test_the_devices_own_word_meanwhile_is_neither_lost_nor_taken_for_another(tmp_path, no):
    async with board(tmp_path) as (desk, foreign, machine):
        await foreign.told("plc", "acme/press", [HOT])
        machine.no = no

        async def meanwhile():
            await foreign.told("plc", "acme/press", [now(acked=True, time_ns=120 * S)])

        machine.meanwhile = meanwhile
        what = acknowledged(desk)
        if no:
            with pytest.raises(Refused):
                await foreign.answer(SYSTEM, NAME, what)
        else:
            await foreign.answer(SYSTEM, NAME, what)
        state = desk.view(SYSTEM, NAME).state
        assert (state.acked, state.acked_by) == (True, "plc" if no else "li")


async def test_shelving_is_ours_and_the_devices_own_covers(tmp_path):
    async with board(tmp_path) as (desk, foreign, machine):
        await foreign.told("plc", "acme/press", [HOT])
        await foreign.answer(SYSTEM, NAME, TimedShelved(time_ns=200 * S, seconds=60))
        assert desk.view(SYSTEM, NAME).letter is Letter.SHELVED
        assert machine.asked == []
        await foreign.told("plc", "acme/press", [now(covered=True)])
        assert desk.view(SYSTEM, NAME).letter is Letter.SUPPRESSED


async def test_a_foreign_alarm_is_not_defined_here_and_comes_back_when_it_was_removed(tmp_path):
    async with board(tmp_path) as (desk, foreign, _):
        await foreign.told("plc", "acme/press", [HOT])
        with pytest.raises(Invalid, match="judged by the device 'plc'"):
            await desk.define(SYSTEM, Alarm(name=NAME, point="acme/press/x", hi=Limit(value=1)))
        await desk.remove(SYSTEM, NAME)
        assert desk.views(SYSTEM) == []
        await foreign.told("plc", "acme/press", [HOT])
        assert desk.view(SYSTEM, NAME).letter is Letter.UNACKNOWLEDGED


async def test_an_alarm_that_is_enabled_again_stands_as_its_device_says(tmp_path):
    async with board(tmp_path) as (_desk, foreign, _):
        await foreign.told("plc", "acme/press", [HOT])
        await foreign.answer(SYSTEM, NAME, Disabled(time_ns=120 * S))
        await foreign.told("plc", "acme/press", [now(severity=900, time_ns=130 * S)])
        found = await foreign.answer(SYSTEM, NAME, Enabled(time_ns=140 * S))
        assert (found.letter, found.state.severity) == (Letter.UNACKNOWLEDGED, 900)


async def test_who_may_only_look_does_not_reach_the_device(tmp_path):
    async with board(tmp_path) as (desk, foreign, machine):
        await foreign.told("plc", "acme/press", [HOT])
        viewer = Identity(name="v", actions=frozenset({Action.LOOK}))
        with pytest.raises(Denied):
            await foreign.answer(viewer, NAME, acknowledged(desk))
        far = Identity(name="f", actions=frozenset(Action), branches=("acme/paint",))
        assert desk.views(far) == []
        ids = {NAME: desk.view(SYSTEM, NAME).state.event_id}
        assert len(await foreign.acknowledge(viewer, ids)) == 1
        assert machine.asked == []
        assert await foreign.acknowledge(SYSTEM, ids) == []
        assert len(machine.asked) == 1


async def test_what_there_is_no_room_for_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("lineshaft.operations.alarms.foreign.FOREIGN_MAX", 1)
    async with board(tmp_path) as (desk, foreign, _):
        await foreign.told("plc", "acme", [HOT, now(name="b"), now(name="c")])
        await foreign.told("plc", "acme", [HOT])
        assert [v.alarm.name for v in desk.views(SYSTEM)] == [NAME]
        assert foreign.lost == 2


said = st.builds(
    now,
    time_ns=st.integers(1, 10**18),
    severity=st.integers(1, 1000),
    enabled=st.booleans(),
    active=st.booleans(),
    acked=st.booleans(),
    must_ack=st.just(True),
    covered=st.booleans(),
    retain=st.booleans(),
)


@given(st.lists(said, min_size=1, max_size=8))
def test_the_state_is_as_the_device_says_whatever_it_said_before(conditions):
    state = State()
    for condition in conditions:
        origin = origin_of("plc", "acme", condition)
        for what in happenings(state, origin):
            done = after(state, what, origin.alarm.traits())
            assert isinstance(done, State)
            state = done
        assert state.active == (condition.enabled and condition.active)
        asks = condition.enabled and condition.retain and not condition.acked
        assert state.acked is not asks
        assert state.suppressed is condition.covered
        assert state.severity == (condition.severity if state.active else 0)
        assert happenings(state, origin) == [], "saying it again changes nothing"


@given(st.text(), st.text(), st.text(max_size=300), st.text(max_size=300))
def test_any_name_makes_an_alarm_with_a_path(device, at, source, name):
    origin = origin_of(device, "acme" if at else "", now(source=source, name=name))
    assert origin.alarm.name.isprintable()
    assert len(origin.alarm.name) <= 200
    assert origin.alarm.point


TABLES = """
[[drivers]]
name = "plc"
kind = "opcua"
url = "{url}"
at = "acme/press"
publish_ms = 50
events = ["i=2253"]

[[recipients]]
name = "program"
url = "{hook}"

[[notices]]
name = "all"
steps = [{{ to = ["program"] }}]
"""


@pytest.mark.timeout(240)
async def test_an_alarm_of_a_server_is_told_acknowledged_and_survives_a_break(tmp_path):
    async with plc() as server, hook() as program:
        tables = TABLES.format(url=server.url, hook=program.url)
        async with plant(tmp_path, tables) as (made, http):

            async def is_connected():
                return made.devices.device("plc").state is Link.CONNECTED

            await until(is_connected)

            async def view():
                items = (await http.get("/api/v1/alarms")).json()["items"]
                return items[0] if items else None

            await server.tell("oil hot", active=True, acked=False)
            await program.until(1)
            assert program.taken[0]["alarm"]["name"] == NAME
            found = await view()
            assert found["letter"] == "B"
            deed = {"do": "acknowledge", "event_id": found["state"]["event_id"]}
            answer = {"alarm": NAME, "deed": deed, "comment": "on my way"}
            done = await http.post("/api/v1/alarms/answer", json=answer)
            assert done.json()["letter"] == "C"
            assert server.comments == ["on my way"]
            await server.restart()
            await server.tell("oil hot", active=False, acked=True)

            async def is_normal():
                return (await view())["letter"] == "A"

            await until(is_normal)
            assert not made.devices.device("plc").lost_by_reason()


@pytest.mark.timeout(240)
async def test_two_conditions_of_a_server_with_one_name_ring_and_end_each_for_itself(tmp_path):
    async with plc() as server, hook() as program:
        tables = TABLES.format(url=server.url, hook=program.url)
        async with plant(tmp_path, tables) as (made, http):

            async def is_connected():
                return made.devices.device("plc").state is Link.CONNECTED

            async def letters():
                items = (await http.get("/api/v1/alarms")).json()["items"]
                return sorted((i["alarm"]["name"] == NAME, i["letter"]) for i in items)

            async def are_both():
                return await letters() == [(False, "B"), (True, "B")]

            async def is_one_over():
                return await letters() == [(False, "A"), (True, "B")]

            await until(is_connected)
            await server.tell("oil hot", active=True, acked=False)
            await server.tell("left", active=True, acked=False, ConditionName="oil hot")
            await until(are_both)
            await server.tell("left", active=False, acked=True)
            await until(is_one_over)
            await server.restart()
            await server.tell("left", active=True, acked=False)
            await until(are_both)


async def test_a_change_of_our_alarms_leaves_those_of_devices_as_they_are(tmp_path):
    async with board(tmp_path) as (desk, foreign, _):
        await foreign.told("plc", "acme/hall", [HOT])
        before = desk.view(SYSTEM, NAME)
        await desk.define(SYSTEM, Alarm(name="ours", point="acme/x", hi=Limit(value=1)))
        await desk.reload([])
        assert desk.view(SYSTEM, NAME) == before
        with pytest.raises(Invalid, match="device 'plc'"):
            await desk.define(SYSTEM, Alarm(name=NAME, point="acme/x", hi=Limit(value=1)))
    async with board(tmp_path) as (desk, _, _):
        assert desk.view(SYSTEM, NAME) == before
