"""Every driver is put through the contract, and the contract through drivers that break it."""

import importlib.util
import operator
import time
import traceback
from pathlib import Path

import pytest

from lineshaft.core.errors import Refused
from lineshaft.core.plugin import find, kinds
from lineshaft.testing import drivers as contract
from lineshaft.testing import recorder

_spec = importlib.util.spec_from_file_location("lines", Path(__file__).with_name("lines.py"))
lines = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lines)

NAME = operator.attrgetter("__name__")
BROKEN = [
    (contract.emits, lines.DeclaresLate, "emitted before they were declared"),
    (contract.emits, lines.OldTimes, "is not of now"),
    (contract.stops, lines.LeavesTask, "left behind: <Task"),
    (contract.stops, lines.LeavesSocket, "sockets"),
    (contract.stops, lines.Swallows, "swallowed its cancellation"),
    (contract.waits, lines.Floods, "emits in flight"),
    (contract.waits, lines.Hoards, "bytes more in"),
    (contract.says_when_cut, lines.NeverNotices, "no LinkLost in"),
    (contract.says_when_cut, lines.WorksOnce, "again"),
    (contract.says_when_away, lines.WaitsForEver, "TimeoutError"),
    (contract.tells_unknown_points, lines.OneBadBlocksAll, "unknown point"),
    (contract.tells_unknown_points, lines.HidesTrouble, "trouble of"),
    (contract.tells_unknown_points, lines.OmitsBad, "a bad sample of the unknown point"),
    (contract.writes, lines.ForgetsWrites, "read back"),
    (contract.refuses, lines.TakesAnything, "no Refused was raised"),
    (contract.describes_itself, lines.BadExample, "unknown field `prot`"),
]


@pytest.fixture
def plugin(kind):
    return find("drivers", kind)  # imports it, which no running loop should do


@pytest.mark.parametrize("kind", kinds("drivers"))
@pytest.mark.parametrize("check", contract.DRIVER, ids=NAME)
async def test_driver(kind, plugin, check):
    await check(plugin)


@pytest.mark.parametrize("check", contract.DRIVER, ids=NAME)
async def test_a_sound_driver_passes(check):
    await check(lines.Lines)


@pytest.mark.parametrize(("check", "plugin", "words"), BROKEN)
async def test_a_broken_driver_fails(check, plugin, words, monkeypatch):
    monkeypatch.setattr(recorder, "PATIENCE_S", 1.5)
    monkeypatch.setattr(contract, "SETTLE_S", 0.5)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - an assertion, alone or in a group
        await check(plugin)
    assert words in "".join(traceback.format_exception(caught.value))


async def test_a_blocking_call_on_the_loop_fails():
    class Sleeps(lines.Lines):
        async def poll(self, feed):
            time.sleep(0.001)  # noqa: ASYNC251 - what the test is about
            return await super().poll(feed)

    with pytest.raises(ExceptionGroup) as caught:
        await contract.emits(Sleeps)
    assert "Blocking call to time.sleep" in repr(caught.value)


async def test_a_protocol_that_knows_no_browsing_says_so():
    with pytest.raises(Refused, match=r"tcp://x cannot be browsed"):
        await lines.Lines.browse("tcp://x", root="1")
    with pytest.raises(Refused, match=r"tcp://x cannot be browsed"):
        lines.Lines.settings_for([], name="a", address="tcp://x", at="b")
