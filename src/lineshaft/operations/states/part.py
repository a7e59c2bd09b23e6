"""States of work units, put together."""

import asyncio
from collections.abc import Callable, Sequence

from lineshaft.core.access import Authorizer
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LineshaftError
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.derived.calculation import Phase
from lineshaft.operations.derived.definition import Definition
from lineshaft.operations.derived.engine import Engine
from lineshaft.operations.states import notes, units
from lineshaft.operations.states.board import Board
from lineshaft.operations.states.deeds import Deeds
from lineshaft.operations.states.following import Follower
from lineshaft.operations.states.intervals import Intervals
from lineshaft.operations.states.naming import expression_of, state_point
from lineshaft.operations.states.ruling import definition_of_rules, reason_point
from lineshaft.operations.states.settings import Reason, ReasonRule, WorkUnit
from lineshaft.operations.states.units import Known, Units
from lineshaft.records import Records
from lineshaft.spines import Spine
from lineshaft.stores import Store
from lineshaft.web.metrics import Metric

LOOK_S = 5.0
"""Seconds between looks whether the points of new units are known by now."""
OWNER = "states"
"""Whose definitions they are, to the engine of derived points."""
COLLECTIONS = (notes.COLLECTION, units.COLLECTION)


class States:
    """What work units do, and why they stand still."""

    def __init__(  # noqa: PLR0913 - each is a neighbour
        self,
        store: Store,
        records: Records,
        spine: Spine,
        authorizer: Authorizer,
        *,
        engine: Engine,
        calendars: Calendars,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._engine, self.calendars = engine, calendars
        self._trouble = ""
        self.units = Units(records, clock=clock)
        self.intervals = Intervals(self.units, store, records, clock=clock)
        """Fills `Timelines`."""
        self.board = Board(self.units, self.intervals, calendars, clock=clock)
        told = self.board.changed
        self.deeds = Deeds(
            self.units, self.intervals, records, spine, authorizer, told, clock=clock
        )
        self.follower = Follower(self.units, store, records, spine, told, clock=clock)

    async def start(
        self,
        work_units: Sequence[WorkUnit],
        reasons: Sequence[Reason],
        rules: Sequence[ReasonRule] = (),
    ) -> None:
        """Know the units, reasons and reason rules of the settings.

        Raises:
            Invalid: one cannot be.
        """
        await self.reload(work_units, reasons, rules)

    async def reload(
        self,
        work_units: Sequence[WorkUnit],
        reasons: Sequence[Reason],
        rules: Sequence[ReasonRule] = (),
    ) -> None:
        """Take them as they are now.

        Raises:
            Invalid: one cannot be; nothing has changed then.
        """
        known = await self.units.read(work_units, reasons, rules)
        definitions = [definition(k) for k in known]
        definitions += [definition_of_rules(k.unit, k.rules_now, k.rules) for k in known]
        await self.units.keep(known)
        await self._engine.put(OWNER, [d for d in definitions if d is not None])
        self.units.take(known, reasons)
        self.board.clear()

    async def run(self) -> None:
        """Follow the states until cancelled, and have those before the first definition made."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.follower.run(), name="states follow")
            group.create_task(self._reach_back(), name="states reach back")

    async def _reach_back(self) -> None:
        """Have the history of each unit computed, as soon as its points are known."""
        while True:
            try:
                for known in self.units:
                    await self.reach_back(known)
                    await self.reach_back(known, reason_point(known.path))
                self._trouble = ""
            except LineshaftError as error:
                self._trouble = f"states: history is not worked out: {error}"
            await asyncio.sleep(LOOK_S)

    async def reach_back(self, known: Known, point: str = "") -> bool:
        """Have the history of a unit's point computed from where its states are to begin; once.

        Without a point that of its state.
        """
        point = point or state_point(known.path)
        state = self._engine.state(point)
        if state is None or state.phase is Phase.WAITING or state.since_ns <= known.begin_ns:
            return False
        await self._engine.recompute(point, known.begin_ns, state.since_ns)
        return True

    def problems(self) -> list[str]:
        """What is wrong now."""
        return [t for t in (self.follower.trouble, self._trouble) if t]

    def metrics(self) -> list[Metric]:
        """Its figures."""
        written = float(self.follower.written)
        told = "Changes of state written to the log."
        return [Metric("state_changes_total", "counter", told, (({}, written),))]


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
        on_change=True,
    )
