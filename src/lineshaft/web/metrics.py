"""Figures of the platform in the text form that Prometheus reads.

A service that has something to tell offers `metrics()`; the server gathers all of them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

import msgspec

MEDIA_TYPE = "text/plain; version=0.0.4"
_NAME = re.compile(r"[^a-zA-Z0-9_:]")


class Metric(msgspec.Struct, frozen=True):
    """One figure, or one figure for each set of labels."""

    name: str
    """Without the prefix `lineshaft_`; counters end in `_total`, others in their unit."""
    kind: str
    """`counter` or `gauge`."""
    help: str
    """One sentence."""
    values: tuple[tuple[Mapping[str, str], float], ...]
    """Labels and value of each."""


@runtime_checkable
class Measured(Protocol):
    """A service that can tell its figures."""

    def metrics(self) -> list[Metric]:
        """All figures, now."""


@runtime_checkable
class Watched(Protocol):
    """A service that can tell what is wrong with it."""

    def problems(self) -> list[str]:
        """What is wrong now, one sentence with a remedy each; empty when all is well."""


class Watch:
    """Asks every service how it is."""

    def __init__(self, services: Iterable[object]) -> None:
        self._services = tuple(services)

    def metrics(self) -> list[Metric]:
        """The figures of all services."""
        return [m for s in self._services if isinstance(s, Measured) for m in s.metrics()]

    def problems(self) -> list[str]:
        """What is wrong with any service."""
        return [p for s in self._services if isinstance(s, Watched) for p in s.problems()]


def write(metrics: Iterable[Metric]) -> str:
    """The page that Prometheus reads."""
    lines = []
    for metric in metrics:
        name = "lineshaft_" + _NAME.sub("_", metric.name)
        lines += [f"# HELP {name} {_escaped(metric.help)}", f"# TYPE {name} {metric.kind}"]
        for labels, value in metric.values:
            inner = ",".join(f'{_NAME.sub("_", k)}="{_escaped(v)}"' for k, v in labels.items())
            lines.append(f"{name}{{{inner}}} {value!r}" if inner else f"{name} {value!r}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
