"""A live socket as its client sees it: what to say, and how frames become values."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from lineshaft.core.clock import NS_PER_MS
from lineshaft.core.point import Value as Bare
from lineshaft.core.quality import quality_name
from lineshaft.web.frames import Frame, decode
from lineshaft.web.problem import Problem, failure

CREDIT = 32
"""Live frames that may be under way."""


class Live(NamedTuple):
    """A live value."""

    point: str
    time_ns: int
    """To the millisecond."""
    value: Bare | None
    quality: int

    @property
    def quality_name(self) -> str:
        """The status code in OPC UA's spelling."""
        return quality_name(self.quality)


class Watching:
    """What travels over a live socket, seen from the client."""

    def __init__(self, points: Sequence[str], branch: str | None) -> None:
        branches = [branch] if branch is not None else [] if points else [""]
        self._wish = {"points": list(points), "branches": branches}
        self._paths: dict[int, str] = {}

    def hello(self) -> tuple[str, str]:
        """What the client says first."""
        return json.dumps({"subscribe": self._wish}), json.dumps({"credit": CREDIT})

    def values(self, item: str | bytes) -> Iterator[Live]:
        """The values in one message of the server."""
        if isinstance(item, bytes):
            yield from self._read(decode(item))
            return
        said = msgspec.json.decode(item, type=dict[str, Any])
        if "error" in said:
            raise failure(msgspec.convert(said["error"], Problem))
        self._paths |= {i: p for p, i in said["points"].items()}

    def _read(self, frame: Frame) -> Iterator[Live]:
        columns = (frame.id, frame.time_ms, frame.number, frame.quality)
        for i, time_ms, number, quality in zip(*(c.tolist() for c in columns), strict=True):
            if i in self._paths:
                value = frame.text.get(i, None if number != number else number)  # noqa: PLR0124 - NaN
                yield Live(self._paths[i], round(time_ms * NS_PER_MS), value, quality)
