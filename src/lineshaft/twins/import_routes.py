"""Files of twins over HTTP: import with undo, export, check, comparison."""

from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response
from litestar.params import QueryParameter

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.errors import Denied, Invalid
from lineshaft.core.path import check_path
from lineshaft.records import Records
from lineshaft.twins import Class, Document, Finding, Json
from lineshaft.twins.access import Right
from lineshaft.twins.access.holding import sees_all
from lineshaft.twins.api.kept import seen
from lineshaft.twins.api.services import Services
from lineshaft.twins.exchange import FILE_BYTES_MAX
from lineshaft.twins.exporting import MEDIA_TYPES, Exporter, Form
from lineshaft.twins.importing import Importer
from lineshaft.twins.model.comparing import Comparison, compared
from lineshaft.twins.sweeping import Sweeper
from lineshaft.twins.undoing import Receipt, Step
from lineshaft.web import get, post
from lineshaft.web.paging import Items

AnyRequest = Request[Any, Any, Any]
Name = Annotated[str, QueryParameter(max_length=200)]

TAGS = ["twins"]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    id: str
    """To undo it by; empty when nothing was done."""
    steps: list[Step]
    findings: list[Finding]
    """What was mended (`warning`) and what was left out (`error`)."""


@post(
    "/twins/import",
    action=Action.CONFIGURE,
    summary="Import shells and submodels from a file",
    tags=TAGS,
    status_code=200,
    request_max_body_size=FILE_BYTES_MAX,
)
async def import_file(  # noqa: PLR0913 - the last three are parameters of the address
    request: AnyRequest,
    importer: Importer,
    authorizer: Authorizer,
    who: Identity,
    *,
    name: Name = "file",
    dry: bool = False,
    branch: str = "",
) -> Taken:
    """Take in the JSON, XML or AASX file in the body, as a whole or not at all.

    With `dry` it only says what it would do. New documents are put at `branch` of the namespace.
    """
    if branch:
        check_path(branch)
    if not authorizer.allows(who, Action.CONFIGURE, branch):
        raise Denied(
            f"{who.name} may not bring in twins at {branch or 'the root'!r}",
            remedy="Name a branch of yours, or ask an administrator to widen your branches.",
        )
    imported = await importer.read(request.body, name)
    plan = await importer.plan(who, imported, path=branch)
    if dry:
        return Taken(id="", steps=plan.steps, findings=imported.findings)
    receipt = await importer.apply(who, plan)
    return Taken(
        id=receipt.id if receipt.steps else "", steps=plan.steps, findings=imported.findings
    )


@get("/twins/imports", action=Action.CONFIGURE, summary="Imports of twins", tags=TAGS)
async def imports(importer: Importer, authorizer: Authorizer, who: Identity) -> Items[Receipt]:
    """Imports that can be undone, the newest first; of others, for who may configure everything."""
    everything = authorizer.allows(who, Action.CONFIGURE, "")
    found = await importer.receipts()
    return Items(items=[r for r in found if everything or r.who == who.name])


@post(
    "/twins/imports/{id:str}/undo",
    action=Action.CONFIGURE,
    summary="Undo an import of twins",
    tags=TAGS,
    status_code=200,
)
async def undo(importer: Importer, who: Identity, request: AnyRequest) -> Receipt:
    """Put back what it replaced, remove what it created: all of it, or nothing."""
    return await importer.undo(who, str(request.path_params["id"]))


@post(
    "/twins/check",
    action=Action.LOOK,
    summary="Check a file of twins",
    tags=TAGS,
    status_code=200,
    request_max_body_size=FILE_BYTES_MAX,
)
async def check(request: AnyRequest, importer: Importer, *, name: Name = "file") -> Items[Finding]:
    """What an import of the file in the body would mend or leave out; nothing is kept."""
    return Items(items=(await importer.read(request.body, name)).findings)


@get("/twins/export", action=Action.LOOK, summary="Export twins to a file", tags=TAGS)
async def export(
    exporter: Exporter,
    who: Identity,
    *,
    ids: list[str],
    kind: Annotated[Form, QueryParameter(name="format")] = Form.AASX,
    version: str = "3.1",
) -> Response[bytes]:
    """Documents of these identifiers, with the submodels of shells and the concepts of submodels.

    `version` of the metamodel (`3.0` or `3.1`) counts for XML and AASX.
    """
    data = await exporter.written(who, ids, kind, version=version)
    ending = "ttl" if kind is Form.RDF else kind.value
    return Response(
        data,
        media_type=MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="twins.{ending}"'},
    )


@get("/twins/compare", action=Action.LOOK, summary="Compare two twins", tags=TAGS)
async def compare(
    exporter: Exporter,
    who: Identity,
    *,
    one: str,
    other: str,
    kind: Annotated[str, QueryParameter(name="class")] = "submodels",
) -> Comparison:
    """What would turn the document `one` into `other`; both are of one class, named by identifier.

    The class is `shells`, `submodels` or `concept_descriptions`.
    """
    known = {c.value: c for c in (Class.SHELL, Class.SUBMODEL, Class.CONCEPT)}
    if kind not in known:
        raise Invalid(
            f"class is {kind[:80]!r}, wanted one of {', '.join(known)}",
            remedy="Name the class of both documents.",
        )
    before, after = [await exporter.shown(who, known[kind], id_) for id_ in (one, other)]
    return compared(before, after)


handlers = [import_file, imports, undo, check, export, compare]
"""Given what `exchange` makes, beside `authorizer`."""


class Exchange(NamedTuple):
    """What the handlers are given, by the names of their parameters, and what runs beside them."""

    importer: Importer
    exporter: Exporter
    sweeper: Sweeper


def exchange(twins: Services, records: Records) -> Exchange:
    """The exchange of a plant's twins, under the rights that hold for single documents."""

    def allows(who: Identity, right: str, document: Document) -> bool:
        may = twins.access.allows(who, Right[right], document.class_, document, document.path)
        # A file takes the place of the whole document, so who sees a part may not bring one.
        return may and (right != "UPDATE" or sees_all(twins.access, who, document))

    def show(who: Identity, document: Document) -> Json:
        return seen(twins, who, document)

    importer = Importer(twins.documents, records, twins.files, allows)
    return Exchange(
        importer,
        Exporter(twins.documents, twins.attachments, twins.files, allows, show),
        Sweeper(twins.documents, records, twins.files, importer),
    )
