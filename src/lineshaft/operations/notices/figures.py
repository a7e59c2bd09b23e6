"""What is counted of notices, by channel."""

from collections import Counter
from collections.abc import Mapping

from lineshaft.operations.notices.outbox import Outbox
from lineshaft.web.metrics import Metric

CHANNELS = ("webhook", "mail", "mqtt")
Values = tuple[tuple[dict[str, str], float], ...]


class Figures:
    """What couriers count."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        """Tries that the other side did not take."""
        self.given_up: Counter[str] = Counter()
        self.joined: Counter[str] = Counter()
        self.trouble: dict[str, str] = {}
        """Why nothing reaches a recipient now, by name."""

    def metrics(self, outbox: Outbox) -> list[Metric]:
        """All figures, now."""
        waiting: Counter[str] = Counter()
        for name in outbox.recipients():
            waiting.update(n.channel for n in outbox.waiting(name))
        counters = (
            ("sent", "Messages that the other side has taken.", self.sent),
            ("failed", "Tries that the other side did not take.", self.failed),
            ("given_up", "Notices that could not be delivered in time.", self.given_up),
            ("joined", "Notices that were told in a digest.", self.joined),
        )
        lost: Values = (({}, float(sum(outbox.lost.values()))),)
        return [
            *(
                Metric(f"notices_{name}_total", "counter", text, _by_channel(count))
                for name, text, count in counters
            ),
            Metric("notices_lost_total", "counter", "Notices for which there was no room.", lost),
            Metric("notices_waiting", "gauge", "Notices not yet sent.", _by_channel(waiting)),
        ]


def _by_channel(count: Mapping[str, int]) -> Values:
    return tuple(({"channel": c}, float(count.get(c, 0))) for c in CHANNELS)
