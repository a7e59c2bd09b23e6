"""The reference workload: points of mixed sensor types, every 5 s, half of them with jitter."""

import numpy as np

PERIOD_NS = 5_000_000_000
T0 = 1_760_054_400_000_000_000
"""A midnight, UTC."""
BAD = 0x8005_0000


def reference(
    points: int, steps: int, seed: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`points × steps` rows in the order they arrive: point, time_ns, number, quality.

    Of 20 points 9 are slow sensors with two decimals and noise, 3 have 32-bit noise, 1 full
    doubles, 2 are counters, 2 switches, 2 steps, 1 noisy integers. Every second point has a jitter
    of 2 ms in whole microseconds. One sample in a thousand is bad.
    """
    random = np.random.default_rng(seed)
    number = np.empty((steps, points))
    for point in range(points):
        number[:, point] = signal(random, point % 20, steps)
    jitter = np.where(np.arange(points) % 2, random.normal(0, 2000, (steps, points)), 0)
    time_ns = T0 + np.arange(steps)[:, None] * PERIOD_NS + np.abs(jitter).astype(np.int64) * 1000
    quality = np.where(random.random((steps, points)) < 0.001, BAD, 0).astype(np.uint32)
    point = np.tile(np.arange(points, dtype=np.int32), steps)
    return point, time_ns.ravel(), number.ravel(), quality.ravel()


def signal(random: np.random.Generator, kind: int, steps: int) -> np.ndarray:
    """The numbers of one point of a kind from 0 to 19."""
    if kind < 9:
        found = np.round(50 + np.sin(np.arange(steps) / 500) + random.normal(0, 0.05, steps), 2)
    elif kind < 12:
        found = random.normal(50, 1, steps).astype(np.float32)
    elif kind < 13:
        found = random.normal(0, 1, steps)
    elif kind < 15:
        found = np.cumsum(random.integers(0, 3, steps))
    elif kind < 17:
        found = np.arange(steps) // 40 % 2
    elif kind < 19:
        found = np.repeat(random.integers(0, 100, steps // 200 + 1), 200)[:steps]
    else:
        found = random.integers(0, 1000, steps)
    return found.astype(np.float64)


def names(points: int) -> list[str]:
    """Their paths."""
    return [f"acme/hall/line-{i // 100}/press-{i % 100}/signal" for i in range(points)]
