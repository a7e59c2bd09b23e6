"""What `plant.toml` may say of operations; every table takes effect without a new start."""

from collections.abc import Iterable

from lineshaft.core.errors import Invalid
from lineshaft.core.settings import Settings
from lineshaft.operations.alarms.settings import Alarm, check_alarm
from lineshaft.operations.notices.settings import Delivery, Recipient, Rule, check_notices


class Tables(Settings, frozen=True):
    """The tables of operations."""

    alarms: tuple[Alarm, ...] = ()
    """One table `[[alarms]]` a condition that needs an answer."""
    recipients: tuple[Recipient, ...] = ()
    """One table `[[recipients]]` somebody who can be told of alarms."""
    notices: tuple[Rule, ...] = ()
    """One table `[[notices]]` a rule by which alarms are told to recipients."""
    delivery: Delivery = Delivery()
    """What notices and reports go out by."""


TABLES = frozenset(Tables.__struct_fields__)


def check_tables(tables: Tables) -> None:
    """See that the tables can be, as far as that shows without a namespace.

    Raises:
        Invalid: one cannot.
    """
    _once("[[alarms]] name", (a.name for a in tables.alarms))
    for alarm in tables.alarms:
        check_alarm(alarm)
    _once("[[recipients]] name", (r.name for r in tables.recipients))
    _once("[[notices]] name", (r.name for r in tables.notices))
    check_notices(tables.recipients, tables.notices, tables.delivery)


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Invalid(f"{what} {name!r} stands twice", remedy="Rename one of them.")
        seen.add(name)
