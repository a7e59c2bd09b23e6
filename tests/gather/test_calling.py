"""What the settings say of arguments of methods is what may be given."""

import asyncio
import math
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid, Refused
from lineshaft.core.settings import Settings
from lineshaft.drivers import Driver, Method
from lineshaft.gather import ArgumentRule, CallRule
from lineshaft.gather.calling import Caller, _check_argument, check_calls
from lineshaft.gather.device import State

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(ANYTHING, st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_within_limits_there_is_nothing_but_numbers_of_the_range(value, low, width):
    rule = ArgumentRule(low=low, high=low + width)
    fits = (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and not math.isnan(value)
        and low <= value <= low + width
    )
    if fits:
        _check_argument("m: a", rule, value)
    else:
        with pytest.raises(Refused, match="m: a"):
            _check_argument("m: a", rule, value)


@given(ANYTHING)
def test_without_an_entry_there_are_texts_and_truth_values_alone(value):
    if isinstance(value, bool | str):
        _check_argument("m: a", None, value)
    else:
        with pytest.raises(Refused, match=r"\[\[calls\]\]"):
            _check_argument("m: a", None, value)
    _check_argument("m: a", ArgumentRule(), value)


@pytest.mark.parametrize(
    ("values", "value", "fits"),
    [
        (("a", "b"), "b", True),
        (("a", "b"), "c", False),
        ((1.0, 2.0), 2, True),
        ((1.0,), True, False),
        ((True,), True, True),
        ((True,), 1, False),
    ],
)
def test_one_of_several_values_is_one_of_them(values, value, fits):
    if fits:
        _check_argument("m: a", ArgumentRule(values=values), value)
        return
    with pytest.raises(Refused, match="one of"):
        _check_argument("m: a", ArgumentRule(values=values), value)


@pytest.mark.parametrize(
    "rules",
    [
        [CallRule(method="a/b"), CallRule(method="a/b")],
        [CallRule(method="a//b")],
        [CallRule(method="a/b", arguments={"n": ArgumentRule(low=2, high=1)})],
    ],
)
def test_rules_that_cannot_be_kept_to_are_refused(rules):
    with pytest.raises(Invalid):
        check_calls(rules)


class Slow(Driver):
    """Has one method, which never answers."""

    def __init__(self):
        super().__init__("press", Settings())
        self.begun = asyncio.Event()

    async def run(self, feed):
        await feed.emit(Batch.of_rows([Sample("bench/p", now_ns(), 1.0)]))
        await asyncio.Event().wait()

    def methods(self):
        return (Method(path="bench/start"),)

    async def call(self, path, inputs):
        self.begun.set()
        await asyncio.Event().wait()

    @classmethod
    @asynccontextmanager
    async def bench(cls):
        yield None


async def test_a_call_that_nobody_waits_for_any_more_has_its_end_on_record(house):
    slow = Slow()
    house.devices.add(slow)
    caller = Caller(house.devices, house, house, house)
    caller.allow([CallRule(method="bench/start")])
    who = Identity(name="otto", actions=frozenset({Action.WRITE}))
    async with house.running(), asyncio.TaskGroup() as group:
        async with asyncio.timeout(10):
            while house.devices.device("press").state is not State.CONNECTED:
                await asyncio.sleep(0.005)
            call = group.create_task(caller.call(who, "bench/start", {}))
            await slow.begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    told = [e for e in house.events if e.kind.startswith("call.")]
    assert [e.kind for e in told] == ["call.begun", "call.failed"]
    assert "not known" in told[-1].data["problem"]
