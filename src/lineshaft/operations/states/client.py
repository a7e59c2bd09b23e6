"""States of work units of a running plant, for Python programs."""

from collections.abc import Callable
from typing import Any

Ask = Callable[..., dict[str, Any]]
"""Method and path below the API, options of httpx; the decoded answer."""


class States:
    """`plant.states`: looked at, explained, corrected."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def now(self) -> list[dict[str, Any]]:
        """All work units with their states, and their stops of 24 hours that nobody explained."""
        return self._items("/states")

    def timeline(self, unit: str, start: str = "-8h", stop: str = "now") -> dict[str, Any]:
        """What a unit did, as columns: stretch i begins at `start_ns[i]`, ends where the next does.

        `state[i]` is the place in `states`, -1 where it is not known; `reason[i]` that in
        `reasons`, 0 being none.

        Raises:
            Missing: there is no such work unit.
        """
        params = {"unit": unit, "start": start, "stop": stop}
        return self._ask("GET", "/states/timeline", params=params)

    def stops(
        self, unit: str, start: str = "-24h", stop: str = "now", *, unexplained: bool = False
    ) -> list[dict[str, Any]]:
        """When a unit stood still, oldest first."""
        return self._items(
            "/states/stops", unit=unit, start=start, stop=stop, unexplained=unexplained
        )

    def reasons(self, unit: str = "") -> list[dict[str, Any]]:
        """The reason tree, or what is offered for a unit."""
        return self._items("/states/reasons", unit=unit)

    def corrections(
        self, unit: str, start: str = "-24h", stop: str = "now"
    ) -> list[dict[str, Any]]:
        """What people said of a span, newest first, that taken back too."""
        return self._items("/states/corrections", unit=unit, start=start, stop=stop)

    def explain(
        self, unit: str, start_ns: int, code: str, *, stop_ns: int | None = None, comment: str = ""
    ) -> dict[str, Any]:
        """Give the stop that holds `start_ns` a reason; with `stop_ns` only the part up to there.

        Raises:
            Invalid: the unit did not stand still then, or the reason is not offered for it.
        """
        body = {"unit": unit, "start_ns": start_ns, "stop_ns": stop_ns, "code": code}
        return self._one("/states/reason", body, comment)

    def correct(
        self, unit: str, start_ns: int, stop_ns: int, state: str, *, comment: str = ""
    ) -> dict[str, Any]:
        """Say that a unit was in another state in a span.

        Raises:
            Denied: it is too long ago for an operator.
        """
        body = {"unit": unit, "start_ns": start_ns, "stop_ns": stop_ns, "state": state}
        return self._one("/states/correct", body, comment)

    def merge(
        self, unit: str, start_ns: int, stop_ns: int, code: str, *, comment: str = ""
    ) -> dict[str, Any]:
        """Make one stop, with one reason, of all from one stop to another."""
        body = {"unit": unit, "start_ns": start_ns, "stop_ns": stop_ns, "code": code}
        return self._one("/states/merge", body, comment)

    def withdraw(self, note_id: str, *, comment: str = "") -> dict[str, Any]:
        """Take back what was said, by the `id` that the deed gave.

        Raises:
            Stale: it is taken back already.
        """
        return self._one("/states/withdraw", {"id": note_id}, comment)

    def _items(self, path: str, **params: object) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._ask("GET", path, params=params)["items"]
        return items

    def _one(self, path: str, body: dict[str, Any], comment: str) -> dict[str, Any]:
        items: list[dict[str, Any]] = self._ask("POST", path, json={**body, "comment": comment})[
            "items"
        ]
        return items[0]
