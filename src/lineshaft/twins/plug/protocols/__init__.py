"""One file here makes settings tables of one protocol out of an interface."""

from collections.abc import Callable, Sequence

import msgspec

from lineshaft.twins import Json
from lineshaft.twins.plug.things import Findings, Property, Thing


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """One table that an interface asks for."""

    suffix: str
    """Added to the name of the interface's connection; empty for the first."""
    table: Json
    """Without `name`, `at` and credentials."""
    properties: tuple[Property, ...]
    """Those that it reads."""


Intervals = dict[str, float]
"""Seconds between two readings that a mapping asks for, by the path of the property."""

Build = Callable[[Thing, Intervals, Findings], Sequence[Built]]
"""What each protocol offers: the tables of an interface, with findings for what it leaves out."""
