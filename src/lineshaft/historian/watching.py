"""Live values over a WebSocket, and as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect
from litestar.response import Stream
from litestar.types import Scope

from lineshaft.core.access import Action, Identity
from lineshaft.core.errors import Invalid, Unknown
from lineshaft.historian import Historian
from lineshaft.historian.last import Value
from lineshaft.historian.live import WISHES_MAX, Viewer, Wish
from lineshaft.web import get, websocket
from lineshaft.web.frames import decode
from lineshaft.web.identify import Recheck
from lineshaft.web.problem import problem
from lineshaft.web.sse import PING, event

RECHECK_S = 30.0
"""How long a socket goes on after its session or token has ended, at most."""
SSE_CREDIT = 16


class Subscribe(msgspec.Struct, frozen=True):
    """Points and branches that a client wants to watch."""

    points: list[str] = []
    branches: list[str] = []


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client says over the socket."""

    subscribe: Subscribe | None = None
    credit: int = 0


@websocket("/live", action=Action.LOOK)
async def live(
    socket: WebSocket[Any, Any, Any], historian: Historian, who: Identity, scope: Scope
) -> None:
    """Live values; see the guide to HTTP for what travels."""
    await socket.accept()
    viewer = Viewer(who)
    recheck: Recheck = scope["state"]["recheck"]
    try:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(_send(socket, viewer))
            checking = group.create_task(_recheck(socket, who, recheck))
            await _receive(socket, historian, viewer)
            sending.cancel()
            checking.cancel()
    except* (WebSocketDisconnect, OSError):
        pass  # the client has gone; there is nobody to tell
    finally:
        historian.live.leave(viewer)


async def _receive(socket: WebSocket[Any, Any, Any], historian: Historian, viewer: Viewer) -> None:
    """Take in what the client says until it goes."""
    while True:
        try:
            text = await socket.receive_data(mode="text")
        except WebSocketDisconnect:
            return
        try:
            message = _message(text)
            viewer.grant(message.credit)
            if message.subscribe is not None:
                historian.live.subscribe(viewer, _wish(message.subscribe))
        except Invalid as error:
            answer = msgspec.json.encode({"error": problem(error)})
            await socket.send_data(answer.decode(), mode="text")


def _message(text: str | bytes) -> Message:
    try:
        return msgspec.json.decode(text, type=Message)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise Invalid(
            f"the message is not understood: {error}",
            remedy='Send {"subscribe": {"points": [], "branches": []}} or {"credit": 1}.',
        ) from None


def _wish(subscribe: Subscribe) -> Wish:
    count = len(subscribe.points) + len(subscribe.branches)
    if count > WISHES_MAX:
        raise Invalid(
            f"{count} points and branches were named, wanted at most {WISHES_MAX}",
            remedy="Subscribe to a branch above them.",
        )
    branches = tuple(b.strip("/") for b in subscribe.branches)
    return Wish(frozenset(subscribe.points), branches)


async def _send(socket: WebSocket[Any, Any, Any], viewer: Viewer) -> None:
    """Send what the hub hands over; waits for a slow socket, which then earns no credit."""
    while True:
        item = await viewer.next()
        await socket.send_data(item, mode="binary" if isinstance(item, bytes) else "text")


def _still(who: Identity, now: Identity | None) -> bool:
    """Whether who watches may still see just what they could when they came."""
    return now is not None and Action.LOOK in now.actions and now.branches == who.branches


async def _recheck(socket: WebSocket[Any, Any, Any], who: Identity, recheck: Recheck) -> None:
    """Close the socket when its session or token has ended, or its rights have changed."""
    while True:
        await asyncio.sleep(RECHECK_S)
        if not _still(who, await recheck()):
            answer = msgspec.json.encode({"error": problem(Unknown("the session has ended"))})
            await socket.send_data(answer.decode(), mode="text")
            await socket.close(code=4401, reason="the session has ended")
            return


@get(
    "/live/events",
    action=Action.LOOK,
    summary="Live values as server-sent events",
    tags=["values"],
)
async def events(
    historian: Historian,
    who: Identity,
    scope: Scope,
    points: list[str] | None = None,
    branch: str | None = None,
) -> Stream:
    """One event `values` per asset and tick: a list of values, as `/last` gives them."""
    branches = [branch] if branch is not None or not points else []
    wish = _wish(Subscribe(points or [], [b or "" for b in branches]))
    viewer = Viewer(who)
    stream = _events(historian, viewer, wish, scope["state"]["recheck"])
    return Stream(stream, media_type="text/event-stream")


async def _events(
    historian: Historian, viewer: Viewer, wish: Wish, recheck: Recheck
) -> AsyncGenerator[bytes]:
    hub = historian.live
    ids: set[int] = set()
    viewer.grant(SSE_CREDIT)
    hub.subscribe(viewer, wish)
    loop = asyncio.get_running_loop()
    checked = loop.time()
    try:
        yield PING
        while True:
            if loop.time() - checked > RECHECK_S:
                if not _still(viewer.who, await recheck()):
                    return
                checked = loop.time()
            try:
                async with asyncio.timeout(RECHECK_S / 2):
                    item = await viewer.next()
            except TimeoutError:
                yield PING
                continue
            if isinstance(item, str):
                ids.update(msgspec.json.decode(item)["points"].values())
                continue
            viewer.grant(1)
            values = [
                value
                for i in decode(item).id.tolist()
                if i in ids and (value := _value(historian, i)) is not None
            ]
            if values:
                yield event("values", values)
    finally:
        hub.leave(viewer)


def _value(historian: Historian, place: int) -> Value | None:
    path = historian.live.last.paths[place]
    point = historian.namespace.find(path)
    return historian.live.last.value(path, point.kind) if point else None


handlers = (live, events)
