"""Finds the handler of a request by its method and path, one level of the path at a time."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.services import Services

Handler = Callable[[Services, Request], Awaitable[Answer]]
"""Answers one request."""


class Route(NamedTuple):
    """One operation of the interface."""

    method: str
    template: str
    """Such as `/submodels/{submodelIdentifier}/$value`."""
    handler: Handler


class Found(NamedTuple):
    """What stands at a path."""

    handlers: Mapping[str, Handler]
    """By method."""
    params: dict[str, str]
    """What the path says in place of the names in braces."""


class _Node:
    __slots__ = ("handlers", "levels", "name", "other")

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.levels: dict[str, _Node] = {}
        self.other: _Node | None = None
        """Where any other word leads."""
        self.name = ""
        """What that word stands for."""


class Router:
    """The routes as a tree; a word of a template goes before a name in braces."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        for level in _levels(route.template):
            if level.startswith("{"):
                name = level[1:-1]
                if node.other is None:
                    node.other, node.name = _Node(), name
                if node.name != name:
                    raise AssertionError(f"{route.template}: {name} is {node.name} elsewhere")
                node = node.other
            else:
                node = node.levels.setdefault(level, _Node())
        if route.method in node.handlers:
            raise AssertionError(f"{route.method} {route.template} stands twice")
        node.handlers[route.method] = route.handler

    def find(self, path: str) -> Found | None:
        """What stands at the path, or None; slashes at its ends do not count."""
        node, params = self._root, {}
        for level in _levels(path):
            below = node.levels.get(level)
            if below is None:
                below = node.other
                if below is None:
                    return None
                params[node.name] = level
            node = below
        return Found(node.handlers, params) if node.handlers else None


def _levels(path: str) -> list[str]:
    path = path.strip("/")
    return path.split("/") if path else []
