"""What `plant.toml` may say of operations; every table takes effect without a new start."""

from collections.abc import Iterable

from lineshaft.core.errors import Invalid
from lineshaft.core.settings import Settings
from lineshaft.operations.alarms.settings import Alarm, check_alarm
from lineshaft.operations.frames.settings import Template, check_template


class Tables(Settings, frozen=True):
    """The tables of operations."""

    alarms: tuple[Alarm, ...] = ()
    """One table `[[alarms]]` a condition that needs an answer."""
    frames: tuple[Template, ...] = ()
    """One table `[[frames]]` a template of spans: batches, cycles, stops, excursions."""


TABLES = frozenset(Tables.__struct_fields__)


def check_tables(tables: Tables) -> None:
    """See that the tables can be, as far as that shows without a namespace.

    Raises:
        Invalid: one cannot.
    """
    _once("[[alarms]] name", (a.name for a in tables.alarms))
    for alarm in tables.alarms:
        check_alarm(alarm)
    _once("[[frames]] name", (t.name for t in tables.frames))
    for template in tables.frames:
        check_template(template)


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Invalid(f"{what} {name!r} stands twice", remedy="Rename one of them.")
        seen.add(name)
