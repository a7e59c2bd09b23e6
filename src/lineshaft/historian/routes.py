"""The historian over HTTP: namespace, last values, history, samples, imports, views, live."""

import asyncio
from typing import Annotated, Any, Protocol

import msgspec
from litestar import Request, Response
from litestar.params import HeaderParameter, QueryParameter

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, to_iso
from lineshaft.core.errors import Denied, Invalid
from lineshaft.core.path import SYSTEM, check_path, is_under
from lineshaft.core.point import Point
from lineshaft.historian import Historian, imports, store_routes, watching
from lineshaft.historian.imports import Import, NewImport
from lineshaft.historian.last import Value
from lineshaft.historian.namespace import Tree
from lineshaft.historian.prometheus import routes as prometheus
from lineshaft.historian.query import Query
from lineshaft.historian.query import routes as query
from lineshaft.historian.query.formats import format_of
from lineshaft.historian.reading import Curves
from lineshaft.historian.sql import routes as sql_routes
from lineshaft.historian.views import NewView, View
from lineshaft.spines import Flow
from lineshaft.stores import Counts, Health
from lineshaft.web import delete, get, post, put, times
from lineshaft.web.metrics import Watch
from lineshaft.web.paging import Items

SAMPLES_BYTES_MAX = 16 << 20
VALUES_MAX = 100_000
"""Points in one answer with last values."""

AnyRequest = Request[Any, Any, Any]


class StoreState(msgspec.Struct, frozen=True, kw_only=True):
    """The store's books and health."""

    counts: Counts
    health: Health


class System(msgspec.Struct, frozen=True, kw_only=True):
    """How the plant fares."""

    version: str
    started: str
    plant: str
    store: StoreState
    flows: list[Flow]
    points: int
    problems: list[str]


class About(Protocol):
    """What the plant says of itself."""

    def about(self) -> dict[str, str]:
        """`plant` (its name), `version` and `started` (RFC 3339)."""


class Accepted(msgspec.Struct, frozen=True):
    """How many rows the store has confirmed."""

    accepted: int


# ---- namespace


@get("/tree", action=Action.LOOK, summary="What is directly below a branch", tags=["points"])
async def tree(historian: Historian, who: Identity, branch: str = "") -> Tree:
    """Branches and points directly below a branch; without `branch`, the root."""
    return historian.namespace.tree(branch.strip("/"), who)


@get("/points", action=Action.LOOK, summary="Find points", tags=["points"])
async def points(
    historian: Historian,
    who: Identity,
    *,
    search: str = "",
    branch: str = "",
    cursor: str = "",
    limit: int = 100,
) -> Items[Point]:
    """Points by words in path, description, unit or source, in the order of their paths."""
    items, after = historian.namespace.listed(
        who, branch=branch, search=search, cursor=cursor, limit=limit
    )
    return Items(items=items, cursor=after)


@get("/point", action=Action.LOOK, summary="One point", tags=["points"])
async def point(historian: Historian, who: Identity, path: str) -> Point:
    """What is known of a point."""
    return historian.namespace.get(path, who)


# ---- values


@get("/last", action=Action.LOOK, summary="Last values", tags=["values"])
async def last(
    historian: Historian,
    who: Identity,
    points: list[str] | None = None,
    branch: str | None = None,
) -> Items[Value]:
    """The newest sample of points named, or of all below a branch; points without one are left out.

    A point that does not exist, or is not for the caller to know, is an error.
    """
    names = historian.namespace
    paths = [names.get(p, who).path for p in points or ()]
    if branch is not None or not points:
        paths += names.under((branch or "").strip("/"), who)
    if len(paths) > VALUES_MAX:
        raise Invalid(
            f"{len(paths)} points were asked for, wanted at most {VALUES_MAX}",
            remedy="Ask branch by branch.",
        )
    found = []
    for path in paths:
        known = names.find(path)
        value = historian.live.last.value(path, known.kind) if known else None
        if value is not None:
            found.append(value)
    return Items(items=found)


