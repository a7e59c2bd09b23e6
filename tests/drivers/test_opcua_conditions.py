"""Alarms of a real OPC UA server: taken, listed after a break, acknowledged."""

import asyncio

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st
from tests.drivers.plc import plc

from lineshaft.core.errors import Refused, SettingsError
from lineshaft.drivers import Condition
from lineshaft.drivers.opcua import OpcUa
from lineshaft.drivers.opcua.conditions import (
    END,
    FIELDS,
    HANDLES,
    OVERFLOW,
    START,
    Conditions,
    condition_of,
)
from lineshaft.drivers.opcua.link import Access, Link
from lineshaft.testing.recorder import Recorder, running


def driver(url: str, *events: str) -> OpcUa:
    events = events or ("i=2253",)
    return OpcUa("plc", OpcUa.Config(url=url, at="acme/press", publish_ms=20, events=events))


async def test_an_alarm_arises_is_acknowledged_and_returns():
    async with plc() as server:
        made, feed = driver(server.url), Recorder()
        async with running(made, feed):
            await feed.until(lambda: feed.listed, "the list after the connect")
            await server.tell("oil hot", active=True, acked=False)
            await feed.until(lambda: feed.told, "the alarm")
            alarm = feed.told[-1]
            assert (alarm.source, alarm.name, alarm.id) == (
                "Press",
                "oil hot",
                "ns=2;s=Alarm.oil hot",
            )
            assert (alarm.active, alarm.acked, alarm.severity) == (True, False, 700)
            assert alarm.message == "oil hot says so"
            assert (alarm.must_ack, alarm.retain) == (True, True)
            await made.acknowledge(alarm, "on my way")
            await feed.until(lambda: feed.told[-1].acked, "the acknowledgement")
            assert server.comments == ["on my way"]
            await server.tell("oil hot", active=False)
            await feed.until(lambda: not feed.told[-1].active, "the return")
            assert not feed.told[-1].retain
            with pytest.raises(Refused, match="BadEventIdUnknown"):
                await made.acknowledge(alarm, "again")


async def test_what_happened_while_we_were_away_is_listed():
    async with plc() as server:
        made = driver(server.url)
        await server.tell("oil hot", active=True, acked=False)
        await server.tell("door open", active=True, acked=True)
        await server.tell("air low", active=True, acked=False)
        await server.tell("air low", active=False, acked=True)
        feed = Recorder()
        async with running(made, feed):
            await feed.until(lambda: feed.listed, "the list")
            assert {c.name for c in feed.told} == {"oil hot", "door open"}
            assert feed.listed == [frozenset(c.id for c in feed.told)]
        await server.tell("oil hot", active=False, acked=True)
        second = Recorder()
        async with running(made, second):
            await second.until(lambda: second.listed, "the next list")
            assert second.listed == [frozenset({"ns=2;s=Alarm.door open"})]


async def test_events_are_held_back_while_they_cannot_be_kept():
    async with plc() as server:
        made, feed = driver(server.url), Recorder()
        async with running(made, feed):
            await feed.until(lambda: feed.listed, "the list")
            feed.hold()
            for n in range(30):
                await server.tell(f"a{n}", active=True, acked=False)
            await asyncio.sleep(0.1)
            assert not feed.told
            feed.release()
            await feed.until(lambda: len(feed.told) == 30, "all of them")
            assert [c.name for c in feed.told] == [f"a{n}" for n in range(30)]
            assert not feed.losses


async def test_a_notifier_that_the_server_does_not_know_is_told_and_the_rest_goes_on():
    async with plc() as server:
        made, feed = driver(server.url, "ns=7;s=Nobody", "i=2253"), Recorder()
        async with running(made, feed):
            await feed.until(lambda: feed.listed, "the list")
            assert (feed.troubles["ns=7;s=Nobody"] or "").startswith("Bad")
            assert feed.troubles["i=2253"] is None
            await server.tell("oil hot", active=True, acked=False)
            await feed.until(lambda: feed.told, "the alarm")


def event(notifier: int, **fields) -> ua.EventFieldList:
    """An event as a notifier sends it; `id` is the condition's node."""
    values = {"EventType": ua.NodeId(ua.ObjectIds.AlarmConditionType)} | fields
    values[""] = ua.NodeId(values.pop("id"), 2) if "id" in values else None
    return ua.EventFieldList(HANDLES + notifier, [ua.Variant(values.get(n)) for n, _ in FIELDS])


def retained(notifier: int, name: str) -> ua.EventFieldList:
    return event(notifier, id=name, ConditionName=name, Retain=True)


async def test_what_one_notifier_lists_does_not_end_what_another_lists():
    # Servers answer a refresh for one monitored item after the other, each with start and end.
    feed = Recorder()
    made = Conditions(Link("plc", Access("opc.tcp://nowhere")), feed, ("i=2253", "ns=2;s=Area"))
    await made.take([event(0, EventType=START), retained(0, "a"), event(0, EventType=END)])
    assert feed.listed == []
    await made.take([event(1, EventType=START), retained(1, "b"), event(1, EventType=END)])
    assert feed.listed == [frozenset({"ns=2;s=a", "ns=2;s=b"})]
    assert [c.name for c in feed.told] == ["a", "b"]


async def test_a_list_with_gaps_ends_nothing():
    feed = Recorder()
    made = Conditions(Link("plc", Access("opc.tcp://nowhere")), feed, ("i=2253",))
    gap = event(0, EventType=OVERFLOW)
    await made.take([event(0, EventType=START), retained(0, "a"), gap, event(0, EventType=END)])
    assert feed.listed == []
    assert feed.losses == {"event overflow": 1}
    assert "more than its queue holds" in (feed.troubles["ConditionRefresh"] or "")


async def test_an_earlier_state_that_is_answered_apart_is_counted_and_changes_nothing():
    feed = Recorder()
    made = Conditions(Link("plc", Access("opc.tcp://nowhere")), feed, ("i=2253",))
    await made.take([event(0, id="a", Retain=True, BranchId=ua.NodeId("b", 2))])
    assert feed.told == []
    assert feed.losses == {"condition branches": 1}


async def test_hundreds_of_alarms_at_once_are_all_told():
    async with plc() as server:
        made, feed = driver(server.url), Recorder()
        async with running(made, feed):
            await feed.until(lambda: feed.listed, "the list")
            for n in range(300):
                await server.tell(f"a{n}", active=True, acked=False)
            await feed.until(lambda: len(feed.told) == 300, "all of them")
            assert {c.name for c in feed.told} == {f"a{n}" for n in range(300)}
            assert not feed.losses
        second = Recorder()
        async with running(made, second):
            await second.until(lambda: second.listed, "the list after a reconnect")
            assert len(second.listed[0]) == 300


def test_what_names_no_node_is_refused():
    with pytest.raises(SettingsError, match="names no node"):
        driver("opc.tcp://a", "Server")


strange = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.floats(allow_nan=True)
)


@given(st.fixed_dictionaries({name: strange for name, _ in FIELDS if name != "Time"}))
def test_strange_fields_make_a_condition_or_are_refused_as_a_whole(fields):
    try:
        made = condition_of("i=1", fields)
    except (ValueError, TypeError, OverflowError):
        return
    assert isinstance(made, Condition)
    assert 1 <= made.severity <= 1000
    assert made.source
    assert made.name
