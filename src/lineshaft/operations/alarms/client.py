"""Alarms of a running plant, for Python programs."""

from collections.abc import Callable, Iterable
from typing import Any

from lineshaft.core.errors import Missing

Ask = Callable[..., dict[str, Any]]
"""Method and path below the API, options of httpx; the decoded answer."""


class Alarms:
    """`plant.alarms`: looked at, answered, defined, tried on history."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def all(self, *, everything: bool = False) -> list[dict[str, Any]]:
        """Open alarms, most urgent first; with `everything` the normal ones too."""
        scope = "all" if everything else "open"
        items: list[dict[str, Any]] = self._ask("GET", "/alarms", params={"scope": scope})["items"]
        return items

    def named(self, name: str) -> dict[str, Any]:
        """One alarm with its state.

        Raises:
            Missing: there is none of that name.
        """
        found = [v for v in self.all(everything=True) if v["alarm"]["name"] == name]
        if not found:
            raise Missing(f"there is no alarm {name!r}", remedy="List them with all().")
        return found[0]

    def acknowledge(self, name: str, comment: str = "") -> dict[str, Any]:
        """Say that somebody has seen it.

        Raises:
            Stale: it is acknowledged already, or came anew meanwhile.
        """
        event_id = self.named(name)["state"]["event_id"]
        return self.answer(name, {"do": "acknowledge", "event_id": event_id}, comment)

    def shelve(self, name: str, seconds: float = 0.0, comment: str = "") -> dict[str, Any]:
        """Put it away for some seconds; 0: until it returns to normal."""
        return self.answer(name, {"do": "shelve", "seconds": seconds}, comment)

    def answer(self, name: str, deed: dict[str, Any], comment: str = "") -> dict[str, Any]:
        """Any deed of `POST /alarms/answer`, such as `{"do": "unshelve"}`.

        Raises:
            Stale: the alarm's state does not allow it; the message has the OPC UA code.
        """
        body = {"alarm": name, "deed": deed, "comment": comment}
        return self._ask("POST", "/alarms/answer", json=body)

    def acknowledge_all(
        self, names: Iterable[str] | None = None, comment: str = ""
    ) -> list[dict[str, Any]]:
        """Acknowledge many in one step, without names all that nobody has; tells the refused."""
        wanted = None if names is None else set(names)
        event_ids = {
            v["alarm"]["name"]: v["state"]["event_id"]
            for v in self.all()
            if not v["state"]["acked"] and (wanted is None or v["alarm"]["name"] in wanted)
        }
        body = {"event_ids": event_ids, "comment": comment}
        refused: list[dict[str, Any]] = self._ask("POST", "/alarms/acknowledge", json=body)[
            "refused"
        ]
        return refused

    def definition(self, name: str) -> dict[str, Any]:
        """How an alarm is defined (`alarm`), its `tag`, and whether a file or a device has it.

        Raises:
            Missing: there is none of that name.
        """
        return self._ask("GET", "/alarms/definition", params={"name": name})

    def define(
        self, alarm: dict[str, Any], *, permit: str = "", expected: str | None = None
    ) -> dict[str, Any]:
        """Add an alarm, or change one made at run time; fields as in `[[alarms]]`.

        `expected`: the tag that its definition must still have, or empty where there must be none
        of that name; None asks nothing.

        Raises:
            Stale: it was changed, removed or made meanwhile.
        """
        headers = {}
        if expected is not None:
            headers = {"If-Match": f'"{expected}"'} if expected else {"If-None-Match": "*"}
        return self._ask("PUT", "/alarms", json=alarm, params={"permit": permit}, headers=headers)

    def define_all(
        self, alarms: list[dict[str, Any]], *, permit: str = "", new: bool = False
    ) -> list[dict[str, Any]]:
        """Define alarms in one step, all or none; with `new` none of them may exist already.

        Raises:
            Stale: one does.
        """
        body = {"alarms": alarms, "new": new}
        params = {"permit": permit}
        found: list[dict[str, Any]] = self._ask("PUT", "/alarms/several", json=body, params=params)[
            "items"
        ]
        return found

    def copy(self, name: str, to: str, *, permit: str = "", **fields: object) -> dict[str, Any]:
        """Define an alarm like another under a new name, with some fields different.

        Raises:
            Missing: there is none to copy.
            Stale: there is one of the new name already.
        """
        alarm = {**self.definition(name)["alarm"], **fields, "name": to}
        return self.define(alarm, permit=permit, expected="")

    def remove(self, name: str, *, permit: str = "") -> None:
        """Take away an alarm made at run time."""
        self._ask("DELETE", "/alarms", params={"name": name, "permit": permit})

    def preview(
        self, alarm: dict[str, Any], start: str = "-7d", stop: str = "now"
    ) -> dict[str, Any]:
        """How often it would have rung in a span; nothing is kept."""
        body = {"alarm": alarm, "start": start, "stop": stop}
        return self._ask("POST", "/alarms/preview", json=body)

    def journal(
        self, start: str = "-1d", stop: str = "now", *, alarm: str = "", limit: int = 200
    ) -> list[dict[str, Any]]:
        """What happened to alarms in a span, newest first."""
        params = {"start": start, "stop": stop, "alarm": alarm, "limit": limit}
        items: list[dict[str, Any]] = self._ask("GET", "/alarms/journal", params=params)["items"]
        return [i["event"] for i in items]

    def report(self, start: str = "-30d", stop: str = "now") -> dict[str, Any]:
        """Figures of the alarm system after ISA-18.2 and EEMUA 191."""
        return self._ask("GET", "/alarms/report", params={"start": start, "stop": stop})

    def rationalisation(self) -> list[dict[str, Any]]:
        """Cause, consequence, action and time to respond of each, those with gaps first."""
        items: list[dict[str, Any]] = self._ask("GET", "/alarms/rationalisation")["items"]
        return items
