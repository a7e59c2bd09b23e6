"""Stretches of time as columns: from samples, painted over, joined, cut out of a span."""

import msgspec
import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import BAD, Codes, Floats, Ints, Mask
from lineshaft.operations.states.timeline import UNKNOWN

Numbers = npt.NDArray[np.int32]


class Stretches(msgspec.Struct, kw_only=True):
    """Stretch i lasts from `start_ns[i]` to `start_ns[i + 1]`, the last one to `stop_ns`."""

    start_ns: Ints
    """(n,) rising."""
    stop_ns: int
    state: Numbers
    """(n,) number of the state, or `UNKNOWN`."""
    reason: Numbers
    """(n,) number of the reason; 0 is none."""
    rule: Numbers
    """(n,) number of the reason rule that gave its reason; 0 where it came otherwise."""
    corrected: Mask
    """(n,) whether a person changed its state or its bounds."""

    @property
    def ends_ns(self) -> Ints:
        """(n,) where each ends."""
        return np.append(self.start_ns[1:], self.stop_ns)

    def __len__(self) -> int:
        return len(self.start_ns)


def numbers_of(number: Floats, quality: Codes, count: int) -> Numbers:
    """State numbers from samples of the state point; what is bad or no state is `UNKNOWN`."""
    fits = (quality < BAD) & (number >= 0) & (number < count)
    return np.where(fits, np.where(fits, number, 0.0), UNKNOWN).astype(np.int32)


def changes(state: Numbers) -> Mask:
    """(n,) where a value differs from the one before; the first does."""
    mask = np.ones(len(state), dtype=np.bool_)
    mask[1:] = state[1:] != state[:-1]
    return mask


def of_samples(time_ns: Ints, state: Numbers, start_ns: int, stop_ns: int) -> Stretches:
    """Stretches of [`start_ns`, `stop_ns`) from rising samples; unknown before the first."""
    if not len(time_ns) or time_ns[0] > start_ns:
        time_ns = np.concatenate(([start_ns], time_ns)).astype(np.int64)
        state = np.concatenate(([UNKNOWN], state)).astype(np.int32)
    keep = changes(state)
    times, numbers = time_ns[keep], state[keep]
    n = len(times)
    return Stretches(
        start_ns=times,
        stop_ns=stop_ns,
        state=numbers,
        reason=np.zeros(n, dtype=np.int32),
        rule=np.zeros(n, dtype=np.int32),
        corrected=np.zeros(n, dtype=np.bool_),
    )


def cut_at(line: Stretches, times_ns: Ints) -> Stretches:
    """The same with further bounds, where these lie within."""
    inside = times_ns[(times_ns > line.start_ns[0]) & (times_ns < line.stop_ns)]
    edges = np.union1d(line.start_ns, inside)
    at = np.searchsorted(line.start_ns, edges, side="right") - 1
    return Stretches(
        start_ns=edges,
        stop_ns=line.stop_ns,
        state=line.state[at].copy(),
        reason=line.reason[at].copy(),
        rule=line.rule[at].copy(),
        corrected=line.corrected[at].copy(),
    )


def places(line: Stretches, start_ns: int, stop_ns: int) -> slice:
    """The stretches of [`start_ns`, `stop_ns`), whose ends must be bounds or lie outside."""
    first, last = np.searchsorted(line.start_ns, (start_ns, stop_ns), side="left")
    return slice(int(first), int(last))


def joined(line: Stretches, *, by_reason: bool = True) -> Stretches:
    """Neighbours of the same state made one; with `by_reason` only those of the same reason."""
    keep = changes(line.state)
    if by_reason:
        keep |= changes(line.reason)
    first = np.flatnonzero(keep)
    return Stretches(
        start_ns=line.start_ns[first],
        stop_ns=line.stop_ns,
        state=line.state[first],
        reason=line.reason[first],
        rule=line.rule[first],
        corrected=np.logical_or.reduceat(line.corrected, first),
    )


def within(line: Stretches, start_ns: int, stop_ns: int) -> slice:
    """The stretches that have a part in [`start_ns`, `stop_ns`)."""
    first = max(int(np.searchsorted(line.start_ns, start_ns, side="right")) - 1, 0)
    return slice(first, int(np.searchsorted(line.start_ns, stop_ns, side="left")))
