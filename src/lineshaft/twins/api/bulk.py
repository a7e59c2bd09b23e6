"""Many descriptors at once: all of them or none."""

from typing import Any

from lineshaft.core.errors import Invalid, LineshaftError, Missing
from lineshaft.twins import Class, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import answers, kept
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.holding import hold
from lineshaft.twins.api.registry import with_hidden
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.documents import Remove, Write
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.identifier import encode_id

ITEMS_MAX = 1000
"""Descriptors of one call."""
ABOUT = "bulk"

Changes = list[Write | Remove]


async def _items(request: Request) -> list[Any]:
    items = await request.items()
    if not 1 <= len(items) <= ITEMS_MAX:
        raise Invalid(f"{len(items)} entries, wanted 1 to {ITEMS_MAX}")
    return items


def _checked(class_: Class, items: list[Any]) -> list[Json]:
    for at, item in enumerate(items):
        findings = check(kept.TYPES[class_], item)
        if findings:
            raise Invalid(f"entry {at}: {findings[0].path}: {findings[0].message}")
    ids = [item["id"] for item in items]
    if len(ids) != len(set(ids)):
        raise Invalid("two entries have the same id", remedy="Send each descriptor once.")
    return items


async def _writes(
    to: Services, request: Request, class_: Class, items: list[Json], *, new: bool
) -> Changes:
    changes: Changes = []
    for obj in items:
        old = await to.documents.get(class_, obj["id"])
        if old is not None and not kept.may(to, request, Right.READ, old):
            old = None  # what the caller may not know of answers as what is not there
        if old is None or new:
            kept.demand_new(to, request, class_, obj)
        else:
            kept.demand(to, request, Right.UPDATE, old)
            if class_ is Class.SHELL_DESCRIPTOR:
                obj, _ = await with_hidden(to, request, obj)  # noqa: PLW2901 - the same, with more
            await hold(to, request, old, obj)
        expected = 0 if new or old is None else old.version
        changes.append(Write(class_=class_, id=obj["id"], obj=obj, expected=expected))
    return changes


async def _removals(
    to: Services, request: Request, class_: Class, ids: list[str]
) -> tuple[Changes, Missing | None]:
    """What takes them out, or word of the first that is not there.

    That is told with the result, as the standard has no answer for it here; and what the caller
    may not know of answers as what is not there.
    """
    changes: Changes = []
    for id_ in dict.fromkeys(ids):
        old = await to.documents.get(class_, id_)
        if old is None or not kept.may(to, request, Right.READ, old):
            return [], kept.missing(class_, id_)
        kept.demand(to, request, Right.DELETE, old)
        changes.append(Remove(class_=class_, id=id_, expected=old.version))
    return changes, None


async def _done(
    to: Services, request: Request, changes: Changes, problem: Missing | None = None
) -> Answer:
    """Do it now; the standard wants a handle to ask about it with all the same."""
    outcome: Json = {"executionState": "Completed", "success": True}
    try:
        if problem is not None:
            raise problem
        await to.documents.commit(request.who, *changes)
    except LineshaftError as error:
        text = answers.sentence(str(error), error.remedy)
        told = answers.message("Error", answers.status_of(error), text)
        outcome = {"executionState": "Failed", "success": False, "messages": [told]}
    handle = to.jobs.ended(request.who.name, ABOUT, outcome)
    return answers.accepted(f"{request.base}/bulk/status/{encode_id(handle)}")


async def _post(to: Services, request: Request, class_: Class) -> Answer:
    items = _checked(class_, await _items(request))
    return await _done(to, request, await _writes(to, request, class_, items, new=True))


async def _put(to: Services, request: Request, class_: Class) -> Answer:
    items = _checked(class_, await _items(request))
    return await _done(to, request, await _writes(to, request, class_, items, new=False))


async def _delete(to: Services, request: Request, class_: Class) -> Answer:
    ids = await _items(request)
    if not all(isinstance(i, str) for i in ids):
        raise Invalid("an entry is no text", remedy="Send the ids of the descriptors.")
    return await _done(to, request, *await _removals(to, request, class_, ids))


async def post_shells(to: Services, request: Request) -> Answer:
    """BulkPostAssetAdministrationShellDescriptor."""
    return await _post(to, request, Class.SHELL_DESCRIPTOR)


async def put_shells(to: Services, request: Request) -> Answer:
    """BulkPutAssetAdministrationShellDescriptorById."""
    return await _put(to, request, Class.SHELL_DESCRIPTOR)


async def delete_shells(to: Services, request: Request) -> Answer:
    """BulkDeleteAssetAdministrationShellDescriptorById."""
    return await _delete(to, request, Class.SHELL_DESCRIPTOR)


async def post_submodels(to: Services, request: Request) -> Answer:
    """BulkPostSubmodelDescriptor."""
    return await _post(to, request, Class.SUBMODEL_DESCRIPTOR)


async def put_submodels(to: Services, request: Request) -> Answer:
    """BulkPutSubmodelDescriptorsById."""
    return await _put(to, request, Class.SUBMODEL_DESCRIPTOR)


async def delete_submodels(to: Services, request: Request) -> Answer:
    """BulkDeleteSubmodelDescriptorsById."""
    return await _delete(to, request, Class.SUBMODEL_DESCRIPTOR)


def _handle(request: Request) -> str:
    """The handle in the path.

    Raises:
        Missing: it is none; the standard has no 400 for it here.
    """
    try:
        return request.id("handleId")
    except Invalid as error:
        raise Missing(f"there is no such handle: {error}") from None


async def status(to: Services, request: Request) -> Answer:
    """BulkGetAsyncStatus: all calls are done when they are answered."""
    handle = _handle(request)
    to.jobs.find(request.who.name, ABOUT, handle)
    return answers.elsewhere(f"{request.base}/bulk/result/{encode_id(handle)}")


async def result(to: Services, request: Request) -> Answer:
    """BulkGetAsyncResult."""
    job = to.jobs.find(request.who.name, ABOUT, _handle(request))
    outcome = job.outcome or {"success": True}
    if outcome["success"]:
        return answers.done()
    messages = {"messages": outcome["messages"]}
    return answers.encoded(messages)._replace(status=answers.BAD)


ROUTES = [
    Route("POST", "/bulk/shell-descriptors", post_shells),
    Route("PUT", "/bulk/shell-descriptors", put_shells),
    Route("DELETE", "/bulk/shell-descriptors", delete_shells),
    Route("POST", "/bulk/submodel-descriptors", post_submodels),
    Route("PUT", "/bulk/submodel-descriptors", put_submodels),
    Route("DELETE", "/bulk/submodel-descriptors", delete_submodels),
    Route("GET", "/bulk/status/{handleId}", status),
    Route("GET", "/bulk/result/{handleId}", result),
]
