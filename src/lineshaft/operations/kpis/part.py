"""The part of a running plant that knows calendars and figures."""

import asyncio
from collections.abc import Sequence

from lineshaft.core.access import Authorizer
from lineshaft.operations import Names
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.calendars.settings import CalendarTable
from lineshaft.operations.kpis.book import Kpis
from lineshaft.operations.kpis.current import Current
from lineshaft.operations.kpis.publishing import Publisher
from lineshaft.operations.kpis.reading import Reader
from lineshaft.operations.kpis.reporting import AlarmCounts
from lineshaft.operations.kpis.watching import Watch
from lineshaft.operations.states.timeline import Timelines
from lineshaft.spines import Spine
from lineshaft.stores import Store


class KpiPart:
    """Calendars, figures and the running shift, put together."""

    def __init__(  # noqa: PLR0913 - each is a neighbour, by keyword
        self,
        *,
        calendars: Calendars,
        timelines: Timelines,
        alarms: AlarmCounts,
        store: Store,
        names: Names,
        spine: Spine,
        authorizer: Authorizer,
    ) -> None:
        self.calendars = calendars
        reader = Reader(timelines=timelines, calendars=self.calendars, store=store, names=names)
        self.kpis = Kpis(reader, authorizer)
        self.current = Current(self.kpis)
        self._watch = Watch(self.current, spine)
        self._publisher = Publisher(reader, self.current, names=names, store=store, spine=spine)
        self._alarms = alarms

    async def take(self, calendars: Sequence[CalendarTable]) -> None:
        """Know the calendars as the settings have them now.

        Raises:
            Invalid: one cannot be.
        """
        await asyncio.to_thread(self.calendars.take, calendars)

    async def run(self) -> None:
        """Listen for what changes the past, and publish figures, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch.run(), name="kpis watch")
            group.create_task(self._publisher.run(), name="kpis publish")

    def given(self) -> dict[str, object]:
        """What the routes are given, by the names of their parameters."""
        return {
            "calendars": self.calendars,
            "kpis": self.kpis,
            "current": self.current,
            "alarm_counts": self._alarms,
            "figure_points": self._publisher,
        }
