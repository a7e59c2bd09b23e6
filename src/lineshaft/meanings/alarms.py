"""The submodel Alarms: what is watched at an asset, why, and how it stands now."""

import hashlib
import time
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from lineshaft.core.access import SYSTEM
from lineshaft.core.clock import to_iso
from lineshaft.core.errors import Missing
from lineshaft.core.path import parent
from lineshaft.core.point import Value
from lineshaft.operations.alarms.book import View
from lineshaft.operations.alarms.desk import Desk
from lineshaft.operations.alarms.settings import SEVERITY, Alarm, Limit
from lineshaft.twins import Json
from lineshaft.twins.living import Contribution
from lineshaft.twins.living.building import collection, prop, texts
from lineshaft.twins.living.names import id_shorts

LOOK_S = 1.0
"""Seconds between looks at whether alarms were defined otherwise."""
LOOK_SHARE = 0.02
"""Part of the time that these looks may take; with very many alarms they are rarer."""
_ALARM = "urn:lineshaft:alarms"
_LIMITS = {"hihi": "HiHi", "hi": "Hi", "lo": "Lo", "lolo": "LoLo"}


class _Named(NamedTuple):
    short: str
    """idShort of its collection."""
    name: str
    """Name of the alarm."""


class Alarms:
    """The submodel Alarms: what is watched at an asset, why, and how it stands.

    IDTA has no template for it; words and states are those of ISA-18.2 and OPC UA Part 9.
    """

    id_shorts = ("Alarms",)

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._of: dict[str, list[Alarm]] = {}
        self._shorts: dict[str, list[_Named]] = {}
        self._made: dict[str, tuple[Alarm, str, Json]] = {}
        """What was made of each alarm, by name: a plant may have very many that do not change."""
        self._version = b""
        self._due_s = 0.0

    def version(self) -> Hashable:
        """A digest of all definitions."""
        begun_s = time.monotonic()
        if begun_s >= self._due_s:
            self._look()
            took_s = time.monotonic() - begun_s
            self._due_s = begun_s + max(LOOK_S, took_s / LOOK_SHARE)
        return self._version

    def _look(self) -> None:
        found = sorted((v.alarm for v in self._desk.views(SYSTEM)), key=lambda a: a.name)
        self._version = hashlib.blake2b(msgspec.msgpack.encode(found), digest_size=16).digest()
        self._of = {}
        for alarm in found:
            self._of.setdefault(parent(alarm.point), []).append(alarm)
        self._shorts = {}
        for path, alarms in self._of.items():
            shorts = id_shorts(a.name for a in alarms)
            self._shorts[path] = [_Named(shorts[a.name], a.name) for a in alarms]
        there = {a.name for a in found}
        self._made = {n: made for n, made in self._made.items() if n in there}

    def contributed(self, path: str) -> Sequence[Contribution]:
        """The alarms of points right below the path; nothing where there are none."""
        alarms = self._of.get(path)
        if not alarms:
            return ()
        elements = [
            prop("ActiveCount", None, f"{_ALARM}:ActiveCount:1", "xs:unsignedInt"),
            prop("UnacknowledgedCount", None, f"{_ALARM}:UnacknowledgedCount:1", "xs:unsignedInt"),
            prop("HighestSeverity", None, f"{_ALARM}:HighestSeverity:1", "xs:unsignedInt"),
        ]
        own = {n.name: n.short for n in self._shorts[path]}
        each = [self._element(a, own[a.name]) for a in alarms]
        elements.append(collection("Definitions", each, f"{_ALARM}:Definitions:1"))
        semantic = "urn:lineshaft:submodel:Alarms:1"
        return (
            Contribution(
                id_short="Alarms",
                semantic_id=semantic,
                elements=tuple(elements),
                computed=True,
            ),
        )

    def _element(self, alarm: Alarm, short: str) -> Json:
        known = self._made.get(alarm.name)
        if known is None or known[0] is not alarm or known[1] != short:
            known = self._made[alarm.name] = (alarm, short, _alarm(alarm, short))
        return known[2]

    async def refresh(self) -> None:
        """Nothing: how alarms stand is looked up when it is asked for."""

    def values(self, path: str, id_short: str) -> Mapping[str, Value | None]:
        """How the alarms stand now."""
        views: list[View] = []
        found: dict[str, Value | None] = {}
        for short, name in self._shorts.get(path, ()) if id_short == "Alarms" else ():
            try:
                view = self._desk.view(SYSTEM, name)
            except Missing:  # taken away a moment ago
                continue
            views.append(view)
            found |= {f"Definitions.{short}.State.{k}": v for k, v in _stands(view).items()}
        states = [v.state for v in views if v.state.enabled]
        active = [s for s in states if s.active]
        found["ActiveCount"] = len(active)
        found["UnacknowledgedCount"] = sum(not s.acked for s in states)
        found["HighestSeverity"] = max((s.severity for s in active), default=0)
        return found


