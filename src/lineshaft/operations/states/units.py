"""The work units of the plant with their states by number, and the reasons."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Missing
from lineshaft.core.path import is_under
from lineshaft.operations.states.checking import check_work_units
from lineshaft.operations.states.naming import states_of
from lineshaft.operations.states.ruling import numbered, rules_for
from lineshaft.operations.states.settings import Reason, ReasonRule, StateRule, WorkUnit
from lineshaft.records import Change, Collection, Put, Records

DAY_NS = 86_400 * NS_PER_S
COLLECTION = Collection(name="work_states")
"""The states of each work unit by number: a number never changes its name."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the records hold of a work unit."""

    states: tuple[StateRule, ...] = ()
    """By number."""
    since_ns: int
    """When it was first defined."""
    begin_ns: int
    """From when on its states are worked out."""
    rules: tuple[ReasonRule, ...] = ()
    """Its reason rules, by number less one."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A work unit and all its states, those of old settings too."""

    unit: WorkUnit
    states: tuple[StateRule, ...]
    """By number."""
    since_ns: int
    """When it was first defined."""
    begin_ns: int
    """From when on its states are worked out."""
    rules: tuple[ReasonRule, ...] = ()
    """Its reason rules, those of old settings too, by number less one."""
    rules_now: tuple[ReasonRule, ...] = ()
    """Those that hold now, the first one first."""

    @property
    def path(self) -> str:
        """Its branch of the namespace."""
        return self.unit.path


class Units:
    """All work units and reasons, as the settings and the records say."""

    def __init__(self, records: Records, *, clock: Callable[[], int] = now_ns) -> None:
        self._records, self._clock = records, clock
        self._known: dict[str, Known] = {}
        self.reasons: dict[str, Reason] = {}

    def __iter__(self) -> Iterator[Known]:
        return iter(self._known.values())

    async def read(
        self,
        units: Sequence[WorkUnit],
        reasons: Sequence[Reason],
        rules: Sequence[ReasonRule] = (),
    ) -> list[Known]:
        """The units of the settings with their states by number; nothing changes yet.

        Raises:
            Invalid: a unit, a reason or a reason rule cannot be.
        """
        check_work_units(units, reasons, rules)
        return [await self._known_of(unit, rules_for(unit.path, rules)) for unit in units]

    async def _known_of(self, unit: WorkUnit, rules: Sequence[ReasonRule]) -> Known:
        kept = await self._kept(unit.path)
        if kept is None:
            now = self._clock()
            kept = Kept(since_ns=now, begin_ns=now - round(unit.backfill_d * DAY_NS))
        states = states_of(unit, kept.states)
        return Known(
            unit=unit,
            states=states,
            since_ns=kept.since_ns,
            begin_ns=kept.begin_ns,
            rules=numbered(rules, kept.rules),
            rules_now=tuple(rules),
        )

    async def _kept(self, path: str) -> Kept | None:
        record = await self._records.get(COLLECTION.name, path)
        return None if record is None else msgspec.json.decode(record.data, type=Kept)

    async def keep(self, known: Sequence[Known]) -> None:
        """Keep the numbers of new states: numbers that nothing uses yet do no harm."""
        changes: list[Change] = []
        for one in known:
            kept = Kept(
                states=one.states, since_ns=one.since_ns, begin_ns=one.begin_ns, rules=one.rules
            )
            if kept != await self._kept(one.path):
                data = msgspec.json.encode(kept)
                changes.append(Put(collection=COLLECTION.name, key=one.path, data=data))
        if changes:
            await self._records.commit(*changes)

    def take(self, known: Sequence[Known], reasons: Sequence[Reason]) -> None:
        """Let these be the units and the reasons."""
        self._known, self.reasons = {k.path: k for k in known}, {r.code: r for r in reasons}

    def find(self, path: str) -> Known:
        """One work unit.

        Raises:
            Missing: there is none.
        """
        found = self._known.get(path)
        if found is None:
            raise Missing(
                f"there is no work unit {path!r}", remedy="List them with GET /api/v1/states."
            )
        return found

    def offered(self, path: str) -> list[Reason]:
        """The reasons that a unit may have, in the order of the settings."""
        return [
            r
            for r in self.reasons.values()
            if not r.units or any(is_under(path, b) for b in r.units)
        ]
