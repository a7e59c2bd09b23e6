"""What a batch of happenings brings about: new states and events, floods and first-out included."""

from collections.abc import Iterable

from msgspec.structs import replace

from lineshaft.core.event import Event
from lineshaft.operations.alarms.book import Book
from lineshaft.operations.alarms.flooding import BY, Flood, Floods
from lineshaft.operations.alarms.happenings import AnyHappening, Arisen, Suppressed
from lineshaft.operations.alarms.journal import event_of
from lineshaft.operations.alarms.state import State
from lineshaft.operations.alarms.transitions import after
from lineshaft.operations.alarms.view import Annunciation, annunciation, retain


class Going:
    """States and events on their way into the records; the book is not touched yet."""

    def __init__(self, book: Book, floods: Floods) -> None:
        self._book, self._floods = book, floods
        self.states: dict[str, State] = {}
        self.events: list[tuple[str, Event]] = []
        self._open: dict[str, set[str]] = {}

    def all(self, told: Iterable[tuple[str, AnyHappening]]) -> None:
        """Have happenings happen, in their order."""
        for name, what in told:
            if isinstance(what, Arisen):
                self._arise(name, what)
            else:
                self._go(name, what)

    def time(self, now_ns: int) -> None:
        """Time has passed: a flood may be over, and what it covered shows."""
        ended = self._floods.passed(now_ns)
        if ended:
            for name, state in {**self._book.states, **self.states}.items():
                if BY in state.suppressors and self._flood(name) in ended:
                    self._go(name, Suppressed(time_ns=now_ns, on=False, by=BY))

    def _arise(self, name: str, what: Arisen) -> None:
        before = self._state(name)
        flood = self._flood(name)
        if flood.suppresses(what.severity) and not before.active:
            self._go(name, Suppressed(time_ns=what.time_ns, on=True, by=BY))
        self._go(name, replace(what, first=self._is_first(name)))
        state = self._state(name)
        rings = state.event_id != before.event_id and annunciation(state) is not Annunciation.NONE
        if flood.rules.flood_suppress and rings and not before.active:
            was = flood.on
            flood.rang(what.time_ns)
            if flood.on and not was:
                self._put_aside(flood, what.time_ns)

    def _put_aside(self, flood: Flood, time_ns: int) -> None:
        """A flood begins: cover what is open and of little priority."""
        for name, state in {**self._book.states, **self.states}.items():
            if state.active and flood.suppresses(state.severity) and self._flood(name) is flood:
                self._go(name, Suppressed(time_ns=time_ns, on=True, by=BY))

    def _flood(self, name: str) -> Flood:
        return self._floods.of(self._book.alarms[name].point)

    def _is_first(self, name: str) -> bool:
        """Whether nothing else of its group is open, where that matters."""
        group = self._book.alarms[name].group
        members = self._book.members.get(group)
        if members is None:
            return False
        if group not in self._open:
            self._open[group] = {n for n in members if retain(self._state(n))}
        others = len(self._open[group]) - (name in self._open[group])
        return not others and not self._state(name).active

    def _state(self, name: str) -> State:
        return self.states.get(name) or self._book.state(name)

    def _go(self, name: str, what: AnyHappening) -> None:
        alarm, before = self._book.alarms[name], self._state(name)
        done = after(before, what, alarm.traits())
        if not isinstance(done, State) or done is before:
            return
        self.states[name] = done
        self.events.append((name, event_of(alarm, before, done, what)))
        if alarm.group in self._open:
            change = self._open[alarm.group]
            (change.add if retain(done) else change.discard)(name)
