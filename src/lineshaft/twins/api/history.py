"""What an element was: a suffix of our own on the standard's paths, `…/$history`.

The standard knows the present alone, so this is not in `/description`; the answer is that of
`/api/v1/twins/history`.
"""

from lineshaft.core.errors import Invalid, Missing
from lineshaft.twins.api import answers, elements, submodels
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.model.paths import path_text

LIMIT = 1000
LIMIT_MAX = 10_000
"""Moments of one answer."""


async def get(to: Services, request: Request) -> Answer:
    """Samples of the point behind the element, oldest first; the last hour by default."""
    if to.past is None:
        raise Missing("elements have no history here", remedy="Ask a plant that keeps one.")
    id_ = (await submodels.found(to, request)).id
    past = await to.past(
        request.who,
        id_,
        path_text(elements.steps_of(request)),
        start=request.one("start") or "",
        end=request.one("end") or "",
        limit=_limit(request),
    )
    return answers.encoded(past)


def _limit(request: Request) -> int:
    given = request.one("limit")
    if given is None:
        return LIMIT
    if given.isascii() and given.isdigit() and len(given) <= len(str(LIMIT_MAX)):
        number = int(given)
        if 1 <= number <= LIMIT_MAX:
            return number
    raise Invalid(f"limit is {given[:40]!r}, wanted a whole number from 1 to {LIMIT_MAX}")


ROUTES = [
    Route("GET", f"{way}/submodel-elements/{{idShortPath}}/$history", get) for way in submodels.WAYS
]
