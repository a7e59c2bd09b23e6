"""Alarms as figures for Prometheus."""

from lineshaft.operations.alarms.book import Book
from lineshaft.operations.alarms.flooding import Floods
from lineshaft.web.metrics import Metric


def figures(book: Book, floods: Floods, transitions: int) -> list[Metric]:
    """How many there are, how many ring, and what came too late to be judged."""
    active = sum(s.active and s.enabled for s in book.states.values())
    return [
        _figure("alarms", "gauge", "Alarms that are defined.", len(book.alarms)),
        _figure("alarms_active", "gauge", "Alarms that are active.", active),
        _figure("alarms_flood", "gauge", "Positions with a flood of alarms.", floods.on),
        _figure("alarm_floods_total", "counter", "Floods since the start.", floods.count),
        _figure("alarm_transitions_total", "counter", "Transitions by themselves.", transitions),
        _figure("alarm_samples_late_total", "counter", "Samples not judged in time.", book.late),
        _figure("alarm_samples_ahead_total", "counter", "Samples of clocks ahead.", book.ahead),
    ]


def _figure(name: str, kind: str, text: str, value: float) -> Metric:
    return Metric(name, kind, text, (({}, float(value)),))
