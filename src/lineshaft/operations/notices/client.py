"""Notices of a running plant, for Python programs."""

from collections.abc import Callable, Sequence
from typing import Any

Ask = Callable[..., dict[str, Any]]
"""Method and path below the API, options of httpx; the decoded answer."""


class Notices:
    """`plant.notices`: who is told of alarms, what waits, what was sent."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def all(self) -> dict[str, Any]:
        """Recipients without their secrets, and the rules."""
        return self._ask("GET", "/notices")

    def outbox(
        self, *, status: str = "", recipient: str = "", alarm: str = "", limit: int = 100
    ) -> list[dict[str, Any]]:
        """Notices, newest first, by status: waiting, sent, joined, cancelled, given-up."""
        params: dict[str, Any] = {"recipient": recipient, "alarm": alarm, "limit": limit}
        if status:
            params["status"] = status
        items: list[dict[str, Any]] = self._ask("GET", "/notices/outbox", params=params)["items"]
        return items

    def test(self, recipient: str) -> dict[str, Any]:
        """Put a test message to one recipient into the outbox."""
        return self._ask("POST", "/notices/test", json={"recipient": recipient})

    def retry(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Try again at once: what waits, and what was given up."""
        answer = self._ask("POST", "/notices/retry", json={"ids": list(ids)})
        items: list[dict[str, Any]] = answer["items"]
        return items
