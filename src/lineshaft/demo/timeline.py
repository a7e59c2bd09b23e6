"""What a machine does when: its states as segments of time, which can be summed up exactly.

All that has inertia or counts (temperatures, parts, energy) is worked out from the segments in
closed form, so any moment can be asked for directly, in any order and at any step.
"""

import enum
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lineshaft.demo.noise import Floats, channel

States = npt.NDArray[np.int64]

DAY_S = 86_400.0
SHIFTS_S = (6 * 3600.0, 14 * 3600.0, 22 * 3600.0)
"""Early, late and night shift begin at these seconds of the local day."""


class State(enum.IntEnum):
    """What a machine is doing."""

    STOPPED = 0
    IDLE = 1
    RUNNING = 2
    FAULT = 3
    SETUP = 4


NAMES = {str(s.value): s.name.lower() for s in State}


class Habit(NamedTuple):
    """How a machine spends its days."""

    run_s_mean: float
    """Mean length of an undisturbed run."""
    stops: Sequence[tuple[State, float, float, float]]
    """What interrupts it: state, how often (any scale), shortest and longest seconds."""
    pause_s: float = 420.0
    """Length of the handover between two shifts; 0 for a machine that nobody stands at."""
    pause_after_s: float = 0.0
    """How much later than the shift's begin its handover is, so that not all stand at once."""
    night_off: float = 0.0
    """Share of nights in which nobody runs it."""


class Timeline(NamedTuple):
    """Segments without gaps: segment i lasts from `start_s[i]` to `start_s[i + 1]`."""

    start_s: Floats
    """Shape (n,), ascending, the first is 0; seconds since the factory's first midnight."""
    state: States
    """Shape (n,): a `State` each."""

    def at(self, time_s: Floats) -> npt.NDArray[np.intp]:
        """The segment that each time falls into."""
        return np.maximum(np.searchsorted(self.start_s, time_s, side="right") - 1, 0)

    def states(self, time_s: Floats) -> States:
        """The state at each time."""
        return self.state[self.at(time_s)]

    def sum(self, rate: Floats) -> "Sum":
        """The integral of a rate that is constant in each segment."""
        before = np.concatenate(([0.0], np.cumsum(np.diff(self.start_s) * rate[:-1])))
        return Sum(self, rate, before)

    def lag(self, goal: Floats, tau_s: float) -> "Lag":
        """What follows a goal, constant in each segment, with the time constant `tau_s`."""
        level = np.empty_like(goal)
        now = level[0] = goal[0]
        decay = np.exp(-np.diff(self.start_s) / tau_s)
        for i, keep in enumerate(decay.tolist()):
            now = goal[i] + (now - goal[i]) * keep
            level[i + 1] = now
        return Lag(self, goal, level, tau_s)

    def cut(self, times_s: Sequence[float]) -> "Timeline":
        """The same with a segment beginning at each of the times as well."""
        new = np.setdiff1d(np.asarray([t for t in times_s if t > 0.0]), self.start_s)
        start = np.union1d(self.start_s, new)
        return Timeline(start, self.state[self.at(start)])

    def overlay(self, start_s: float, stop_s: float, state: State) -> "Timeline":
        """The same with another state between two times."""
        if stop_s <= max(start_s, 0.0):
            return self
        new = self.cut([start_s, stop_s])
        inside = (new.start_s >= start_s) & (new.start_s < stop_s)
        return Timeline(new.start_s, np.where(inside, int(state), new.state))

    def rate(self, **of_state: float) -> Floats:
        """Shape (n,): for each segment the figure of its state, given by name; others are 0."""
        table = np.array([of_state.get(s.name.lower(), 0.0) for s in State])
        return table[self.state]


class Sum(NamedTuple):
    """What adds up over time, at a rate that jumps from segment to segment."""

    timeline: Timeline
    rate: Floats
    before: Floats
    """The sum at the begin of each segment."""

    def __call__(self, time_s: Floats) -> Floats:
        """The sum from 0 to each time."""
        i = self.timeline.at(time_s)
        return self.before[i] + (time_s - self.timeline.start_s[i]) * self.rate[i]


class Lag(NamedTuple):
    """A first-order response to a goal that jumps from segment to segment."""

    timeline: Timeline
    goal: Floats
    level: Floats
    tau_s: float

    def __call__(self, time_s: Floats) -> Floats:
        """The level at each time."""
        i = self.timeline.at(time_s)
        since = np.maximum(time_s - self.timeline.start_s[i], 0.0)
        return self.goal[i] + (self.level[i] - self.goal[i]) * np.exp(-since / self.tau_s)


def plan(seed: int, machine: str, habit: Habit, days: int) -> Timeline:
    """The machine's states for that many days, the same for the same seed and machine."""
    starts: list[float] = []
    states: list[int] = []
    for day in range(days):
        for start, state in _day(seed, machine, habit, day):
            if not states or states[-1] != state:
                starts.append(day * DAY_S + start)
                states.append(state)
    return Timeline(np.array(starts), np.array(states, dtype=np.int64))


def _day(seed: int, machine: str, habit: Habit, day: int) -> list[tuple[float, State]]:
    """The segments of one day, each with its first second."""
    rng = np.random.default_rng([channel(seed, machine), day])
    weights = np.array([stop[1] for stop in habit.stops])
    segments = [(0.0, State.RUNNING)]
    time_s = 0.0
    while True:
        time_s += 300.0 + float(rng.exponential(habit.run_s_mean))
        if time_s >= DAY_S:
            break
        kind = int(rng.choice(len(weights), p=weights / weights.sum()))
        state, _, shortest, longest = habit.stops[kind]
        segments.append((time_s, state))
        time_s += float(rng.uniform(shortest, longest))
        segments.append((min(time_s, DAY_S - 1.0), State.RUNNING))
    for shift in SHIFTS_S if habit.pause_s else ():
        start = shift + habit.pause_after_s
        segments = _put(segments, start, start + habit.pause_s, State.IDLE)
    if rng.uniform() < habit.night_off:
        segments = _put(segments, 0.0, SHIFTS_S[0] - 900.0, State.STOPPED)
    return segments


def _put(
    segments: list[tuple[float, State]], start: float, stop: float, state: State
) -> list[tuple[float, State]]:
    """The segments with another state between two times."""
    after = [s for t, s in segments if t <= stop][-1]
    kept = [(t, s) for t, s in segments if t < start or t > stop]
    return sorted([*kept, (start, state), (stop, after)])
