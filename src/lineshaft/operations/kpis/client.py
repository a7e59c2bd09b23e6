"""Figures of a running plant, for Python programs."""

from collections.abc import Callable, Sequence
from typing import Any

Ask = Callable[..., dict[str, Any]]
"""Method and path below the API, options of httpx; the decoded answer."""


class Kpis:
    """`plant.kpis`: figures of ISO 22400, losses, reports, calendars."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def figures(
        self,
        unit: str = "",
        *,
        branch: str = "",
        start: str = "-1d",
        stop: str = "now",
        by: str = "whole",
        only: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Figures of a unit, or of all units of a branch summed up.

        `by` is whole, shift, day, order or product; `only` names figures.

        Raises:
            Missing: there is no such unit.
        """
        return self._ask(
            "GET",
            "/kpis",
            params={**_of(unit, branch), **_span(start, stop), "by": by, "only": ",".join(only)},
        )

    def now(self, unit: str = "", *, branch: str = "") -> list[dict[str, Any]]:
        """OEE and its factors of every unit in its running shift."""
        items: list[dict[str, Any]] = self._ask("GET", "/kpis/now", params=_of(unit, branch))[
            "items"
        ]
        return items

    def explain(
        self,
        figure: str,
        unit: str = "",
        *,
        branch: str = "",
        start: str = "-1d",
        stop: str = "now",
        by: str = "whole",
        **key: str,
    ) -> dict[str, Any]:
        """One figure with its formula, inputs, raw points and stretches.

        With `by`, of the piece with this `day`, `shift`, `order` or `product`.
        """
        asked = {"figure": figure, **_of(unit, branch), **_span(start, stop), "by": by, **key}
        return self._ask("GET", "/kpis/explain", params=asked)

    def losses(
        self, unit: str = "", *, branch: str = "", start: str = "-1d", stop: str = "now"
    ) -> dict[str, Any]:
        """Waterfall from planned busy time to OEE time, and causes by length."""
        return self._ask("GET", "/kpis/losses", params={**_of(unit, branch), **_span(start, stop)})

    def report(
        self, unit: str = "", *, branch: str = "", day: str = "", shift: str = ""
    ) -> dict[str, Any]:
        """The report of a shift or day; without a day, of the last shift that has ended."""
        asked = {**_of(unit, branch), "day": day, "shift": shift}
        return self._ask("GET", "/kpis/report", params=asked)

    def calendars(self) -> list[str]:
        """Names of the calendars."""
        names: list[str] = self._ask("GET", "/calendars")["names"]
        return names

    def calendar(self, name: str, start: str = "-1d", stop: str = "+7d") -> list[dict[str, Any]]:
        """A calendar in a span, stretch by stretch.

        Raises:
            Missing: there is none of that name.
        """
        asked = {"name": name, **_span(start, stop)}
        spans: list[dict[str, Any]] = self._ask("GET", "/calendars/spans", params=asked)["spans"]
        return spans


def _of(unit: str, branch: str) -> dict[str, str]:
    return {"unit": unit, "branch": branch}


def _span(start: str, stop: str) -> dict[str, str]:
    return {"start": start, "stop": stop}
