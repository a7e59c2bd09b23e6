"""How far behind the clock each source is: up to when it is taken to have told everything."""

from collections.abc import Mapping

from lineshaft.core.clock import NS_PER_S

LAG_NS_MAX = 60 * NS_PER_S
"""A sample older than this when it comes is old news, and says nothing of its source's pace."""
DECAY = 0.95
"""What is left of a lag with each batch that comes sooner."""


class Sources:
    """Sources by name: the connection that reads a point, or the point where there is none.

    A source that falls silent has nothing to tell, so its time runs on with the clock, behind it by
    the lag that its last samples had. What comes later all the same is late, and computed anew.
    """

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._lag: dict[str, int] = {}

    def take(self, spans: Mapping[str, tuple[int, int]], now: int) -> None:
        """Learn from the oldest and the newest time that each source sent."""
        for source, (oldest, newest) in spans.items():
            known = self._newest.get(source)
            if known is not None and newest <= known:
                continue
            fresh = oldest if known is None else max(oldest, known)
            self._newest[source] = min(newest, now)
            lag = now - (fresh if now - fresh <= LAG_NS_MAX else newest)
            if 0 <= lag <= LAG_NS_MAX:
                self._lag[source] = max(lag, int(self._lag.get(source, 0) * DECAY))

    def heard_ns(self, source: str, now: int) -> int:
        """Up to when it has told everything, less what is allowed to be late."""
        return now - self._lag.get(source, 0)
