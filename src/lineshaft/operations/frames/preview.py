"""What frames a template would give: the same follower, over history, keeping nothing."""

import asyncio
from collections.abc import Sequence

import msgspec

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.operations import Names
from lineshaft.operations.frames.binding import Bound, assets_of, bind
from lineshaft.operations.frames.feed import read, step_end, warm
from lineshaft.operations.frames.following import Follower
from lineshaft.operations.frames.frame import Frame
from lineshaft.operations.frames.settings import Template
from lineshaft.operations.frames.view import FrameView, view_of
from lineshaft.stores import Store

DAY_NS = 86_400 * NS_PER_S
SPAN_NS_MAX = 400 * DAY_NS
"""Longest span of one preview."""
SAMPLES_MAX = 20_000_000
"""Samples that one preview may read, and times of the grid that it looks at."""
ASSETS_MAX = 20
"""Assets that one preview looks at."""
LISTED_MAX = 100
"""Frames listed one by one; all are counted."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a template would have given in a span."""

    count: int
    """Frames that ended in the span, or were open at its end."""
    open: int
    over: int
    """Frames beyond `per_minute_max`, which would not be kept."""
    assets: list[str]
    """Assets that were looked at."""
    more_assets: int
    """Further ones, which were not."""
    items: list[FrameView]
    """The first of them, by start."""


async def preview(
    store: Store, names: Names, template: Template, start_ns: int, stop_ns: int
) -> Preview:
    """Go through history with a template, from how things stood at the beginning on.

    Raises:
        Invalid: an expression is wrong, or the span holds too many samples.
    """
    assets = assets_of(template, names)
    if not assets:
        raise Invalid(
            f"frames {template.name!r}: no branch fits {', '.join(template.assets)}",
            remedy="Look at the namespace for the assets' paths.",
        )
    bounds = [bind(template, asset, names) for asset in assets[:ASSETS_MAX]]
    points = sorted({p for b in bounds for p in b.points})
    if stop_ns - start_ns > SPAN_NS_MAX:
        raise Invalid(
            f"the span has {(stop_ns - start_ns) // DAY_NS} days, wanted at most"
            f" {SPAN_NS_MAX // DAY_NS}",
            remedy="Take a shorter span.",
        )
    samples = await store.count(points, start_ns, stop_ns)
    ticks = sum(_ticks(bound, stop_ns - start_ns) for bound in bounds)
    if samples + ticks > SAMPLES_MAX:
        raise Invalid(
            f"the span holds {samples} samples and {ticks} times of the grid, wanted at most"
            f" {SAMPLES_MAX} together",
            remedy="Take a shorter span, or fewer assets.",
        )
    found: list[Frame] = []
    count = running = over = 0
    for bound in bounds:
        follower = Follower(bound)
        follower.warm_up(await warm(store, bound, start_ns), start_ns)
        ended, first = await _walked(store, follower, bound.points, start_ns, stop_ns)
        last = follower.so_far()
        if last is not None:
            first.append(last)
            running += 1
        found += first
        count += ended + (last is not None)
        over += follower.over
    found.sort(key=lambda f: (f.start_ns, f.asset))
    return Preview(
        count=count,
        open=running,
        over=over,
        assets=[b.asset for b in bounds],
        more_assets=len(assets) - len(bounds),
        items=[view_of(f, template, "", None, stop_ns) for f in found[:LISTED_MAX]],
    )


def _ticks(bound: Bound, span_ns: int) -> int:
    """How often the expressions of one asset are looked at without a sample."""
    return sum(span_ns // e.every_ns for e in bound.expressions if e.every_ns)


async def _walked(
    store: Store, follower: Follower, points: Sequence[str], start_ns: int, stop_ns: int
) -> tuple[int, list[Frame]]:
    """How many frames ended, and the first of them."""
    count, found = 0, list[Frame]()
    while start_ns < stop_ns:
        end_ns = await step_end(store, points, start_ns, stop_ns)
        columns = await read(store, points, start_ns, end_ns)
        step = await asyncio.to_thread(follower.push, columns, end_ns - 1)
        count += len(step.closed)
        found += step.closed[: LISTED_MAX - len(found)]
        start_ns = end_ns
    return count, found
