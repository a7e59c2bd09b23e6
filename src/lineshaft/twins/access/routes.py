"""The access rules of the twins, over HTTP."""

from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import HeaderParameter

from lineshaft.core.access import Action, Identity
from lineshaft.twins.access.deciding import Access
from lineshaft.web import get, put

TAGS = ["twins"]
IfMatch = Annotated[str, HeaderParameter(name="If-Match", required=False)]


@get("/twins/rules", action=Action.ADMINISTER, summary="Access rules of twins", tags=TAGS)
async def read_rules(rules: Access) -> Response[bytes]:
    """The rules of IDTA-01004 as they were sent; an empty object when there are none."""
    given, version = rules.rules
    return Response(
        msgspec.json.encode(given),
        media_type="application/json",
        headers={"ETag": f'"{version}"'},
    )


@put(
    "/twins/rules",
    action=Action.ADMINISTER,
    summary="Replace the access rules of twins",
    tags=TAGS,
    status_code=204,
)
async def replace_rules(
    data: dict[str, Any], rules: Access, who: Identity, if_match: IfMatch = ""
) -> None:
    """Put rules in the place of all others; an empty object takes all away."""
    await rules.replace(who, data, if_match=if_match)


handlers = [read_rules, replace_rules]
