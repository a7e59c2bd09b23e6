"""How long history is kept: the settings that say so, and the hourly look that holds to them."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from msgspec import Meta

from lineshaft.core.errors import Unavailable
from lineshaft.core.event import Event
from lineshaft.core.settings import Settings
from lineshaft.stores import Retained, Rule, Store

log = logging.getLogger(__name__)

EVERY_S = 3600.0
GB = 1_000_000_000
UNIT_S = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 365.25 * 86_400.0}
PATTERN = r"^([0-9]+(\.[0-9]+)?[hdwy])?$"
Duration = Annotated[str, Meta(pattern=PATTERN)]


class Keep(Settings, frozen=True):
    """One of the tables `[[historian.retention]]`."""

    branch: str = ""
    """Branch of the namespace; the empty one is everything."""
    raw: Duration = ""
    """How long samples are kept: `36h`, `90d`, `12w`, `5y`; empty keeps them for ever."""
    rollup: Duration = ""
    """How long roll-ups are kept, in the same way."""

    def rule(self) -> Rule:
        """What the store is told."""
        return Rule(branch=self.branch, raw_s=seconds(self.raw), rollup_s=seconds(self.rollup))


def seconds(text: str) -> float:
    """A duration such as `90d`; 0 for the empty text."""
    found = re.fullmatch(PATTERN, text)
    assert found is not None  # noqa: S101 - the settings were checked against the same pattern
    return float(text[:-1]) * UNIT_S[text[-1]] if text else 0.0


class Retention:
    """Looks every hour whether something is kept too long."""

    def __init__(
        self,
        store: Store,
        rules: Sequence[Rule],
        budget_bytes: int,
        note: Callable[[Event], Awaitable[None]],
    ) -> None:
        self._store = store
        self._rules = list(rules)
        self._budget_bytes = budget_bytes
        self._note = note

    async def run(self) -> None:
        """Look at once, so that the store knows the rules, and then every hour."""
        while True:
            try:
                await self.enforce()
            except Unavailable as error:
                log.warning("retention not done", extra={"cause": str(error)})
            await asyncio.sleep(EVERY_S)

    async def enforce(self) -> Retained:
        """Delete what is kept too long, and have it on record.

        Raises:
            Unavailable: the disk did not take it; the rest is tried again.
        """
        done = await self._store.retain(self._rules, self._budget_bytes, dry=False)
        if done.files or done.rows:
            await self._note(event_of(done))
        return done


def event_of(done: Retained, actor: str = "lineshaft") -> Event:
    """What the log says of it."""
    data = {"files": len(done.files), "bytes": done.bytes, "rows": done.rows}
    return Event(kind="store.retained", actor=actor, data=data | {"reasons": done.reasons})
