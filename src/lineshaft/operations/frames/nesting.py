"""Which frame lies in which.

A frame belongs to the frame of its parent template that was open, on the same asset or one above
it, when it began. That follows from times alone, so it is looked up when asked for, and is right
however late a parent was computed.
"""

from collections.abc import Mapping, Sequence

from lineshaft.core.path import parent
from lineshaft.operations.frames.book import FRAMES, Book, decoded
from lineshaft.operations.frames.frame import Frame
from lineshaft.operations.frames.settings import Template
from lineshaft.records import And, Compare, In, IsNull, Or, Predicate

PARENTS_MAX = 10_000
"""Parents that are looked at for one page of frames."""


def ancestors(asset: str) -> list[str]:
    """The asset and all above it, from the lowest up."""
    found = []
    while asset:
        found.append(asset)
        asset = parent(asset)
    return found


async def parents(
    book: Book, templates: Mapping[str, Template], frames: Sequence[Frame]
) -> dict[str, Frame]:
    """The parent of each frame that has one, by the frame's key."""
    wanted = {f.key: templates[f.template].parent for f in frames if f.template in templates}
    children = [f for f in frames if wanted.get(f.key)]
    if not children:
        return {}
    first_ns = min(f.start_ns for f in children)
    last_ns = max(f.start_ns for f in children)
    assets = sorted({a for f in children for a in ancestors(f.asset)})
    where = And(
        parts=(
            In(column="template", values=tuple(sorted(set(filter(None, wanted.values()))))),
            In(column="asset", values=tuple(assets)),
            Compare(column="start_ns", op="<=", value=last_ns),
            _ends_after(first_ns),
        )
    )
    found: list[Frame] = []
    async for _, data in book.all(FRAMES.name, where):
        found.append(decoded(data))
        if len(found) >= PARENTS_MAX:
            break
    by_place: dict[tuple[str, str], list[Frame]] = {}
    for frame in found:
        by_place.setdefault((frame.template, frame.asset), []).append(frame)
    result = {}
    for child in children:
        holder = _holder(child, wanted[child.key], by_place)
        if holder is not None:
            result[child.key] = holder
    return result


def _holder(
    child: Frame, template: str, by_place: Mapping[tuple[str, str], list[Frame]]
) -> Frame | None:
    """The nearest asset's frame that was open when the child began."""
    for asset in ancestors(child.asset):
        holding = [
            f
            for f in by_place.get((template, asset), ())
            if f.start_ns <= child.start_ns and (f.end_ns is None or f.end_ns > child.start_ns)
        ]
        if holding:
            return max(holding, key=lambda f: f.start_ns)
    return None


def within(frame: Frame, templates: Mapping[str, Template]) -> Predicate | None:
    """What fits the frames directly in this one; None when its template is nobody's parent."""
    names = tuple(sorted(t.name for t in templates.values() if t.parent == frame.template))
    if not names:
        return None
    parts: list[Predicate] = [
        In(column="template", values=names),
        Compare(column="start_ns", op=">=", value=frame.start_ns),
    ]
    if frame.end_ns is not None:
        parts.append(Compare(column="start_ns", op="<", value=frame.end_ns))
    return And(parts=tuple(parts))


def _ends_after(time_ns: int) -> Predicate:
    return Or(parts=(Compare(column="end_ns", op=">", value=time_ns), IsNull(column="end_ns")))
