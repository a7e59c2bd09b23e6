"""Which shift reports go to whom."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path
from lineshaft.core.settings import Settings
from lineshaft.operations.notices.settings import check_name


class ShiftReport(Settings, frozen=True):
    """One table `[[reports]]`: a report that is sent when a shift has ended."""

    name: str
    """Its own name."""
    to: tuple[str, ...]
    """Names of `[[recipients]]`; mail brings the whole report, other ways its first lines."""
    branch: str = ""
    """Work units at or below this path; empty for all. Shifts are those of the first one."""
    shifts: tuple[str, ...] = ()
    """Only after these; empty for every shift."""
    after_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 300.0
    """Seconds after the end of the shift: time for late data and for reasons."""


def check_reports(reports: Iterable[ShiftReport], recipients: Iterable[str]) -> None:
    """See that each goes to somebody who exists.

    Raises:
        Invalid: one does not, or has a name that cannot be shown.
    """
    known = set(recipients)
    for report in reports:
        check_name("[[reports]]", report.name)
        if report.branch:
            check_path(report.branch)
        unknown = sorted(set(report.to) - known)
        if unknown or not report.to:
            raise Invalid(
                f"report {report.name!r}: there is no recipient {unknown[0]!r}"
                if unknown
                else f"report {report.name!r} goes to nobody",
                remedy=f"Known are: {', '.join(sorted(known)) or 'none'}.",
            )
