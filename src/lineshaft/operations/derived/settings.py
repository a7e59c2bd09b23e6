"""What `plant.toml` says of a derived point."""

from typing import Annotated

import msgspec

from lineshaft.core.settings import Settings
from lineshaft.operations.derived.definition import LATENESS_S, Definition


class Derived(Settings, frozen=True):
    """A point that is calculated from others. One table `[[derived]]` each."""

    point: str
    """Its path in the namespace."""
    expression: str
    """What it is calculated with: `avg(power, '5m') / parts`; see the guide to expressions."""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    """Short names with their paths; points right below the parent of `point` have their own."""
    enum: dict[str, str] = msgspec.field(default_factory=dict)
    """Makes it an enumeration: the name of each number, `{ "0" = "stopped", "1" = "runs" }`."""
    unit: str = ""
    """UCUM code that values are converted to; empty takes the one that the expression has."""
    description: str = ""
    """One sentence for people."""
    every_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] | None = None
    """Seconds of the grid on which it is looked at without a sample: 0 for none, by itself 1."""
    lateness_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = LATENESS_S
    """Seconds that rows wait for samples which come late; later ones have rows computed again."""
    on_change: bool = False
    """Whether rows are kept only where value or quality change, and the first of each hour."""

    def definition(self) -> Definition:
        """As the engine takes it."""
        return Definition(**{f: getattr(self, f) for f in self.__struct_fields__})
