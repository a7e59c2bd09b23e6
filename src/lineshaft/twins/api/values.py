"""Values of submodel elements, and of whole submodels when they are set."""

import contextlib
from typing import Any

import msgspec

from lineshaft.core.errors import Missing
from lineshaft.twins import Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.access.holding import Hold
from lineshaft.twins.api import answers, kept, submodels
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.elements import SUBMODEL, WITHOUT_VALUE, one, steps_of
from lineshaft.twins.api.holding import Edit
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.matching import check_match
from lineshaft.twins.model.elements import find
from lineshaft.twins.model.paths import Steps, path_text
from lineshaft.twins.model.values import value_of, with_value


async def get_value(to: Services, request: Request) -> Answer:
    """GetSubmodelElementByPath-ValueOnly."""
    is_core, blobs = request.is_core(), request.with_blobs()
    _, element, steps = await one(to, request)
    if element["modelType"] in WITHOUT_VALUE:
        return answers.encoded({})
    value = value_of(element, core=is_core, blobs=blobs)
    if request.old and not isinstance(value, dict | list):
        value = {str(steps[-1]): value}
    return answers.encoded(value)


async def patch_value(to: Services, request: Request) -> Answer:
    """PatchSubmodelElementByPath-ValueOnly, and PatchSubmodelById-ValueOnly for a whole one.

    What is bound goes to the machines; the rest is kept.
    """
    request.choice("level", "core")
    steps: Steps = steps_of(request) if "idShortPath" in request.params else ()
    value, id_ = await request.json(), await submodels.submodel_id(to, request)
    document = await kept.read(to, request, SUBMODEL, id_)
    # What a machine is told to do is an operator's business, as any other write to it.
    right = Right.EXECUTE if to.living.binds(id_, steps) else kept.SET
    kept.demand(to, request, right, document, path_text(steps))
    value = _tried(to, request, document, steps, value)
    check_match(request.header(b"if-match"), document)  # before a machine moves
    taken = await to.living.set_values(request.who, id_, steps, value)

    def alter(submodel: Json) -> None:
        before = {t: find(submodel, t).get("value") for t in taken}
        with_value(find(submodel, steps), value)
        for path, old in before.items():
            _restore(find(submodel, path), old)

    if steps in taken:
        return answers.done()
    made, _ = await kept.change(
        to,
        request,
        SUBMODEL,
        id_,
        alter,
        right=kept.SET,
        at=path_text(steps),
        kind="twin.value",
        edit=Edit.PATCHES,
    )
    return answers.done(made)


def _tried(to: Services, request: Request, document: Document, steps: Steps, value: Any) -> Any:  # noqa: ANN401 - JSON
    """The value alone, once it is seen that it can be kept: else no machine gets it either.

    Raises:
        Invalid: it cannot.
        Denied: it names what is hidden from the caller, and not the caller's to set.
    """
    whole = msgspec.json.decode(document.data)
    value = _bare(request, steps, find(whole, steps), value)
    if to.access.is_ruled:
        with contextlib.suppress(Missing):  # may be set, may not be seen
            # What the caller does not see is refused as what is not there.
            with_value(kept.seen(to, request.who, document, steps), value)
    with_value(find(whole, steps), value)
    if to.access.is_ruled:
        Hold(to.access, request.who, document, kept.SET).patched(whole, steps)
    return value


def _bare(request: Request, steps: Steps, element: Json, value: Any) -> Any:  # noqa: ANN401 - JSON
    """The value alone, where version 3.0 gives it with a name around."""
    if request.old and element["modelType"] == "Property" and isinstance(value, dict):
        return value.get(str(steps[-1]), value)
    return value


def _restore(element: Json, value: object) -> None:
    if value is None:
        element.pop("value", None)
    else:
        element["value"] = value


def _routes(base: str) -> list[Route]:
    single = f"{base}/submodel-elements/{{idShortPath}}"
    return [
        Route("PATCH", f"{base}/$value", patch_value),
        Route("GET", f"{single}/$value", get_value),
        Route("PATCH", f"{single}/$value", patch_value),
    ]


ROUTES = [route for way in submodels.WAYS for route in _routes(way)]
