"""States of work units, put together."""

from collections.abc import Callable, Sequence

from lineshaft.core.access import Authorizer
from lineshaft.core.clock import now_ns
from lineshaft.operations.derived.definition import Definition
from lineshaft.operations.derived.engine import Engine
from lineshaft.operations.states import notes, units
from lineshaft.operations.states.board import Board
from lineshaft.operations.states.deeds import Deeds
from lineshaft.operations.states.following import Follower
from lineshaft.operations.states.intervals import Intervals
from lineshaft.operations.states.naming import expression_of, state_point
from lineshaft.operations.states.settings import Reason, WorkUnit
from lineshaft.operations.states.units import Known, Units
from lineshaft.records import Records
from lineshaft.spines import Spine
from lineshaft.stores import Store

OWNER = "states"
"""Whose definitions they are, to the engine of derived points."""
COLLECTIONS = (notes.COLLECTION, units.COLLECTION)


class States:
    """What work units do, and why they stand still."""

    def __init__(
        self,
        store: Store,
        records: Records,
        spine: Spine,
        authorizer: Authorizer,
        *,
        engine: Engine,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._engine = engine
        self.units = Units(records)
        self.intervals = Intervals(self.units, store, records, clock=clock)
        """Fills `Timelines`."""
        self.board = Board(self.units, self.intervals, clock=clock)
        told = self.board.changed
        self.deeds = Deeds(
            self.units, self.intervals, records, spine, authorizer, told, clock=clock
        )
        self.follower = Follower(self.units, store, records, spine, told, clock=clock)

    async def start(self, work_units: Sequence[WorkUnit], reasons: Sequence[Reason]) -> None:
        """Know the units and reasons of the settings.

        Raises:
            Invalid: one cannot be.
        """
        await self._take(work_units, reasons)

    async def reload(self, work_units: Sequence[WorkUnit], reasons: Sequence[Reason]) -> None:
        """Take them as they are now.

        Raises:
            Invalid: one cannot be; nothing has changed then.
        """
        await self._take(work_units, reasons)

    async def _take(self, work_units: Sequence[WorkUnit], reasons: Sequence[Reason]) -> None:
        known = await self.units.read(work_units, reasons)
        definitions = [definition(k) for k in known]
        await self._engine.put(OWNER, [d for d in definitions if d is not None])
        await self.units.take(known, reasons)
        self.board.clear()

    async def run(self) -> None:
        """Follow the states until cancelled."""
        await self.follower.run()

    def problems(self) -> list[str]:
        """What is wrong now."""
        return [self.follower.trouble] if self.follower.trouble else []


def definition(known: Known) -> Definition | None:
    """The derived point that keeps the state; None of a unit that says nothing of states."""
    expression = expression_of(known.unit, known.states)
    if not expression:
        return None
    return Definition(
        point=state_point(known.path),
        expression=expression,
        names=known.unit.names,
        enum={str(i): s.name for i, s in enumerate(known.states)},
        description="What it does",
    )
