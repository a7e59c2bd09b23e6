"""Derived points of a running plant, for Python programs."""

import time
from collections.abc import Callable
from typing import Any

from lineshaft.core.errors import Missing

Ask = Callable[..., dict[str, Any]]
"""Method and path below the API, options of httpx; the decoded answer."""
LOOK_S = 0.5


class Derived:
    """`plant.derived`: looked at, defined, checked, tried on history, recomputed."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def all(self) -> list[dict[str, Any]]:
        """Those that one may see, with `definition`, `owner` and `state`."""
        items: list[dict[str, Any]] = self._ask("GET", "/derived")["items"]
        return items

    def at(self, point: str) -> dict[str, Any]:
        """One of them.

        Raises:
            Missing: there is none of that path.
        """
        found = [v for v in self.all() if v["definition"]["point"] == point]
        if not found:
            raise Missing(f"there is no derived point {point!r}", remedy="List them with all().")
        return found[0]

    def define(self, point: str, expression: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        """Add one, or change one made at run time; further fields as in `[[derived]]`."""
        table = {"point": point, "expression": expression, **more}
        return self._ask("PUT", "/derived", json=table)

    def remove(self, point: str) -> None:
        """Take away one made at run time; its rows stay."""
        self._ask("DELETE", "/derived", params={"point": point})

    def check(self, derived: dict[str, Any]) -> dict[str, Any]:
        """Its `kind`, `unit` and `inputs`, or what is `wrong` and where."""
        return self._ask("POST", "/derived/check", json=derived)

    def preview(
        self, derived: dict[str, Any], start: str = "-1d", stop: str = "now"
    ) -> dict[str, Any]:
        """What it would have been in a span: `times_ns`, `values`, `qualities`, and counts."""
        body = {"derived": derived, "start": start, "stop": stop}
        return self._ask("POST", "/derived/preview", json=body)

    def recompute(
        self, point: str, start: str = "", stop: str = "now", *, wait: bool = False
    ) -> dict[str, Any]:
        """Have rows computed from history; from its first definition on when `start` is empty."""
        body = {"point": point, "start": start, "stop": stop}
        view = self._ask("POST", "/derived/recompute", json=body)
        while wait and view["state"]["phase"] == "recomputing":
            time.sleep(LOOK_S)
            view = self.at(point)
        return view
