"""Noise that depends on nothing but seed, channel and time, so that it can be told again.

Live values and history, this process and a restarted one see the same noise, because no
generator is advanced: each number is a hash of where and when it stands.
"""

import hashlib
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_GAMMA = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX_1 = np.uint64(0xBF58_476D_1CE4_E5B9)
_MIX_2 = np.uint64(0x94D0_49BB_1331_11EB)
_LOW_16 = np.uint64(0xFFFF)
_SPREAD = 1.0 / np.sqrt(4.0 / 12.0)
"""Four uniform numbers add up to a variance of 4/12."""


@cache
def channel(seed: int, name: str) -> int:
    """The key of one stream of noise: different for each seed and name."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _hash(key: int, index: Ints) -> npt.NDArray[np.uint64]:
    """SplitMix64 of the key and each index (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        z = np.uint64(key) + (index.astype(np.uint64) + np.uint64(1)) * _GAMMA
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        return z ^ (z >> np.uint64(31))


def uniform(key: int, index: Ints) -> Floats:
    """Evenly spread in [0, 1), one for each index."""
    return (_hash(key, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def bell(key: int, index: Ints) -> Floats:
    """Bell-shaped around 0 with deviation 1, never beyond ±3.5, one for each index."""
    bits = _hash(key, index)
    total = sum(
        ((bits >> np.uint64(shift)) & _LOW_16).astype(np.float64) for shift in (0, 16, 32, 48)
    )
    level: Floats = (np.asarray(total) / 65536.0 - 2.0) * _SPREAD
    return level


def white(key: int, time_s: Floats, step_s: float = 0.05) -> Floats:
    """Bell-shaped noise of its own for each step of time."""
    # The half keeps a time on the grid from falling to either side by rounding.
    return bell(key, np.floor(time_s / step_s + 0.5).astype(np.int64))


def drift(key: int, time_s: Floats, period_s: float) -> Floats:
    """A slow wander around 0 with deviation near 0.8, that changes within about `period_s`."""
    place = time_s / period_s
    left = np.floor(place).astype(np.int64)
    part = place - left
    blend = part * part * (3.0 - 2.0 * part)
    return bell(key, left) * (1.0 - blend) + bell(key, left + 1) * blend
