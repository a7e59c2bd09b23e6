"""What every HTTP route shares. A slice's `routes.py` exports `handlers`, made with these.

Every handler names the action it needs; the server refuses to start with one that does not.
A handler gets what it works on by parameter name from the plant's services, `who` (the
`Identity` that asks) among them.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from litestar import delete as _delete
from litestar import get as _get
from litestar import patch as _patch
from litestar import post as _post
from litestar import put as _put
from litestar import websocket as _websocket

from lineshaft.core.access import Action

API = "/api/v1"


F = TypeVar("F", bound=Callable[..., Any])


class _Decorator(Protocol):
    def __call__(
        self,
        path: str | list[str],
        *,
        action: Action,
        **options: Any,  # noqa: ANN401
    ) -> Callable[[F], F]: ...


def _needing(decorator: Any) -> _Decorator:  # noqa: ANN401 - litestar's five are of five types
    def with_action(
        path: str | list[str],
        *,
        action: Action,
        **options: Any,  # noqa: ANN401
    ) -> Callable[[F], F]:
        return decorator(path, action=action, **options)  # type: ignore[no-any-return]

    return with_action


get = _needing(_get)
post = _needing(_post)
put = _needing(_put)
patch = _needing(_patch)
delete = _needing(_delete)
websocket = _needing(_websocket)
"""Litestar's decorators with `action`, kept in the route's `opt["action"]`."""

Handlers = Sequence[Any]
"""What `routes.py` exports as `handlers`: paths are below `API`."""