@get("/history", action=Action.LOOK, summary="History of points", tags=["values"])
async def history(  # noqa: PLR0913 - each is a parameter of the address
    historian: Historian,
    who: Identity,
    points: list[str],
    *,
    start: str = "-1h",
    stop: str = "now",
    points_max: int = 2000,
    form: str = "auto",
    bucket_s: float = 0.0,
    kind: Annotated[str, QueryParameter(name="format")] = "json",
) -> Response[Any]:
    """Curves for a screen (`format=json`), or raw rows as `csv`, `parquet` or `arrow`.

    In form `auto` a point with more than `points_max` samples in the span comes in buckets.
    """
    span = times.span_ns(start, stop)
    known = [historian.namespace.get(p, who) for p in dict.fromkeys(points)]
    if kind == "json":
        if not 0 <= bucket_s <= 1e9:  # noqa: PLR2004 - thirty years
            raise Invalid(f"bucket_s is {bucket_s}, wanted seconds above 0")
        curves: Curves = await historian.reading.curves(
            known, span, samples_max=points_max, form=form, bucket=round(bucket_s * NS_PER_S)
        )
        encoded = await asyncio.to_thread(msgspec.json.encode, curves)
        return Response(encoded, media_type="application/json")
    asked = Query(points=tuple(p.path for p in known), start=to_iso(span[0]), stop=to_iso(span[1]))
    wanted = historian.questions.plan(asked, who)
    return await query.respond(historian.questions, wanted, format_of(kind, ""))


@post(
    "/samples",
    action=Action.CONFIGURE,
    summary="Bring in samples",
    tags=["values"],
    status_code=200,
    request_max_body_size=SAMPLES_BYTES_MAX,
)
async def samples(
    request: AnyRequest,
    historian: Historian,
    *,
    who: Identity,
    authorizer: Authorizer,
    correct: bool = False,
    reason: str = "",
) -> Accepted:
    """Keep an Arrow IPC stream of samples; answered once the store has confirmed them.

    With `correct` they take the place of samples that are there: for a `reason`, on record.
    """
    batch = await _batch(request, who, authorizer)
    if correct:
        done = await historian.corrections.correct(batch, reason=reason, by=who.name)
        return Accepted(done.rows)
    await historian.append(batch)
    return Accepted(len(batch))


async def _batch(request: AnyRequest, who: Identity, authorizer: Authorizer) -> Batch:
    """The batch in the body, of points that the caller may bring data for.

    Raises:
        Invalid: it is no batch, or a path is ill-formed.
        Denied: a point is outside the caller's branches.
    """
    data = await request.body()
    batch = await asyncio.to_thread(Batch.from_ipc, data)
    if len(batch.timely()) < len(batch):
        raise Invalid(
            f"times from {batch.time_ns.min()} to {batch.time_ns.max()} ns",
            remedy="Give nanoseconds since 1970, between the years 1824 and 2116.",
        )
    for path in batch.points:
        check_path(path)
        if is_under(path, SYSTEM):
            raise Denied(
                f"{path!r} is what the platform says of itself, nobody else may",
                remedy=f"Leave out the points below {SYSTEM}/, or give them another branch.",
            )
        if not authorizer.allows(who, Action.CONFIGURE, path):
            raise Denied(
                f"{who.name} may not bring data for {path!r}",
                remedy="Ask an administrator to widen your branches.",
            )
    return batch


# ---- bringing files in


@post("/imports", action=Action.CONFIGURE, summary="Begin or resume an import", tags=["imports"])
async def begin_import(
    historian: Historian, who: Identity, authorizer: Authorizer, data: NewImport
) -> Import:
    """The import of this fingerprint; `rows_done` says where to go on."""
    if not authorizer.allows(who, Action.CONFIGURE):
        await historian.imports.check_reach(imports.key_of(data.fingerprint), _user(who))
    return await historian.imports.begin(data, by=who.name)


