"""Operations: called and waited for, or started and asked about."""

import asyncio
import copy
import re
from typing import Any, cast

from lineshaft.core.errors import Invalid, LineshaftError, Missing
from lineshaft.twins import Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import answers, elements, kept, submodels
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.jobs import Job
from lineshaft.twins.api.requests import NotAllowed, Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.identifier import encode_id
from lineshaft.twins.model.paths import Steps, path_text
from lineshaft.twins.model.values import value_of, with_value

TIMEOUT_S = 60.0
"""When the request does not say."""
TIMEOUT_S_MAX = 3600.0
_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{0,9}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_SECONDS = (31_536_000, 2_592_000, 86_400, 3600, 60, 1)


class _Call:
    """What is to be carried out, checked."""

    def __init__(self, submodel_id: str, steps: Steps, operation: Json) -> None:
        self.submodel_id = submodel_id
        self.steps = steps
        self.operation = operation
        self.inputs: Json = {}
        self.timeout_s = TIMEOUT_S

    def variables(self, kind: str) -> dict[str, Json]:
        """The declared variables of a kind by idShort."""
        declared = (v["value"] for v in self.operation.get(f"{kind}Variables", ()))
        return {v["idShort"]: v for v in declared if "idShort" in v}

    @property
    def about(self) -> str:
        """What a job is found by."""
        return f"{self.submodel_id}#{path_text(self.steps)}"


async def _called(to: Services, request: Request) -> _Call:
    """The operation that the address names; the caller may carry it out.

    Raises:
        NotAllowed: the element is none.
    """
    document, element, steps = await elements.one(to, request)
    if element["modelType"] != "Operation":
        raise NotAllowed(
            f"element {path_text(steps)!r} is a {element['modelType']}",
            remedy="Only an Operation can be called.",
        )
    kept.demand(to, request, Right.EXECUTE, document, path_text(steps))
    return _Call(document.id, steps, element)


async def _asked(to: Services, request: Request, *, bare: bool, later: bool) -> _Call:
    """The call with its arguments.

    Raises:
        Invalid: the arguments are not those that the operation declares.
    """
    call = await _called(to, request)
    body = await request.object()
    for kind in ("input", "inoutput"):
        given = body.get(f"{kind}Arguments")
        values = _bare(kind, given) if bare else _plain(kind, given)
        declared = call.variables("input" if kind == "input" else "inoutput")
        call.inputs |= _fitted(kind, declared, values)
    duration = body.get("clientTimeoutDuration")
    if duration is None and later and not request.old:
        raise Invalid(
            "clientTimeoutDuration is missing", remedy='Send how long you wait, such as "PT60S".'
        )
    if duration is not None:
        call.timeout_s = seconds_of(duration)
    return call


def _bare(kind: str, given: Any) -> Json:  # noqa: ANN401 - JSON
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise Invalid(f"{kind}Arguments are no object", remedy="Send values by idShort.")
    return given


def _plain(kind: str, given: Any) -> Json:  # noqa: ANN401 - JSON
    if given is None:
        return {}
    if not isinstance(given, list):
        raise Invalid(f"{kind}Arguments are no array", remedy="Send OperationVariables.")
    values: Json = {}
    for at, variable in enumerate(given):
        findings = check("OperationVariable", variable)
        if findings:
            raise Invalid(f"{kind}Arguments[{at}].{findings[0].path}: {findings[0].message}")
        element = variable["value"]
        values[element.get("idShort", "")] = value_of(element, blobs=True)
    return values


def _fitted(kind: str, declared: dict[str, Json], values: Json) -> Json:
    """The values, each of the type that the operation declares for it."""
    for name in values.keys() - declared.keys():
        wanted = ", ".join(declared) or "none"
        raise Invalid(f"{kind}Arguments hold {name[:80]!r}, the operation declares {wanted}")
    for name in declared.keys() - values.keys():
        raise Invalid(f"{kind}Arguments lack {name!r}", remedy="Send every declared variable.")
    for name, value in values.items():
        with_value(copy.deepcopy(declared[name]), value)
    return values


def seconds_of(duration: object) -> float:
    """Seconds of a duration as ISO 8601 writes it, at most `TIMEOUT_S_MAX`.

    Raises:
        Invalid: it is none, or not above zero.
    """
    found = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    total = 0.0
    if found:
        total = sum(float(n or 0) * s for n, s in zip(found.groups(), _SECONDS, strict=True))
    if total <= 0:
        raise Invalid(
            f"clientTimeoutDuration is {duration!r:.60}, wanted a duration above zero",
            remedy='Write it as ISO 8601 does, such as "PT30S".',
        )
    return min(total, TIMEOUT_S_MAX)


# ---- carrying out


async def _carried_out(to: Services, request: Request, call: _Call) -> Json:
    """The outcome, with values by idShort.

    Raises:
        Unbound: nothing carries it out.
    """
    try:
        async with asyncio.timeout(call.timeout_s):
            outputs = await to.living.invoke(
                request.who, call.submodel_id, call.steps, call.inputs, call.timeout_s
            )
    except TimeoutError:
        text = f"the operation did not end within {call.timeout_s:g} s"
        return _outcome("Timeout", answers.message("Error", 408, text))
    except NotAllowed:
        raise
    except LineshaftError as error:
        text = answers.sentence(str(error), error.remedy)
        return _outcome("Failed", answers.message("Error", answers.status_of(error), text))
    both = call.variables("inoutput")
    made = _outcome("Completed")
    made["outputArguments"] = {k: v for k, v in outputs.items() if k not in both}
    made["inoutputArguments"] = {k: v for k, v in outputs.items() if k in both}
    return made


