"""HTTP routes of notices: who is told, what waits, a test, another try."""

from typing import Annotated

import msgspec
from litestar.params import QueryParameter
from msgspec.structs import replace

from lineshaft.core.access import Action, Identity
from lineshaft.operations.alarms.settings import Priority
from lineshaft.operations.notices.notice import Notice, Status
from lineshaft.operations.notices.office import Notices
from lineshaft.operations.notices.settings import Quiet, Rule
from lineshaft.web import get, post
from lineshaft.web.paging import Items

Limit = Annotated[int, QueryParameter(ge=1, le=1000)]
IDS_MAX = 500
PAGES_MAX = 10
"""Pages of the outbox that are looked through for what the caller may see."""


class RecipientView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is told, without secrets."""

    name: str
    channel: str
    address: str
    """Empty for those who may not configure the plant."""
    language: str
    zone: str
    quiet: tuple[Quiet, ...]
    quiet_below: Priority
    at_most: int
    waiting: int
    trouble: str
    """Why nothing gets through now; empty when all is well, no more than that it does not for
    those who may not configure the plant."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Recipients and rules that the caller may know of."""

    recipients: list[RecipientView]
    rules: list[Rule]
    may_configure: bool


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to send a test message to."""

    recipient: str


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """What to try again."""

    ids: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=IDS_MAX)]


@get("/notices", action=Action.LOOK, tags=["notices"], summary="Who is told of alarms")
async def overview(notices: Notices, who: Identity) -> Overview:
    """Recipients without their secrets, and the rules; of those that concern what one may see."""
    rules = [r for r in notices.book.rules if notices.sees(who, r.branch)]
    may = notices.may_configure(who)
    named = {n for r in rules for s in r.steps for n in s.to}
    views = [
        RecipientView(
            name=r.name,
            channel=r.channel,
            address=r.address if may else "",
            language=r.language,
            zone=r.zone,
            quiet=r.quiet,
            quiet_below=r.quiet_below,
            at_most=r.at_most,
            waiting=len(notices.outbox.waiting(r.name)),
            trouble=_told(notices.figures.trouble.get(r.name, ""), may=may),
        )
        for r in notices.book.recipients.values()
        if may or r.name in named
    ]
    return Overview(recipients=views, rules=rules, may_configure=may)


@get(
    "/notices/outbox", action=Action.LOOK, tags=["notices"], summary="What is, was or will be sent"
)
async def outbox(  # noqa: PLR0913, PLR0917 - services and filters, by name
    notices: Notices,
    who: Identity,
    status: Status | None = None,
    recipient: str = "",
    alarm: str = "",
    cursor: str = "",
    limit: Limit = 100,
) -> Items[Notice]:
    """Notices of what the caller may see, newest first; a short page may not be the last."""
    seen: list[Notice] = []
    for _ in range(PAGES_MAX):
        found, cursor = await notices.outbox.find(
            status=status, recipient=recipient, alarm=alarm, cursor=cursor, limit=limit
        )
        may = notices.may_configure(who)
        seen += [
            replace(n, error=_told(n.error, may=may)) for n in found if notices.sees(who, n.path)
        ]
        if seen or not cursor:
            break
    return Items(items=seen, cursor=cursor)


@post(
    "/notices/test",
    action=Action.CONFIGURE,
    tags=["notices"],
    summary="Send a test message",
    status_code=202,
)
async def test(data: Test, notices: Notices, who: Identity) -> Notice:
    """Put a test message into the outbox; `GET /notices/outbox` tells what became of it."""
    return await notices.test(who, data.recipient)


@post(
    "/notices/retry",
    action=Action.CONFIGURE,
    tags=["notices"],
    summary="Try notices again",
    status_code=202,
)
async def retry(data: Retry, notices: Notices, who: Identity) -> Items[Notice]:
    """Try again at once: what waits, and what was given up."""
    return Items(items=await notices.retry(who, data.ids))


def _told(error: str, *, may: bool) -> str:
    """What is told of an error: it names servers, and what they answered."""
    return error if may or not error else "not delivered; who configures the plant sees why"


handlers = [overview, outbox, test, retry]
