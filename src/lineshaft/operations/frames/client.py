"""Event frames of a running plant, for Python programs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Ask = Callable[..., dict[str, Any]]
"""Method and path below the API, options of httpx; the decoded answer."""


class Frames:
    """`plant.frames`: found, compared, answered, defined, tried on history."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def find(  # noqa: PLR0913 - filters, all by keyword
        self,
        *,
        template: str = "",
        asset: str = "",
        kind: str = "",
        start: str = "",
        stop: str = "",
        open: bool | None = None,  # noqa: A002 - the word of the API
        attributes: Sequence[str] = (),
        limit: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Frames, the newest first; `attributes` are filters such as `program=O1001`."""
        params: dict[str, Any] = {"template": template, "asset": asset, "kind": kind}
        params |= {"start": start, "stop": stop, "attribute": list(attributes)}
        params |= {"limit": 1000 if limit is None else min(limit, 1000)}
        params |= {} if open is None else {"open": open}
        cursor, left = "", limit
        while True:
            page = self._ask("GET", "/frames", params=params | {"cursor": cursor})
            items = page["items"] if left is None else page["items"][:left]
            yield from items
            left = None if left is None else left - len(items)
            cursor = page["cursor"]
            if not cursor or left == 0:
                return

    def one(self, key: str) -> dict[str, Any]:
        """`frame` with all that is known of it, and the frames in it as `children`.

        Raises:
            Missing: there is none of that key.
        """
        return self._ask("GET", "/frames/one", params={"key": key})

    def compare(
        self,
        frames: Sequence[str],
        points: Sequence[str],
        *,
        align: str = "start",
        steps: int = 500,
        reference: str = "",
    ) -> dict[str, Any]:
        """Values of points over frames, aligned by `start`, `stretch`, `phase` or `dtw`."""
        params = {"frame": list(frames), "point": list(points), "align": align, "steps": steps}
        return self._ask("GET", "/frames/compare", params=params | {"reference": reference})

    def annotate(
        self, key: str, *, acknowledge: bool = False, reason: str = "", comment: str = ""
    ) -> dict[str, Any]:
        """Acknowledge a frame, give it a reason or a comment."""
        body = {"frame": key, "acknowledge": acknowledge, "reason": reason, "comment": comment}
        return self._ask("POST", "/frames/annotate", json=body)

    def templates(self) -> list[dict[str, Any]]:
        """Templates with the assets that they are for."""
        items: list[dict[str, Any]] = self._ask("GET", "/frames/templates")["items"]
        return items

    def recomputing(self) -> list[dict[str, Any]]:
        """What is gone through again now, and how far it is."""
        items: list[dict[str, Any]] = self._ask("GET", "/frames/templates")["recomputing"]
        return items

    def define(self, template: dict[str, Any]) -> dict[str, Any]:
        """Add a template, or change one made at run time; fields as in `[[frames]]`."""
        return self._ask("PUT", "/frames/templates", json=template)

    def remove(self, name: str) -> None:
        """Take away a template made at run time; frames that have ended stay."""
        self._ask("DELETE", "/frames/templates", params={"name": name})

    def preview(
        self, template: dict[str, Any], start: str = "-7d", stop: str = "now"
    ) -> dict[str, Any]:
        """What frames it would have given in a span; nothing is kept."""
        body = {"template": template, "start": start, "stop": stop}
        return self._ask("POST", "/frames/preview", json=body)

    def recompute(
        self, template: str, start: str, stop: str = "now", *, asset: str = ""
    ) -> list[dict[str, Any]]:
        """Go through a span again, in the background; see `recomputing`."""
        body = {"template": template, "asset": asset, "start": start, "stop": stop}
        items: list[dict[str, Any]] = self._ask("POST", "/frames/recompute", json=body)["items"]
        return items
