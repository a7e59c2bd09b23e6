"""Derived points over HTTP: list, define, check, try on history, recompute."""

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.operations.derived.desk import DerivedDesk, View
from lineshaft.operations.derived.settings import Derived
from lineshaft.operations.derived.trial import Checked, Preview
from lineshaft.web import delete, get, post, put, times


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A derived point that is to be tried on history."""

    derived: Derived
    start: str = "-1d"
    """RFC 3339, or relative to now."""
    stop: str = "now"


class Recompute(msgspec.Struct, frozen=True, kw_only=True):
    """A span of a derived point that is to be computed again."""

    point: str
    start: str = ""
    """RFC 3339, or relative to now; empty is when it was first defined."""
    stop: str = "now"


class DerivedList(msgspec.Struct, frozen=True):
    """Derived points, by path."""

    items: list[View]


@get("/derived", action=Action.LOOK, tags=["derived"], summary="All derived points")
async def list_derived(derived_desk: DerivedDesk, who: Identity) -> DerivedList:
    """Every derived point that the caller may see: how it is made, and how it fares."""
    return DerivedList(derived_desk.views(who))


@put("/derived", action=Action.CONFIGURE, tags=["derived"], summary="Define a derived point")
async def define_derived(data: Derived, derived_desk: DerivedDesk, who: Identity) -> View:
    """Add a derived point, or change one that was made at run time; rows begin now."""
    return await derived_desk.define(who, data)


@delete("/derived", action=Action.CONFIGURE, tags=["derived"], summary="Remove a derived point")
async def remove_derived(point: str, derived_desk: DerivedDesk, who: Identity) -> None:
    """Take away one that was made at run time; its rows stay, those of the file stay."""
    await derived_desk.remove(who, point)


@post(
    "/derived/check",
    action=Action.LOOK,
    tags=["derived"],
    summary="Check an expression",
    status_code=200,
)
async def check_derived(data: Derived, derived_desk: DerivedDesk, who: Identity) -> Checked:
    """Its kind, unit and inputs, or what is wrong with it and where; nothing is kept."""
    return derived_desk.check(who, data)


@post(
    "/derived/preview",
    action=Action.LOOK,
    tags=["derived"],
    summary="Try a derived point on history",
    status_code=200,
)
async def preview_derived(data: Trial, derived_desk: DerivedDesk, who: Identity) -> Preview:
    """The rows that it would have had, at most 5,000 of them listed; nothing is kept."""
    return await derived_desk.preview(who, data.derived, *times.span_ns(data.start, data.stop))


@post(
    "/derived/recompute",
    action=Action.CONFIGURE,
    tags=["derived"],
    summary="Compute a span again",
    status_code=202,
)
async def recompute_derived(data: Recompute, derived_desk: DerivedDesk, who: Identity) -> View:
    """Have rows computed from history, in the background; `state.todo_ns` tells what is left."""
    if not data.start:
        stop_ns = times.time_ns(data.stop)
        return await derived_desk.recompute(who, data.point, None, stop_ns)
    return await derived_desk.recompute(who, data.point, *times.span_ns(data.start, data.stop))


handlers = [
    list_derived,
    define_derived,
    remove_derived,
    check_derived,
    preview_derived,
    recompute_derived,
]
