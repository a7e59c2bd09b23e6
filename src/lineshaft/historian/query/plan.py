"""From a question to a plan: whose points, which times, which conditions, at which price."""

from collections.abc import Iterable
from typing import NamedTuple

from lineshaft.core.access import Identity
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.historian.aggregates.compute import FOR_TEXTS
from lineshaft.historian.namespace import Namespace
from lineshaft.historian.query import Aggregate, At, Chart, Last, Query, Raw, Shape
from lineshaft.historian.query.filters import Condition, condition
from lineshaft.historian.query.pages import mark_of
from lineshaft.web import times

HELD = (Kind.BOOLEAN, Kind.ENUM, Kind.TEXT, Kind.JSON)
"""Kinds whose values hold until the next sample: there is nothing between two states."""


class Plan(NamedTuple):
    """A question that was understood, and that the asker may ask."""

    query: Query
    points: tuple[Point, ...]
    """In the order of the answer, each once."""
    start_ns: int
    stop_ns: int
    conditions: tuple[Condition, ...] = ()

    @property
    def paths(self) -> list[str]:
        """The paths of the points."""
        return [p.path for p in self.points]

    @property
    def wide(self) -> bool:
        """Whether each point has a column."""
        return self.query.shape is Shape.WIDE


def plan(query: Query, names: Namespace, who: Identity) -> Plan:
    """Look up what the question names.

    Raises:
        Missing: a point does not exist, or is not for the asker to know.
        Invalid: the question makes no sense, or names no point.
    """
    start_ns, stop_ns = _span(query)
    mark = mark_of(query.cursor)
    if mark:
        start_ns, stop_ns = mark.start_ns, mark.stop_ns
    _check_shape(query)
    known = {path: names.get(path, who) for path in query.points}
    if query.branch is not None:
        for path in names.under(query.branch.strip("/"), who):
            known.setdefault(path, names.get(path, who))
    if not known:
        raise Invalid(
            "the question names no point", remedy="Name points, or a branch that holds some."
        )
    _check_texts(query, known.values())
    # A condition that is said twice is looked at once.
    whiles = dict.fromkeys(query.filter.whiles)
    conditions = tuple(condition(w, names.get(w.point, who)) for w in whiles)
    return Plan(query, tuple(known.values()), start_ns, stop_ns, conditions)


def _span(query: Query) -> tuple[int, int]:
    """The span that is asked for; that of `At` holds all its times."""
    if not isinstance(query.do, At):
        return times.span_ns(query.start, query.stop)
    wanted = [times.time_ns(t) for t in query.do.times]
    return min(wanted), max(wanted) + 1


def _check_texts(query: Query, points: Iterable[Point]) -> None:
    if not isinstance(query.do, Aggregate):
        return
    refused = [f.value for f in query.do.functions if f not in FOR_TEXTS]
    text = next((p for p in points if p.kind in (Kind.TEXT, Kind.JSON)), None)
    if refused and text is not None:
        raise Invalid(
            f"{text.path} is a text, of which {', '.join(refused)} cannot be taken",
            remedy=f"For texts there are {', '.join(sorted(f.value for f in FOR_TEXTS))}.",
        )


def _check_shape(query: Query) -> None:
    if query.shape is Shape.WIDE and isinstance(query.do, Chart | Last):
        raise Invalid(
            "a chart and last values have different times for each point, so they are not wide",
            remedy="Ask in the shape long.",
        )
    if query.shape is Shape.WIDE and isinstance(query.do, Raw) and query.do.bounds:
        raise Invalid("bounds are for the shape long", remedy="Ask with join asof, or long.")
    if query.cursor and not isinstance(query.do, Raw):
        raise Invalid("only raw samples come in pages", remedy="Leave out the cursor.")
