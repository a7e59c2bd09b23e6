"""The engine: keeps every derived point of the plant calculated, whoever owns it."""

import asyncio
import enum
from collections.abc import Callable, Sequence

import msgspec

from lineshaft.core.clock import now_ns
from lineshaft.operations import Names
from lineshaft.operations.derived.definition import Definition
from lineshaft.records import Records
from lineshaft.spines import Spine
from lineshaft.stores import Store

SUBSCRIPTION = "derived"
"""The durable subscription that the engine reads; declared on the spine before it runs."""


class Phase(enum.Enum):
    """How a derived point fares."""

    WAITING = "waiting"
    """It lacks something; `State.trouble` says what."""
    RECOMPUTING = "recomputing"
    """Rows are being computed from history."""
    LIVE = "live"
    """Rows come as samples do."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How a derived point fares."""

    phase: Phase = Phase.WAITING
    trouble: str = ""
    """Why it has no rows, or is not right now; empty when all is well."""
    until_ns: int = 0
    """Rows up to here are given; 0 when there is none."""
    rows: int = 0
    """Rows given since the process began."""


class Engine:
    """All derived points, by owner."""

    def __init__(
        self,
        *,
        names: Names,
        store: Store,
        records: Records,
        spine: Spine,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._names, self._store = names, store
        self._records, self._spine = records, spine
        self._clock = clock
        self._owned: dict[str, dict[str, Definition]] = {}

    async def start(self) -> None:
        """Know what the records know; owners put theirs after this, then `run`."""

    async def put(self, owner: str, definitions: Sequence[Definition]) -> None:
        """Replace all definitions of an owner; what is unchanged goes on as it was.

        Raises:
            Invalid: one can never be, a point stands twice or belongs to another owner, or is made
                of itself, on a way that is named; nothing has changed then.
            Unavailable: the records cannot be written; nothing has changed then.
        """
        self._owned[owner] = {d.point: d for d in definitions}

    def definitions(self, owner: str = "") -> list[Definition]:
        """Those of an owner, or of all."""
        owners = [owner] if owner else list(self._owned)
        return [d for o in owners for d in self._owned.get(o, {}).values()]

    def state(self, point: str) -> State | None:
        """How a derived point fares; None when there is no definition of it."""
        known = any(point in mine for mine in self._owned.values())
        return State() if known else None

    def problems(self) -> list[str]:
        """What is wrong now."""
        return []

    async def run(self) -> None:
        """Calculate until cancelled."""
        await asyncio.Event().wait()