def _outcome(state: str, *messages: Json) -> Json:
    return {"executionState": state, "success": state == "Completed", "messages": [*messages]}


def _full(call: _Call, outcome: Json) -> Json:
    """The outcome with OperationVariables instead of bare values."""
    made = dict(outcome)
    for kind in ("output", "inoutput"):
        values = outcome.get(f"{kind}Arguments")
        if values is not None:
            declared = call.variables(kind)
            made[f"{kind}Arguments"] = [
                {"value": _filled(declared[name], value)}
                for name, value in values.items()
                if name in declared
            ]
    return made


def _filled(declared: Json, value: object) -> Json:
    """The declared variable with its value; what came as a whole element stays one."""
    if _is_element(value):
        return cast(Json, value)
    element = copy.deepcopy(declared)
    with_value(element, value)
    return element


def _is_element(value: object) -> bool:
    return isinstance(value, dict) and "modelType" in value


def _valued(outcome: Json) -> Json:
    """The outcome with values alone, also where whole elements came."""
    made = dict(outcome)
    for kind in ("outputArguments", "inoutputArguments"):
        if kind in outcome:
            found = outcome[kind].items()
            made[kind] = {n: value_of(v) if _is_element(v) else v for n, v in found}
    return made


async def _invoked(to: Services, request: Request, *, bare: bool) -> Answer:
    call = await _asked(to, request, bare=bare, later=False)
    outcome = await _carried_out(to, request, call)
    return answers.encoded(_valued(outcome) if bare else _full(call, outcome))


async def invoke(to: Services, request: Request) -> Answer:
    """InvokeOperation-Sync."""
    return await _invoked(to, request, bare=False)


async def invoke_value(to: Services, request: Request) -> Answer:
    """InvokeOperation-Sync-ValueOnly."""
    return await _invoked(to, request, bare=True)


# ---- later


async def _started(to: Services, request: Request, *, bare: bool) -> Answer:
    call = await _asked(to, request, bare=bare, later=True)

    async def work() -> Json:
        try:
            return await _carried_out(to, request, call)
        except NotAllowed as error:
            text = answers.sentence(str(error), error.remedy)
            return _outcome("Failed", answers.message("Error", answers.NOT_ALLOWED, text))

    handle = await to.jobs.start(request.who.name, call.about, work, call)
    where = request.path.rpartition("/invoke-")[0]
    return answers.accepted(f"{request.base}/{where}/operation-status/{encode_id(handle)}")


async def start(to: Services, request: Request) -> Answer:
    """InvokeOperation-Async."""
    return await _started(to, request, bare=False)


async def start_value(to: Services, request: Request) -> Answer:
    """InvokeOperation-Async-ValueOnly."""
    return await _started(to, request, bare=True)


async def _job(to: Services, request: Request) -> Job:
    call = await _called(to, request)
    return to.jobs.find(request.who.name, call.about, request.id("handleId"))


async def status(to: Services, request: Request) -> Answer:
    """GetOperationAsyncStatus."""
    job = await _job(to, request)
    if job.outcome is None:
        return answers.encoded({"executionState": job.state, "messages": []})
    return answers.elsewhere(
        f"{request.base}/{request.path.replace('/operation-status/', '/operation-results/')}"
    )


async def _result(to: Services, request: Request, *, bare: bool) -> Answer:
    job = await _job(to, request)
    if job.outcome is None:
        raise Missing("the operation has not ended", remedy="Ask for its operation-status.")
    outcome = job.outcome
    return answers.encoded(_valued(outcome) if bare else _full(job.more, outcome))


async def result(to: Services, request: Request) -> Answer:
    """GetOperationAsyncResult."""
    return await _result(to, request, bare=False)


async def result_value(to: Services, request: Request) -> Answer:
    """GetOperationAsyncResult-ValueOnly."""
    return await _result(to, request, bare=True)


def _routes(base: str) -> list[Route]:
    return [
        Route("POST", f"{base}/invoke", invoke),
        Route("POST", f"{base}/invoke/$value", invoke_value),
        Route("POST", f"{base}/invoke-async", start),
        Route("POST", f"{base}/invoke-async/$value", start_value),
        Route("GET", f"{base}/operation-status/{{handleId}}", status),
        Route("GET", f"{base}/operation-results/{{handleId}}", result),
        Route("GET", f"{base}/operation-results/{{handleId}}/$value", result_value),
    ]


_MISSPELT = "/aas/submodels/{submodelIdentifier}/submodel-elements/{idShortPath}/invoke-asnyc"
"""So it stands in the OpenAPI document of 3.1.2, and so in clients made from it."""

ROUTES = [
    *(r for way in submodels.WAYS for r in _routes(f"{way}/submodel-elements/{{idShortPath}}")),
    Route("POST", _MISSPELT, start),
]
