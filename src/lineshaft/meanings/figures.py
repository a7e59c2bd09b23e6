"""The submodel KeyPerformanceIndicators: figures of ISO 22400 of the running shift, or the last."""

import time
from collections.abc import Hashable, Iterable, Mapping, Sequence

from lineshaft.core.access import SYSTEM
from lineshaft.core.clock import to_iso
from lineshaft.core.errors import LineshaftError
from lineshaft.core.point import Value
from lineshaft.operations.kpis.answers import Now
from lineshaft.operations.kpis.current import Current
from lineshaft.operations.states.units import Known
from lineshaft.twins.living import Contribution
from lineshaft.twins.living.building import prop

ASKED_S = 60.0
"""A unit of which somebody asked so lately is worked out at each turn."""
EVERY_S = 60.0
"""Every other is worked out so often."""
_KPI = "urn:lineshaft:kpis"
_ELEMENTS = {
    "Day": "xs:date",
    "Shift": "xs:string",
    "ShiftRunning": "xs:boolean",
    "ShiftStart": "xs:dateTime",
    "ShiftEnd": "xs:dateTime",
    "KnownUntil": "xs:dateTime",
    "OverallEquipmentEffectiveness": "xs:double",
    "Availability": "xs:double",
    "Effectiveness": "xs:double",
    "QualityRatio": "xs:double",
    "ProducedQuantity": "xs:double",
    "GoodQuantity": "xs:double",
    "ScrapQuantity": "xs:double",
    "ActualProductionTime": "xs:double",
    "PlannedBusyTime": "xs:double",
}
"""What is told, with its type; shares are from 0 to 1, times are seconds."""
_FIGURES = {
    "OverallEquipmentEffectiveness": "oee",
    "Availability": "availability",
    "Effectiveness": "effectiveness",
    "QualityRatio": "quality",
}


class Figures:
    """How work units do in the running shift."""

    id_shorts = ("KeyPerformanceIndicators",)

    def __init__(self, units: Iterable[Known], current: Current) -> None:
        """`units` are gone through anew each time."""
        self._units, self._current = units, current
        self._paths: dict[str, None] = {}
        """As the version was asked last."""
        self._now: dict[str, Now] = {}
        self._asked_s: dict[str, float] = {}
        self._made_s: dict[str, float] = {}

    def version(self) -> Hashable:
        """The paths of all work units."""
        self._paths = dict.fromkeys(k.path for k in self._units)
        return tuple(self._paths)

    def contributed(self, path: str) -> Sequence[Contribution]:
        """Room for the figures of the unit at the path; nothing where there is none."""
        if path not in self._paths:
            return ()
        elements = tuple(prop(n, None, f"{_KPI}:{n}:1", t) for n, t in _ELEMENTS.items())
        return (
            Contribution(
                id_short="KeyPerformanceIndicators",
                semantic_id="urn:lineshaft:submodel:KeyPerformanceIndicators:1",
                elements=elements,
                computed=True,
            ),
        )

    async def refresh(self) -> None:
        """Work out the units that are due, one after the other.

        Raises:
            Unavailable: the store could not be read for one of them; its last figures stand.
        """
        failure: LineshaftError | None = None
        paths = {k.path for k in self._units}
        for known in (self._now, self._asked_s, self._made_s):
            for gone in known.keys() - paths:
                del known[gone]
        for path in sorted(paths):
            begun_s = time.monotonic()
            asked = begun_s - self._asked_s.get(path, -ASKED_S) < ASKED_S
            if not asked and begun_s - self._made_s.get(path, -EVERY_S) < EVERY_S:
                continue
            self._made_s[path] = begun_s
            try:
                found = await self._current.now(SYSTEM, unit=path)
            except LineshaftError as error:
                del self._made_s[path]  # at the next turn again
                failure = error
                continue
            if found:
                self._now[path] = found[0]
        if failure is not None:
            raise failure

    def values(self, path: str, id_short: str) -> Mapping[str, Value | None]:
        """The figures as they were worked out last."""
        self._asked_s[path] = time.monotonic()
        now = self._now.get(path)
        if now is None:
            return {}
        sums = now.sums
        told: dict[str, Value | None] = {
            "Day": now.day,
            "Shift": now.shift,
            "ShiftRunning": now.running,
            "ShiftStart": to_iso(now.start_ns),
            "ShiftEnd": to_iso(now.ends_ns),
            "KnownUntil": to_iso(now.until_ns),
            "ProducedQuantity": sums.pq,
            "GoodQuantity": sums.gq,
            "ScrapQuantity": sums.sq,
            "ActualProductionTime": sums.apt / 1e9,
            "PlannedBusyTime": (sums.pot - sums.pdot) / 1e9,
        }
        figures = {n: now.figures.get(name) for n, name in _FIGURES.items()}
        return told | {n: f.value if f else None for n, f in figures.items()}
