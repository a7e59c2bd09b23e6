"""A frame: one span of one template on one asset, with its values."""

import re

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.operations.frames.settings import Template

_TIME = re.compile(r"-?[0-9]{1,19}")
Value = str | float | bool | None
"""What an attribute holds; None where there was nothing to take."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame, as it follows from history alone."""

    template: str
    asset: str
    start_ns: int
    end_ns: int | None = None
    """None while it is open."""
    kind: str = "other"
    severity: int = 0
    cut: bool = False
    """Whether it ended because it had lasted `max_s`."""
    attributes: dict[str, Value] = {}
    """Values by name; those of an open frame are what is known at its beginning."""

    @property
    def key(self) -> str:
        """Template, asset and start; the same for the same frame, however often it is computed."""
        return f"{self.template}|{self.asset}|{self.start_ns}"

    @property
    def open(self) -> bool:
        """Whether it has no end yet."""
        return self.end_ns is None


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What people said of a frame; kept beside it, so that computing it again changes nothing."""

    acknowledged_by: str = ""
    acknowledged_ns: int = 0
    reason: str = ""
    """Code; empty: the one of the template."""
    comment: str = ""
    by: str = ""
    """Who said it last."""


def parts_of(key: str) -> tuple[str, str, int]:
    """Template, asset and start of a key.

    Raises:
        Invalid: it is none.
    """
    template, _, rest = key.partition("|")
    asset, _, start = rest.rpartition("|")
    if not template or not asset or not _TIME.fullmatch(start):
        raise Invalid(
            f"{key[:80]!r} is no key of a frame",
            remedy="Take the `key` of a frame from GET /api/v1/frames.",
        )
    return template, asset, int(start)


def opened(template: Template, asset: str, start_ns: int) -> Frame:
    """A frame that begins."""
    return Frame(
        template=template.name,
        asset=asset,
        start_ns=start_ns,
        kind=template.kind,
        severity=template.severity,
    )
