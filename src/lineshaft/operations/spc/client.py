"""Control charts of a running plant, for Python programs."""

from collections.abc import Callable
from typing import Any

from lineshaft.core.errors import Missing
from lineshaft.web import times

Ask = Callable[..., dict[str, Any]]
"""Method and path below the API, options of httpx; the decoded answer."""


class Charts:
    """`plant.spc`: looked at, defined, learned, commented on."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def all(self) -> list[dict[str, Any]]:
        """Every chart with definition and standing: out of control first, then by name."""
        items: list[dict[str, Any]] = self._ask("GET", "/charts")["items"]
        return items

    def named(self, name: str) -> dict[str, Any]:
        """One chart with definition and standing.

        Raises:
            Missing: there is none of that name.
        """
        found = [v for v in self.all() if v["chart"]["name"] == name]
        if not found:
            raise Missing(f"there is no chart {name!r}", remedy="List them with all().")
        return found[0]

    def define(self, chart: dict[str, Any]) -> dict[str, Any]:
        """Add a chart, or change one made at run time; fields as in `[[charts]]`."""
        return self._ask("PUT", "/charts", json=chart)

    def remove(self, name: str) -> None:
        """Take away a chart made at run time."""
        self._ask("DELETE", "/charts", params={"name": name})

    def data(self, name: str, start: str = "-1d", stop: str = "now") -> dict[str, Any]:
        """Points, limits, violations and phases of a span, computed again from history."""
        params = {"name": name, "start": start, "stop": stop}
        return self._ask("GET", "/charts/data", params=params)

    def capability(
        self, name: str, start: str = "-7d", stop: str = "now", *, confidence: float = 0.95
    ) -> dict[str, Any]:
        """Cp, Cpk, Pp, Ppk, Cm and Cmk with their confidence, histogram, test of normality."""
        params = {"name": name, "start": start, "stop": stop, "confidence": confidence}
        return self._ask("GET", "/charts/capability", params=params)

    def learn(self, name: str, start: str = "-7d", stop: str = "now") -> dict[str, Any]:
        """A phase as a span proposes it; `confirm` puts it into the chart."""
        body = {"name": name, "start": start, "stop": stop}
        return self._ask("POST", "/charts/learn", json=body)

    def confirm(self, name: str, phase: dict[str, Any]) -> dict[str, Any]:
        """Let a phase begin on a chart made at run time; those that begin later or then go."""
        view = self.named(name)
        begins = times.time_ns(phase["start"])
        # Tables and resolved phases stand in one order.
        both = zip(view["chart"].get("phases", []), view["phases"], strict=False)
        kept = [table for table, resolved in both if resolved["start_ns"] < begins]
        return self.define(view["chart"] | {"phases": [*kept, phase]})

    def comment(self, name: str, time: str, cause: str) -> dict[str, Any]:
        """Name the cause of a violation; `time` is as `violations` of the data gives it."""
        body = {"name": name, "time": time, "cause": cause}
        return self._ask("POST", "/charts/comment", json=body)