def _alarm(alarm: Alarm, short: str) -> Json:
    """One alarm as a collection: what it is, why, and room for how it stands."""
    advice = alarm.advice
    told = [
        prop("Name", alarm.name, f"{_ALARM}:Name:1"),
        prop("Point", alarm.point, f"{_ALARM}:Point:1"),
        prop("Group", alarm.group, f"{_ALARM}:Group:1") if alarm.group else None,
        texts("Description", alarm.description[:1023], f"{_ALARM}:Description:1")
        if alarm.description
        else None,
        collection(
            "Limits",
            [_limit(n, limit) for n, limit in alarm.limits().items()],
            f"{_ALARM}:Limits:1",
        ),
        prop("DeadBand", f"{alarm.dead_band:.17g}", f"{_ALARM}:DeadBand:1", "xs:double"),
        prop("OnDelay", f"{alarm.on_delay_s:.17g}", f"{_ALARM}:OnDelay:1", "xs:double"),
        prop("OffDelay", f"{alarm.off_delay_s:.17g}", f"{_ALARM}:OffDelay:1", "xs:double"),
        _advice(
            {
                "Cause": advice.cause,
                "Consequence": advice.consequence,
                "Action": advice.action,
            },
            advice.respond_s,
        ),
        collection(
            "State",
            [prop(n, None, f"{_ALARM}:{n}:1", type_) for n, type_ in _STATE_TYPES.items()],
            f"{_ALARM}:State:1",
        ),
    ]
    elements = [t for t in told if t is not None and t.get("value") != []]
    return collection(short, elements, f"{_ALARM}:Alarm:1")


def _limit(name: str, limit: Limit) -> Json:
    short = _LIMITS.get(name) or "".join(w.capitalize() for w in name.split("_"))
    parts = [
        prop("Value", f"{limit.value:.17g}", f"{_ALARM}:LimitValue:1", "xs:double"),
        prop("Priority", limit.priority.value, f"{_ALARM}:Priority:1"),
        prop("Severity", str(SEVERITY[limit.priority]), f"{_ALARM}:Severity:1", "xs:unsignedInt"),
    ]
    return collection(short, parts, f"{_ALARM}:Limit:1")


def _advice(words: Mapping[str, str], respond_s: float) -> Json | None:
    """Why the alarm exists; None when nobody has said."""
    parts = [texts(n, text[:1023], f"{_ALARM}:{n}:1") for n, text in words.items() if text]
    if respond_s:
        text = f"{respond_s:.17g}"
        parts.append(prop("RespondWithin", text, f"{_ALARM}:RespondWithin:1", "xs:double"))
    return collection("Advice", parts, f"{_ALARM}:Advice:1") if parts else None


_STATE_TYPES = {
    "Letter": "xs:string",
    "Annunciation": "xs:string",
    "Active": "xs:boolean",
    "Acknowledged": "xs:boolean",
    "Severity": "xs:unsignedInt",
    "Limit": "xs:string",
    "ActiveSince": "xs:dateTime",
    "Shelved": "xs:string",
    "Suppressed": "xs:boolean",
    "OutOfService": "xs:boolean",
}
"""What is told of how an alarm stands, with its type; letters are those of ISA-18.2."""


def _stands(view: View) -> dict[str, Value | None]:
    state = view.state
    return {
        "Letter": view.letter.value,
        "Annunciation": view.annunciation.value,
        "Active": state.active,
        "Acknowledged": state.acked,
        "Severity": state.severity,
        "Limit": state.limit or None,
        "ActiveSince": to_iso(state.active_ns) if state.active else None,
        "Shelved": state.shelf.value,
        "Suppressed": state.suppressed,
        "OutOfService": state.out_of_service,
    }
