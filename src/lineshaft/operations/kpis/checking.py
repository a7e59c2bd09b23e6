"""Sees that work units name calendars that there are."""

from collections.abc import Sequence

from lineshaft.core.errors import Invalid
from lineshaft.operations.calendars.settings import CalendarTable
from lineshaft.operations.states.settings import WorkUnit


def check_calendar_names(calendars: Sequence[CalendarTable], units: Sequence[WorkUnit]) -> None:
    """See that every unit's calendar is there.

    Raises:
        Invalid: one is not.
    """
    names = {c.name for c in calendars}
    for unit in units:
        if unit.calendar and unit.calendar not in names:
            raise Invalid(
                f"work unit {unit.path!r}: there is no calendar {unit.calendar!r}",
                remedy=f"Known are: {', '.join(sorted(names)) or 'none'}.",
            )
