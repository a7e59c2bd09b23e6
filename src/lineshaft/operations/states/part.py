"""States of work units, put together."""

from collections.abc import Callable, Sequence

from lineshaft.core.access import Authorizer
from lineshaft.core.clock import now_ns
from lineshaft.operations.states import notes, units
from lineshaft.operations.states.deeds import Deeds
from lineshaft.operations.states.following import Follower
from lineshaft.operations.states.intervals import Intervals
from lineshaft.operations.states.settings import Reason, WorkUnit
from lineshaft.operations.states.units import Units
from lineshaft.records import Records
from lineshaft.spines import Spine
from lineshaft.stores import Store

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
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self.units = Units(records)
        self.intervals = Intervals(self.units, store, records, clock=clock)
        """Fills `Timelines`."""
        self.deeds = Deeds(self.units, self.intervals, records, spine, authorizer, clock=clock)
        self.follower = Follower(self.units, store, records, spine, clock=clock)

    async def start(self, work_units: Sequence[WorkUnit], reasons: Sequence[Reason]) -> None:
        """Know the units and reasons of the settings.

        Raises:
            Invalid: one cannot be.
        """
        await self.units.take(work_units, reasons)

    async def reload(self, work_units: Sequence[WorkUnit], reasons: Sequence[Reason]) -> None:
        """Take them as they are now.

        Raises:
            Invalid: one cannot be; nothing has changed then.
        """
        await self.units.take(work_units, reasons)

    async def run(self) -> None:
        """Follow the states until cancelled."""
        await self.follower.run()

    def problems(self) -> list[str]:
        """What is wrong now."""
        return [self.follower.trouble] if self.follower.trouble else []
