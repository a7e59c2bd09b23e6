"""The work units of the plant with their states by number, and the reasons."""

from collections.abc import Iterator, Sequence

import msgspec

from lineshaft.core.errors import Missing
from lineshaft.core.path import is_under
from lineshaft.operations.states.checking import check_work_units
from lineshaft.operations.states.naming import states_of
from lineshaft.operations.states.settings import Reason, StateRule, WorkUnit
from lineshaft.records import Change, Collection, Put, Records

COLLECTION = Collection(name="work_states")
"""The states of each work unit by number: a number never changes its name."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A work unit and all its states, those of old settings too."""

    unit: WorkUnit
    states: tuple[StateRule, ...]
    """By number."""

    @property
    def path(self) -> str:
        """Its branch of the namespace."""
        return self.unit.path


class Units:
    """All work units and reasons, as the settings and the records say."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._known: dict[str, Known] = {}
        self.reasons: dict[str, Reason] = {}

    def __iter__(self) -> Iterator[Known]:
        return iter(self._known.values())

    async def read(self, units: Sequence[WorkUnit], reasons: Sequence[Reason]) -> list[Known]:
        """The units of the settings with their states by number; nothing changes yet.

        Raises:
            Invalid: a unit or a reason cannot be.
        """
        check_work_units(units, reasons)
        return [
            Known(unit=unit, states=states_of(unit, await self._before(unit))) for unit in units
        ]

    async def _before(self, unit: WorkUnit) -> tuple[StateRule, ...]:
        record = await self._records.get(COLLECTION.name, unit.path)
        if record is None:
            return ()
        return msgspec.json.decode(record.data, type=tuple[StateRule, ...])

    async def take(self, known: Sequence[Known], reasons: Sequence[Reason]) -> None:
        """Let these be the units; the numbers of new states are kept."""
        changes: list[Change] = [
            Put(collection=COLLECTION.name, key=k.path, data=msgspec.json.encode(k.states))
            for k in known
            if not k.unit.packml and k.states != await self._before(k.unit)
        ]
        if changes:
            await self._records.commit(*changes)
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
