"""All calendars of a plant, by name."""

from collections.abc import Sequence
from pathlib import Path

from lineshaft.core.errors import Invalid, Missing
from lineshaft.operations.calendars.calendar import ALWAYS, Calendar, Outlook, always
from lineshaft.operations.calendars.settings import CalendarTable, check_calendar


class Calendars:
    """Knows every `[[calendars]]` table, and the one of units that have none."""

    def __init__(self) -> None:
        self._always = always()
        self._known: dict[str, Calendar] = {}
        self.version = 0
        """Rises with every change."""

    def take(self, tables: Sequence[CalendarTable]) -> None:
        """Know these tables and no others; those that did not change keep what they worked out.

        Raises:
            Invalid: one cannot be, or its file cannot be read; nothing has changed then.
        """
        old = self._known
        self._known = {
            t.name: old[t.name] if _same(old.get(t.name), t) else Calendar(t, _outlook(t))
            for t in tables
        }
        self.version += 1

    def names(self) -> list[str]:
        """Sorted names, without the one that is always there."""
        return sorted(self._known)

    def named(self, name: str) -> Calendar:
        """The calendar; of an empty name the one that plans work all the time.

        Raises:
            Missing: there is none of that name.
        """
        found = self._always if name in ("", ALWAYS) else self._known.get(name)
        if found is None:
            raise Missing(
                f"there is no calendar {name!r}",
                remedy=f"Known are: {', '.join(self.names()) or 'none'}.",
            )
        return found


def check_calendars(tables: Sequence[CalendarTable]) -> None:
    """See that the tables can be.

    Raises:
        Invalid: one cannot.
    """
    for table in tables:
        check_calendar(table)


def _same(known: Calendar | None, table: CalendarTable) -> bool:
    # A file of another program may have changed without its table.
    return known is not None and known.table == table and not table.ical


def _outlook(table: CalendarTable) -> Outlook | None:
    if not table.ical:
        return None
    try:
        from lineshaft.operations.calendars.ical import File  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise Invalid(
            f"calendar {table.name!r}: ical needs the library {error.name}",
            remedy="pip install 'lineshaft[ical]'",
        ) from error
    return File(Path(table.ical))
