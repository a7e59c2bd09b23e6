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

    async def take(self, units: Sequence[WorkUnit], reasons: Sequence[Reason]) -> None:
        """Take the settings as they are now; new states get their numbers.

        Raises:
            Invalid: a unit or a reason cannot be; nothing has changed then.
        """
        check_work_units(units, reasons)
        known: dict[str, Known] = {}
        changes: list[Change] = []
        for unit in units:
            record = await self._records.get(COLLECTION.name, unit.path)
            before = (
                ()
                if record is None
                else msgspec.json.decode(record.data, type=tuple[StateRule, ...])
            )
            states = states_of(unit, before)
            known[unit.path] = Known(unit=unit, states=states)
            if not unit.packml and states != before:
                data = msgspec.json.encode(states)
                changes.append(Put(collection=COLLECTION.name, key=unit.path, data=data))
        if changes:
            await self._records.commit(*changes)
        self._known, self.reasons = known, {r.code: r for r in reasons}

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