@post(
    "/imports/{key:str}/chunks",
    action=Action.CONFIGURE,
    summary="Bring in a chunk of an import",
    tags=["imports"],
    status_code=200,
    request_max_body_size=SAMPLES_BYTES_MAX,
)
async def import_chunk(
    request: AnyRequest,
    historian: Historian,
    *,
    who: Identity,
    authorizer: Authorizer,
    key: str,
    offset: Annotated[int, QueryParameter(ge=0)],
) -> Import:
    """Keep rows from `offset` on, as an Arrow IPC stream; sending a chunk again is harmless."""
    if not authorizer.allows(who, Action.CONFIGURE):
        # Rows of another would be passed over, were his import moved on.
        await historian.imports.check_reach(key, _user(who))
    batch = await _batch(request, who, authorizer)
    return await historian.imports.chunk(key, offset, batch)


@get("/imports", action=Action.LOOK, summary="Imports", tags=["imports"])
async def list_imports(
    historian: Historian, who: Identity, authorizer: Authorizer
) -> Items[Import]:
    """Imports, the latest first; who does not see the whole namespace sees his own."""
    found = await historian.imports.latest()
    if not authorizer.allows(who, Action.LOOK):
        found = [i for i in found if imports.owner_of(i) == _user(who)]
    return Items(items=found)


def _user(who: Identity) -> str:
    """The user, also when a token of theirs asks."""
    return who.name.partition("/")[0]


# ---- views


@get("/views", action=Action.LOOK, summary="Saved views", tags=["views"])
async def list_views(historian: Historian, who: Identity) -> Items[View]:
    """The caller's own views and the shared ones."""
    return Items(items=await historian.views.visible(who))


@get("/views/{key:str}", action=Action.LOOK, summary="One saved view", tags=["views"])
async def one_view(historian: Historian, who: Identity, key: str) -> View:
    """A view of the caller's own, or a shared one."""
    return await historian.views.get(key, who)


@post("/views", action=Action.LOOK, summary="Save a view", tags=["views"])
async def add_view(historian: Historian, who: Identity, data: NewView) -> View:
    """Save a new view."""
    return await historian.views.add(data, who)


@put("/views/{key:str}", action=Action.LOOK, summary="Change a view", tags=["views"])
async def change_view(
    historian: Historian,
    who: Identity,
    key: str,
    data: NewView,
    if_match: Annotated[str, HeaderParameter(name="If-Match")],
) -> View:
    """Save a view in place of the version named in If-Match."""
    version = if_match.strip().strip('"')
    if not version.isdecimal():
        raise Invalid(f"If-Match is {if_match!r}, wanted the view's version")
    return await historian.views.change(key, data, who, version=int(version))


@delete("/views/{key:str}", action=Action.LOOK, summary="Delete a view", tags=["views"])
async def delete_view(historian: Historian, who: Identity, key: str) -> None:
    """Delete a view."""
    await historian.views.delete(key, who)


# ---- the whole


@get("/system", action=Action.LOOK, summary="How the plant fares", tags=["system"])
async def system(historian: Historian, plant: About, watch: Watch) -> System:
    """Version, books of the store, flows, and what is wrong."""
    about = plant.about()
    return System(
        version=about["version"],
        started=about["started"],
        plant=about["plant"],
        store=StoreState(counts=historian.store.counts(), health=historian.store.health()),
        flows=historian.spine.flows(),
        points=len(historian.namespace),
        problems=watch.problems(),
    )


handlers = (
    tree,
    points,
    point,
    last,
    history,
    samples,
    begin_import,
    import_chunk,
    list_imports,
    list_views,
    one_view,
    add_view,
    change_view,
    delete_view,
    system,
    *sql_routes.handlers,
    *watching.handlers,
    *prometheus.handlers,
    *query.handlers,
    *store_routes.handlers,
)
