"""Killed at random moments, alarms go on as if nothing had been: states, delays, shelves, once."""

import asyncio
import random
import subprocess
import sys
from collections import Counter

from tests.operations.alarms.desks import desk
from tests.operations.alarms.killed import ALARMS, GROUPS, STEPS, live

from lineshaft.core.access import SYSTEM

KILLS = 3


async def outcome(folder):
    """All events, and where every alarm stands."""
    events, after = Counter(), 0
    async with desk(folder, *ALARMS, groups=GROUPS) as made:
        while page := await made.book.records.events(kind="alarm", after=after, limit=1000):
            after = page[-1].seq
            for event in (logged.event for logged in page):
                data = event.data
                events[event.kind, event.time_ns, data["alarm"], data["event_id"]] += 1
        return events, {v.alarm.name: v.state for v in made.views(SYSTEM)}


async def test_killed_at_random_moments_alarms_go_on_as_if_nothing_had_been(tmp_path):
    dice = random.Random(3)
    first = 0
    for _ in range(KILLS):
        command = [sys.executable, "-m", "tests.operations.alarms.killed", str(tmp_path / "k")]
        with subprocess.Popen([*command, str(first)], stdout=subprocess.PIPE, text=True) as run:
            for _ in range(dice.randrange(20, STEPS // KILLS)):
                first = int(await asyncio.to_thread(run.stdout.readline))
            run.kill()
            rest = await asyncio.to_thread(run.stdout.read)
        # What was not confirmed comes again, and what was confirmed last may too.
        first = max([first, *(int(line) for line in rest.split()[:-1] if line.isdigit())])
    await live(tmp_path / "k", first)
    await live(tmp_path / "w", 0)
    events, states = await outcome(tmp_path / "k")
    expected, expected_states = await outcome(tmp_path / "w")
    assert len(expected) > 50
    assert events == expected
    assert states == expected_states
