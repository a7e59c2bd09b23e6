"""Events of twins over HTTP: a page of them, or a WebSocket on which they come as they happen."""

import asyncio
import contextlib
from typing import Annotated, Any

import msgspec
from litestar import Response, WebSocket
from litestar.exceptions import WebSocketDisconnect
from litestar.params import QueryParameter
from litestar.types import Scope

from lineshaft.core.access import Action, Identity
from lineshaft.core.errors import Unknown
from lineshaft.twins.living.events import PAGE, Events
from lineshaft.web import get, websocket
from lineshaft.web.identify import Recheck
from lineshaft.web.problem import problem

RECHECK_S = 30.0
"""How long a socket stays open, told nothing, after its session or token has ended, at most."""
BATCH = "application/cloudevents-batch+json"

After = Annotated[int, QueryParameter(ge=0)]
Limit = Annotated[int, QueryParameter(ge=1, le=1000)]


@get("/twins/events", action=Action.LOOK, summary="Events of twins", tags=["twins"])
async def events(
    twin_events: Events, who: Identity, after: After = 0, limit: Limit = PAGE
) -> Response[bytes]:
    """Events after the one with the sequence `after`, oldest first, as a batch of CloudEvents.

    What the caller may not see is left out. The header `X-Next-After` says where to go on, which
    it does also when all of a page was left out; when it repeats `after`, there is no more yet.
    """
    found = await twin_events.page(after, limit)
    told = [twin_events.cloud_event(e) for e in found if await twin_events.seen(who, e.event)]
    reached = found[-1].seq if found else after
    return Response(
        msgspec.json.encode(told), media_type=BATCH, headers={"X-Next-After": str(reached)}
    )


@websocket("/twins/events", action=Action.LOOK)
async def live(
    socket: WebSocket[Any, Any, Any],
    twin_events: Events,
    who: Identity,
    scope: Scope,
    after: int | None = None,
) -> None:
    """Each event as one text, a CloudEvent in JSON; without `after` those from now on."""
    recheck: Recheck = scope["state"]["recheck"]
    await socket.accept()
    try:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(_send(socket, twin_events, who, after, recheck))
            checking = group.create_task(_recheck(socket, who, recheck))
            await _until_gone(socket)
            sending.cancel()
            checking.cancel()
    except* (WebSocketDisconnect, OSError):
        pass  # the client has gone; there is nobody to tell


async def _send(
    socket: WebSocket[Any, Any, Any],
    events: Events,
    who: Identity,
    after: int | None,
    recheck: Recheck,
) -> None:
    start = await events.last() if after is None else max(after, 0)
    async with contextlib.aclosing(events.follow(start)) as parts:
        async for part in parts:
            if await recheck() != who:
                await _end(socket)
                return
            for logged in part:
                if await events.seen(who, logged.event):
                    text = msgspec.json.encode(events.cloud_event(logged)).decode()
                    await socket.send_data(text, mode="text")


async def _until_gone(socket: WebSocket[Any, Any, Any]) -> None:
    """Read away what the client says, which is nothing that counts, until it goes."""
    while True:
        try:
            await socket.receive_data(mode="text")
        except WebSocketDisconnect:
            return


async def _recheck(socket: WebSocket[Any, Any, Any], who: Identity, recheck: Recheck) -> None:
    """Close the socket when its session or token has ended, or its rights have changed."""
    while True:
        await asyncio.sleep(RECHECK_S)
        if await recheck() != who:
            await _end(socket)
            return


async def _end(socket: WebSocket[Any, Any, Any]) -> None:
    answer = msgspec.json.encode({"error": problem(Unknown("the session has ended"))})
    await socket.send_data(answer.decode(), mode="text")
    await socket.close(code=4401, reason="the session has ended")


handlers = [events, live]
