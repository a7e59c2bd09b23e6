"""The past of an element: the samples of the point that it is bound to."""

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.batch import Sample
from lineshaft.core.clock import from_iso, now_ns, to_iso
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.core.point import Kind, Value, value_of
from lineshaft.core.quality import quality_name
from lineshaft.twins import Class
from lineshaft.twins.access import Right
from lineshaft.twins.api.services import Services
from lineshaft.twins.living import History, Names
from lineshaft.twins.living.bindings import Bindings
from lineshaft.twins.living.rights import document

SPAN_NS = 3600 * 1_000_000_000
"""What is read when the question has no beginning: the last hour."""


class Moment(msgspec.Struct, frozen=True):
    """What an element was at a time."""

    time: str
    value: Value | None
    quality: str
    """The status code in OPC UA's spelling."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """Part of an element's past."""

    point: str
    """Path of the point that the element is bound to."""
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
    ) -> None:
        self._twins, self._authorizer = twins, authorizer
        self._bindings, self._names, self._history = bindings, names, history

    async def read(
        self, who: Identity, submodel: str, path: str, *, start: str, end: str, limit: int
    ) -> Past:
        """Samples with start ≤ time < end, at most `limit`; empty bounds mean the last hour.

        Raises:
            Missing: no such submodel that the caller may know, or its element is bound to nothing.
            Denied: the caller may not look at the point behind it.
            Invalid: a time is none, or the end is not after the start.
        """
        await document(self._twins, who, Right.READ, Class.SUBMODEL, submodel, path)
        name = self._bindings.of(submodel).get(path)
        point = self._names.find(name) if name else None
        if point is None:
            raise Missing(
                f"element {path!r} of submodel {submodel!r} has no history",
                remedy="Only elements that are bound to points have; see /api/v1/twins/bindings.",
            )
        if not self._authorizer.allows(who, Action.LOOK, point.path):
            raise Denied(f"{who.name} may not look at {point.path}")
        from_ns, to_ns = _span(start, end)
        batch = await self._history.read([point.path], from_ns, to_ns, limit=limit + 1)
        found = list(batch.rows())
        return Past(
            point=point.path,
            unit=point.unit,
            items=[_moment(s, point.kind) for s in found[:limit]],
            next=to_iso(found[limit].time_ns) if len(found) > limit else "",
        )


def _span(start: str, end: str) -> tuple[int, int]:
    to_ns = from_iso(end) if end else now_ns() + 1
    from_ns = from_iso(start) if start else to_ns - SPAN_NS
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
