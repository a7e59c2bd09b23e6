"""A throttle for what may be tried often, but not endlessly: passwords, refusals in the log."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

from lineshaft.core.clock import NS_PER_S, now_ns

KEYS_MAX = 10_000


class Throttle:
    """A token bucket for each key; the memory is bounded, the key not seen longest goes first."""

    def __init__(
        self,
        *,
        burst: int,
        refill_s: float,
        clock: Callable[[], int] = now_ns,
        keys_max: int = KEYS_MAX,
    ) -> None:
        self._burst = float(burst)
        self._refill_ns = refill_s * NS_PER_S
        self._clock = clock
        self._keys_max = keys_max
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """Tokens left, and when that was counted."""

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str) -> float:
        """Take one token; returns 0, or the seconds until there is one."""
        left = self._left(key)
        if left < 1:
            return max((1 - left) * self._refill_ns / NS_PER_S, 0.001)
        self._keep(key, left - 1)
        return 0.0

    def give_back(self, key: str) -> None:
        """Put one token back: the try was a good one."""
        self._keep(key, self._left(key) + 1)

    def clear(self, key: str) -> None:
        """Forget the key: its bucket is full again."""
        self._buckets.pop(key, None)

    def _left(self, key: str) -> float:
        if key not in self._buckets:
            return self._burst
        left, then = self._buckets[key]
        now = self._clock()
        if now < then:
            # The clock was set back: time counts from here, or nobody would get in until
            # it is where it was.
            self._buckets[key] = (left, now)
        passed = max(now - then, 0)
        return min(left + passed / self._refill_ns, self._burst)

    def _keep(self, key: str, left: float) -> None:
        if left >= self._burst:
            self._buckets.pop(key, None)
            return
        self._buckets[key] = (left, self._clock())
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._keys_max:
            self._buckets.popitem(last=False)


def neighbourhood(address: str) -> str:
    """The address as it is throttled: of IPv6 the /64, since one host has all of it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, 64), strict=False))
