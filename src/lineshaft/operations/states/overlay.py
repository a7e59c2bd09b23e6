"""What rules and people said, laid over what the machine said.

People count more than rules, and rules more than what a state gives by itself. The later note
counts. A state holds for exactly its span. A reason belongs to a stop: it sticks to
the stop that overlaps its span most, and fills all of it however its bounds move, up to where a
person cut it. A stop is a time in one state in which the unit stands still; a reason whose stop is
gone holds for nothing.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from lineshaft.core.batch import Ints, Mask
from lineshaft.operations.states.naming import stands
from lineshaft.operations.states.notes import Note, What
from lineshaft.operations.states.ruling import NO_RULES, Ruling
from lineshaft.operations.states.settings import StateRule
from lineshaft.operations.states.stretches import Stretches, cut_at, joined, places


class Laid(msgspec.Struct, kw_only=True):
    """The stretches as they count, and what holds for nothing."""

    line: Stretches
    reasons: tuple[str, ...]
    """Codes by number; the first is the empty one."""
    loose: tuple[str, ...] = ()
    """Notes, by identifier, that hold for nothing: the stop or the state is gone."""


def laid_over(
    line: Stretches,
    notes: Sequence[Note],
    states: Sequence[StateRule],
    ruling: Ruling = NO_RULES,
) -> Laid:
    """The stretches with rules and all notes laid over, these in the order they were said in."""
    held = [n for n in notes if not n.withdrawn_by]
    loose: list[str] = []
    line = _correct(line, [n for n in held if n.what is What.STATE], states, loose)
    codes = {"": 0}
    by_state = [codes.setdefault(r.reason, len(codes)) for r in states]
    line.reason = np.array([*by_state, 0], dtype=np.int32)[line.state]
    line.rule = ruling.of_stops(line, states)
    given = [0, *(codes.setdefault(r.code, len(codes)) for r in ruling.rules)]
    line.reason = np.where(line.rule > 0, np.array(given, dtype=np.int32)[line.rule], line.reason)
    line = _explain(line, [n for n in held if n.what is What.REASON], states, codes, loose)
    return Laid(line=line, reasons=tuple(codes), loose=tuple(loose))


def _correct(
    line: Stretches, notes: Sequence[Note], states: Sequence[StateRule], loose: list[str]
) -> Stretches:
    """States as people say they were; neighbours of the same state become one."""
    if not notes:
        return line
    numbers = {r.name: i for i, r in enumerate(states)}
    line = cut_at(line, _times([t for n in notes for t in (n.start_ns, n.stop_ns)]))
    for note in notes:
        if note.state not in numbers:
            loose.append(note.id)
            continue
        where = places(line, note.start_ns, note.stop_ns)
        line.state[where] = numbers[note.state]
        line.corrected[where] = True
    return joined(line, by_reason=False)


def _explain(
    line: Stretches,
    notes: Sequence[Note],
    states: Sequence[StateRule],
    codes: dict[str, int],
    loose: list[str],
) -> Stretches:
    if not notes:
        return _marked(joined(line))
    found = most_overlapped(line, standing(line, states), notes)
    starts, ends = line.start_ns.tolist(), line.ends_ns.tolist()
    spans = []
    for note, place in zip(notes, found, strict=True):
        if place is None:
            loose.append(note.id)
            continue
        start, stop = starts[place], ends[place]
        start = max(start, note.start_ns) if note.cut_start else start
        stop = min(stop, note.stop_ns) if note.cut_stop else stop
        spans.append((start, stop, codes.setdefault(note.reason, len(codes))))
    bounds = _times([t for start, stop, _ in spans for t in (start, stop)])
    line = cut_at(line, bounds)
    at = np.searchsorted(line.start_ns, bounds).tolist()
    for i, (_, _, number) in enumerate(spans):
        line.reason[at[2 * i] : at[2 * i + 1]] = number
        line.rule[at[2 * i] : at[2 * i + 1]] = 0
    return _marked(joined(line))


def _marked(line: Stretches) -> Stretches:
    """Bounds between parts of the same state were set by a person: both sides are corrected."""
    same = np.flatnonzero(line.state[1:] == line.state[:-1])
    line.corrected[same] = line.corrected[same + 1] = True
    return line


def _times(times: Sequence[int]) -> Ints:
    return np.array(times, dtype=np.int64)


def standing(line: Stretches, states: Sequence[StateRule]) -> Mask:
    """(n,) whether the unit stands still; not where its state is not known."""
    by_state = np.array([*(stands(r) for r in states), False], dtype=np.bool_)
    still: Mask = by_state[line.state]
    return still


def most_overlapped(line: Stretches, candidates: Mask, notes: Sequence[Note]) -> list[int | None]:
    """For each note the candidate that shares most time with its span, of equal ones the first."""
    first = np.searchsorted(line.start_ns, _times([n.start_ns for n in notes]), side="right") - 1
    last = np.searchsorted(line.start_ns, _times([n.stop_ns for n in notes]), side="left")
    starts, ends, fit = line.start_ns.tolist(), line.ends_ns.tolist(), candidates.tolist()
    found: list[int | None] = []
    for note, i, k in zip(notes, first.tolist(), last.tolist(), strict=True):
        best, place = 0, None
        for at in range(max(i, 0), k):
            shared = min(ends[at], note.stop_ns) - max(starts[at], note.start_ns)
            if fit[at] and shared > best:
                best, place = shared, at
        found.append(place)
    return found
