"""Event frames over HTTP: found, compared, answered; templates defined, tried, recomputed."""

import csv
import io
from typing import Literal

import msgspec
from litestar import Response

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import to_iso
from lineshaft.core.errors import Invalid
from lineshaft.operations.frames.asking import Question
from lineshaft.operations.frames.comparing import Align, Comparison, compare
from lineshaft.operations.frames.desk import Frames
from lineshaft.operations.frames.frame import Note
from lineshaft.operations.frames.preview import Preview, preview
from lineshaft.operations.frames.settings import Template, check_template
from lineshaft.operations.frames.view import FramePage, FrameView, TemplateView
from lineshaft.operations.frames.worker import Progress
from lineshaft.stores import Store
from lineshaft.web import delete, get, post, put, times

CSV_ROWS_MAX = 100_000


class TemplateList(msgspec.Struct, frozen=True):
    """Templates, and what is gone through again now."""

    items: list[TemplateView]
    recomputing: list[Progress]


class FrameDetail(msgspec.Struct, frozen=True):
    """A frame, and those directly in it by start."""

    frame: FrameView
    children: list[FrameView]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A template that is to be tried on history."""

    template: Template
    start: str = "-7d"
    """RFC 3339, or relative to now."""
    stop: str = "now"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A span that is to be gone through again."""

    template: str
    asset: str = ""
    """Empty: every asset that it is for."""
    start: str
    stop: str = "now"


class Ordered(msgspec.Struct, frozen=True):
    """What is gone through again now."""

    items: list[Progress]


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of a frame."""

    frame: str
    """Its key."""
    acknowledge: bool = False
    reason: str = ""
    """Code; empty: as it was."""
    comment: str = ""


def _question(  # noqa: PLR0913, PLR0917 - the filters of the address
    template: str,
    asset: str,
    kind: str,
    start: str,
    stop: str,
    is_open: bool | None,
    attribute: list[str] | None,
) -> Question:
    return Question(
        template=template,
        asset=asset,
        kind=kind,
        start_ns=times.time_ns(start) if start else None,
        stop_ns=times.time_ns(stop) if stop else None,
        open=is_open,
        attributes=tuple(attribute or ()),
    )


@get("/frames", action=Action.LOOK, tags=["frames"], summary="Find frames")
async def list_frames(  # noqa: PLR0913, PLR0917 - services and filters, by name
    frames: Frames,
    who: Identity,
    template: str = "",
    asset: str = "",
    kind: str = "",
    start: str = "",
    stop: str = "",
    open: bool | None = None,  # noqa: A002 - the word in the address
    attribute: list[str] | None = None,
    cursor: str = "",
    limit: int = 100,
) -> FramePage:
    """Frames that lie in the span at least in part, the newest first.

    `attribute` is a filter such as `program=O1001` or `mean_load>80`, and may stand more than once.
    """
    question = _question(template, asset, kind, start, stop, open, attribute)
    return await frames.gallery.find(who, question, cursor=cursor, limit=limit)


@get("/frames/csv", action=Action.LOOK, tags=["frames"], summary="Frames as CSV")
async def frames_csv(  # noqa: PLR0913, PLR0917 - services and filters, by name
    frames: Frames,
    who: Identity,
    template: str = "",
    asset: str = "",
    kind: str = "",
    start: str = "",
    stop: str = "",
    open: bool | None = None,  # noqa: A002 - the word in the address
    attribute: list[str] | None = None,
) -> Response[bytes]:
    """The frames that fit, at most 100,000, one a row; attributes are columns."""
    question = _question(template, asset, kind, start, stop, open, attribute)
    rows: list[FrameView] = []
    cursor = ""
    while len(rows) < CSV_ROWS_MAX:
        page = await frames.gallery.find(who, question, cursor=cursor, limit=1000)
        rows += page.items
        cursor = page.cursor
        if not cursor:
            break
    headers = {"Content-Disposition": 'attachment; filename="frames.csv"'}
    return Response(_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)


def _csv(rows: list[FrameView]) -> bytes:
    names = sorted({n for f in rows for n in f.attributes})
    text = io.StringIO()
    out = csv.writer(text)
    fixed = ["template", "asset", "start", "end", "duration_s", "kind", "severity", "cut", "reason"]
    out.writerow([*fixed, "comment", "parent", *names])
    for f in rows:
        end = "" if f.end_ns is None else to_iso(f.end_ns)
        comment = f.note.comment if f.note else ""
        cells = [f.template, f.asset, to_iso(f.start_ns), end, f.duration_s, f.kind, f.severity]
        cells += [f.cut, _plain(f.reason), _plain(comment), f.parent]
        out.writerow([*cells, *(_plain(f.attributes.get(n)) for n in names)])
    return text.getvalue().encode("utf-8-sig")


def _plain(value: object) -> object:
    """A text that a spreadsheet would take for a formula is kept a text."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value


