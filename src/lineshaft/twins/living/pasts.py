"""The past of an element: the samples of its point, or what people set when it has none."""

from typing import Any

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.batch import Sample
from lineshaft.core.clock import now_ns, to_iso
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.core.point import Kind, Value, value_of
from lineshaft.core.quality import quality_name
from lineshaft.twins import Class, Document
from lineshaft.twins.access import Right
from lineshaft.twins.api.services import Services
from lineshaft.twins.living import History, Names
from lineshaft.twins.living.bindings import Bindings
from lineshaft.twins.living.rights import document
from lineshaft.twins.set_values import SetValues
from lineshaft.web.times import time_ns

SPAN_NS = 3600 * 1_000_000_000
"""What is read when the question has no beginning: the last hour."""


class Moment(msgspec.Struct, frozen=True):
    """What an element was at a time."""

    time: str
    value: Value | list[Any] | dict[str, Any] | None
    quality: str
    """The status code in OPC UA's spelling."""
    by: str = ""
    """Who set it; empty for a sample."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """Part of an element's past."""

    point: str
    """Path of the point that the element is bound to; empty when people set it."""
    unit: str
    items: list[Moment]
    """Oldest first."""
    next: str = ""
    """The time to ask from for what follows; empty when this is all."""


class Pasts:
    """Reads what elements were."""

    def __init__(
        self,
        twins: Services,
        authorizer: Authorizer,
        bindings: Bindings,
        names: Names,
        history: History,
        values: SetValues,
    ) -> None:
        self._twins, self._authorizer = twins, authorizer
        self._bindings, self._names, self._history = bindings, names, history
        self._values = values

    async def read(
        self, who: Identity, submodel: str, path: str, *, start: str, end: str, limit: int
    ) -> Past:
        """Samples with start ≤ time < end, at most `limit`; empty bounds mean the last hour.

        Times are written as in every address (`-15m`, RFC 3339). Of an element that is bound to
        nothing, the last values that people set with `$value`; empty bounds mean all that are
        kept.

        Raises:
            Missing: no such submodel that the caller may know, or its element was never set.
            Denied: the caller may not look at the point behind it.
            Invalid: a time is none, or the end is not after the start.
        """
        found = await document(self._twins, who, Right.READ, Class.SUBMODEL, submodel, path)
        name = self._bindings.of(submodel).get(path)
        point = self._names.find(name) if name else None
        if point is None:
            return await self._set(found, path, start, end, limit)
        if not self._authorizer.allows(who, Action.LOOK, point.path):
            raise Denied(f"{who.name} may not look at {point.path}")
        from_ns, to_ns = _span(start, end)
        batch = await self._history.read([point.path], from_ns, to_ns, limit=limit + 1)
        rows = list(batch.rows())
        return Past(
            point=point.path,
            unit=point.unit,
            items=[_moment(s, point.kind) for s in rows[:limit]],
            next=to_iso(rows[limit].time_ns) if len(rows) > limit else "",
        )

    async def _set(self, found: Document, path: str, start: str, end: str, limit: int) -> Past:
        """What people set, as far as it is kept."""
        settings = await self._values.of(found, path)
        if not settings:
            raise Missing(
                f"element {path!r} of submodel {found.id!r} has no history",
                remedy="Elements that are bound to points have, and those that were set with"
                " $value; see /api/v1/twins/bindings.",
            )
        from_ns, to_ns = _span(start or to_iso(0), end)
        there = [s for s in settings if from_ns <= s.time_ns < to_ns]
        good = quality_name(0)
        return Past(
            point="",
            unit="",
            items=[
                Moment(to_iso(s.time_ns), msgspec.json.decode(s.value), good, s.by)
                for s in there[:limit]
            ],
            next=to_iso(there[limit].time_ns) if len(there) > limit else "",
        )


def _span(start: str, end: str) -> tuple[int, int]:
    now = now_ns()
    to_ns = time_ns(end, now=now) if end else now + 1
    from_ns = time_ns(start, now=now) if start else to_ns - SPAN_NS
    if from_ns >= to_ns:
        raise Invalid(
            f"the time from {to_iso(from_ns)} to {to_iso(to_ns)} is empty",
            remedy="Give a start before the end.",
        )
    return from_ns, to_ns


def _moment(sample: Sample, kind: Kind) -> Moment:
    value = sample.value
    if isinstance(value, str):
        value = value_of(kind, None, value)
    elif value is not None:
        value = value_of(kind, float(value), None)
    return Moment(to_iso(sample.time_ns), value, quality_name(sample.quality))
