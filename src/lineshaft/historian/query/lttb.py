"""Largest triangle three buckets: the samples that carry the shape of a curve.

Source: S. Steinarsson, Downsampling Time Series for Visual Representation (2013).
"""

import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import Floats, Ints

Places = npt.NDArray[np.int64]


def chosen(time_ns: Ints, value: Floats, samples_max: int) -> Places:
    """Which of the samples stay: at most `samples_max` (at least 2), the first and last always.

    The values must be finite, the times rise.
    """
    n = len(time_ns)
    if n <= max(samples_max, 2):
        return np.arange(n)
    if samples_max <= 2:  # noqa: PLR2004 - both ends
        return np.array([0, n - 1])
    # Times from the middle, in seconds: their products keep their figures then.
    x = (time_ns - time_ns[n // 2]) / 1e9
    y = value
    edges = np.linspace(1, n - 1, samples_max - 1).astype(np.int64)
    sizes = np.diff(np.append(edges, n))
    middle_x = np.add.reduceat(x, edges) / sizes
    middle_y = np.add.reduceat(y, edges) / sizes
    found = np.empty(samples_max, dtype=np.int64)
    found[0] = at = 0
    for bucket in range(samples_max - 2):
        begin, stop = edges[bucket], edges[bucket + 1]
        ax, ay = x[at], y[at]
        cx, cy = middle_x[bucket + 1], middle_y[bucket + 1]
        area = np.abs((ax - cx) * (y[begin:stop] - ay) - (ax - x[begin:stop]) * (cy - ay))
        at = int(begin + area.argmax())
        found[bucket + 1] = at
    found[-1] = n - 1
    return found


def shared(lengths: Places, samples_max: int) -> Places:
    """How many samples each piece of a broken curve may keep: two at least, then by length.

    `samples_max` must be at least twice the number of pieces.
    """
    least = np.minimum(lengths, 2)
    over = lengths - least
    room = samples_max - int(least.sum())
    if int(over.sum()) <= room:
        return lengths
    more: Places = least + over * room // max(int(over.sum()), 1)
    return more