@get("/frames/one", action=Action.LOOK, tags=["frames"], summary="One frame")
async def one_frame(key: str, frames: Frames, who: Identity) -> FrameDetail:
    """A frame with the frames directly in it."""
    frame = await frames.gallery.frame(who, key)
    (shown,) = await frames.gallery.shown(who, [frame])
    return FrameDetail(shown, await frames.gallery.children(who, frame))


@get("/frames/compare", action=Action.LOOK, tags=["frames"], summary="Frames side by side")
async def compare_frames(  # noqa: PLR0913, PLR0917 - services and filters, by name
    frames: Frames,
    who: Identity,
    frame: list[str],
    point: list[str],
    align: Literal["start", "stretch", "phase", "dtw"] = "start",
    steps: int = 500,
    reference: str = "",
) -> Comparison:
    """Values of points over frames, aligned, with their envelope and each frame's distance.

    `frame` is a key, `point` a path or, from each frame's asset on, `./name`; both may stand more
    than once. `align`: from the start in seconds, stretched to the same length, phase by phase (the
    frames in each), or by dynamic time warping onto `reference` (the first frame).
    """
    how = Align(how=align, steps=steps, reference=reference)
    return await compare(frames, who, frame, point, how)


@post(
    "/frames/annotate",
    action=Action.WRITE,
    tags=["frames"],
    summary="Acknowledge or explain a frame",
    status_code=200,
)
async def annotate_frame(data: Remark, frames: Frames, who: Identity) -> FrameView:
    """Acknowledge a frame, give it a reason, a comment; it stays when the frame is recomputed."""
    if not (data.acknowledge or data.reason or data.comment):
        raise Invalid("nothing is said", remedy="Acknowledge, or give a reason or a comment.")
    told = Note(reason=data.reason, comment=data.comment)
    return await frames.gallery.annotate(who, data.frame, told, acknowledge=data.acknowledge)


@get("/frames/templates", action=Action.LOOK, tags=["frames"], summary="Templates of frames")
async def list_templates(frames: Frames, who: Identity) -> TemplateList:
    """Templates with the assets that they are for, and why some wait."""
    return TemplateList(frames.views(who), frames.progress(who))


@put("/frames/templates", action=Action.CONFIGURE, tags=["frames"], summary="Define a template")
async def define_template(data: Template, frames: Frames, who: Identity) -> TemplateView:
    """Add a template, or change one that was made at run time; kept frames stay as they are."""
    return await frames.define(who, data)


@delete("/frames/templates", action=Action.CONFIGURE, tags=["frames"], summary="Remove a template")
async def remove_template(name: str, frames: Frames, who: Identity) -> None:
    """Take away a template that was made at run time; its frames that have ended stay."""
    await frames.remove(who, name)


@post(
    "/frames/preview",
    action=Action.LOOK,
    tags=["frames"],
    summary="Try a template on history",
    status_code=200,
)
async def preview_template(data: Trial, frames: Frames, store: Store, who: Identity) -> Preview:
    """What frames it would have given; nothing is kept."""
    check_template(data.template)
    frames.check_readable(who, data.template, Action.LOOK)
    start_ns, stop_ns = times.span_ns(data.start, data.stop)
    return await preview(store, frames.names, data.template, start_ns, stop_ns)


@post(
    "/frames/recompute",
    action=Action.CONFIGURE,
    tags=["frames"],
    summary="Recompute frames from history",
    status_code=202,
)
async def recompute_frames(data: Order, frames: Frames, who: Identity) -> Ordered:
    """Go through a span again; `GET /frames/templates` tells how far it is."""
    start_ns, stop_ns = times.span_ns(data.start, data.stop)
    return Ordered(await frames.recompute(who, data.template, data.asset, start_ns, stop_ns))


handlers = [
    list_frames,
    frames_csv,
    one_frame,
    compare_frames,
    annotate_frame,
    list_templates,
    define_template,
    remove_template,
    preview_template,
    recompute_frames,
]
