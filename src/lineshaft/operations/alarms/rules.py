"""What holds for many alarms at once: groups, floods, how long each priority may be shelved."""

from typing import Annotated

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path
from lineshaft.core.settings import Settings
from lineshaft.operations.alarms.settings import SEVERITY, Priority
from lineshaft.operations.alarms.state import YEAR_S


class AlarmGroup(Settings, frozen=True):
    """One table `[[alarm_groups]]`: alarms whose `group` is its name."""

    name: str
    """As it stands in `group` of alarms."""
    description: str = ""
    """One sentence for people."""
    suppress_when: str = ""
    """All of them are suppressed by design while this expression is true; points by full path, in
    backquotes, or by `names`."""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    """Short names for the expression, with their paths."""
    first_out: bool = False
    """Whether the first that rings is marked: what came first is most probably the cause."""


class AlarmRules(Settings, frozen=True):
    """The table `[alarm_rules]`: what holds for all alarms of the plant."""

    flood_suppress: tuple[Priority, ...] = ()
    """Priorities that logic suppresses while a flood lasts; empty, as it is by default: none."""
    flood_begins: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10
    """More annunciated alarms than this in ten minutes begin a flood (ISA-18.2)."""
    flood_ends: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 5
    """Fewer than this in ten minutes end it."""
    flood_branches: Annotated[tuple[str, ...], msgspec.Meta(max_length=100)] = ()
    """Branches of operator positions: a flood is counted, and suppresses, within its own. Of one
    beneath another the deepest counts; all other alarms are a position together. Empty: one
    position has the whole plant."""
    shelve_s_max: dict[Priority, Annotated[float, msgspec.Meta(ge=0, le=YEAR_S)]] = msgspec.field(
        default_factory=dict
    )
    """Longest time on the shelf by priority, in seconds, where it is shorter than that of the
    alarm; 0: such alarms cannot be shelved."""

    def shelf_s(self, severity: int) -> float | None:
        """The longest time on the shelf of an alarm of that severity; None: as the alarm has it."""
        return self.shelve_s_max.get(priority_of(severity))


def priority_of(severity: int) -> Priority:
    """The priority whose band of OPC UA's 1 to 1000 a severity lies in."""
    return list(SEVERITY)[min(max(severity - 1, 0) // 250, 3)]


def check_rules(rules: AlarmRules) -> None:
    """See that a flood can end, and where it is.

    Raises:
        Invalid: it would begin and end at once, or a branch is no path or stands twice.
    """
    for branch in rules.flood_branches:
        check_path(branch)
    if len({*rules.flood_branches}) < len(rules.flood_branches):
        raise Invalid(
            f"[alarm_rules]: flood_branches has a branch twice, {list(rules.flood_branches)}",
            remedy="Write each branch once.",
        )
    if rules.flood_ends > rules.flood_begins:
        raise Invalid(
            f"[alarm_rules]: flood_ends is {rules.flood_ends}, wanted at most flood_begins,"
            f" {rules.flood_begins}",
            remedy="Let a flood end at fewer alarms than it begins with.",
        )
