"""What an alarm would have done: the same judge, fed from history."""

from collections.abc import Callable, Mapping

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.operations import Names
from lineshaft.operations.alarms.detectors import compiled, formulas, texts_among
from lineshaft.operations.alarms.evaluating import Signal, Signals
from lineshaft.operations.alarms.happenings import Arisen, Gone
from lineshaft.operations.alarms.history import begun, slices
from lineshaft.operations.alarms.judging import Judge, Told
from lineshaft.operations.alarms.rules import AlarmGroup
from lineshaft.operations.alarms.settings import Alarm, check_alarm
from lineshaft.operations.alarms.state import State
from lineshaft.operations.alarms.transitions import after
from lineshaft.operations.alarms.view import Annunciation, annunciation
from lineshaft.stores import Store

SAMPLES_MAX = 20_000_000
"""Samples that one preview may read."""
ACTIVATIONS_MAX = 1000
"""Activations listed one by one; all are counted."""


class Activation(msgspec.Struct, frozen=True, kw_only=True):
    """One time it would have been active."""

    start_ns: int
    end_ns: int | None
    """None where it would still be active at the end of the span."""
    limit: str
    """The first limit passed."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """How often an alarm would have rung in a span."""

    rung: int
    """Activations and rises of severity that would have asked for somebody."""
    active_ns: int
    """How long it would have been active in all."""
    activations: list[Activation]
    samples: int
    suppressed: int = 0
    """Activations that would not have rung, because they were suppressed by design."""


async def preview(  # noqa: PLR0913 - what is tried by place, the rest by keyword
    store: Store,
    names: Names,
    alarm: Alarm,
    start_ns: int,
    stop_ns: int,
    *,
    groups: Mapping[str, AlarmGroup] | None = None,
    sees: Callable[[str], bool] = lambda _: True,
) -> Preview:
    """Run an alarm over history, from the value that held at the beginning on.

    Suppression by its own expression and that of its group counts, floods do not. `sees` says
    which points may be named.

    Raises:
        Invalid: the alarm cannot ring, or the span holds too many samples.
    """
    check_alarm(alarm)
    what = f"alarm {alarm.name!r}"
    wanted = {f.key: f for f in formulas(alarm, groups or {})}
    made = {k: Signal(k, compiled(what, f, names, sees), f.wait_ns) for k, f in wanted.items()}
    texts = texts_among([alarm], names)
    judge = Judge([alarm], signals=Signals(made), groups=groups, texts=texts)
    count = await store.count(judge.points, start_ns, stop_ns)
    if count > SAMPLES_MAX:
        raise Invalid(
            f"the span holds {count} samples of {', '.join(judge.points)},"
            f" wanted at most {SAMPLES_MAX}",
            remedy="Take a shorter span.",
        )
    walk = Walk(alarm)
    for signal in made.values():
        held = await begun(store, signal, start_ns - 1, stop_ns=start_ns)
        walk.go(judge.take(held)[0])
    walk.go(judge.push(await store.before([alarm.point], start_ns))[0])
    walk.begin(start_ns)
    async for batch in slices(store, judge.points, start_ns, stop_ns, count):
        walk.go(judge.push(batch)[0])
    walk.go(judge.tick(stop_ns, all_told=True)[0])
    return walk.end(stop_ns, count)


class Walk:
    """An alarm's life, written down."""

    def __init__(self, alarm: Alarm) -> None:
        self._life = alarm.traits()
        self._state = State()
        self._rung = 0
        self._covered = 0
        self._open: Activation | None = None
        self._done: list[Activation] = []
        self._active_ns = 0
        self._start_ns = 0

    def begin(self, start_ns: int) -> None:
        """What came before was only to know how it stood."""
        self._start_ns = start_ns
        self._done, self._rung, self._covered, self._active_ns = [], 0, 0, 0

    def go(self, told: list[Told]) -> None:
        """Have happenings happen."""
        for _, what in told:
            done = after(self._state, what, self._life)
            if not isinstance(done, State):
                continue
            if done.event_id != self._state.event_id:
                rings = annunciation(done) is not Annunciation.NONE
                self._rung += rings
                self._covered += not rings
            if isinstance(what, Arisen) and self._open is None:
                self._open = Activation(start_ns=what.time_ns, end_ns=None, limit=done.limit)
            elif isinstance(what, Gone) and self._open is not None:
                self._close(what.time_ns)
            self._state = done

    def _close(self, time_ns: int) -> None:
        if self._open is None:
            return
        self._active_ns += time_ns - max(self._open.start_ns, self._start_ns)
        self._done.append(msgspec.structs.replace(self._open, end_ns=time_ns))
        self._open = None

    def end(self, stop_ns: int, samples: int) -> Preview:
        """The whole of it."""
        listed = self._done[-ACTIVATIONS_MAX:]
        active_ns = self._active_ns
        if self._open is not None:
            active_ns += stop_ns - max(self._open.start_ns, self._start_ns)
            listed = [*listed, self._open]
        return Preview(
            rung=self._rung,
            active_ns=active_ns,
            activations=listed,
            samples=samples,
            suppressed=self._covered,
        )
