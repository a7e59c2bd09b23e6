"""The recorder brings what passes on the spine into the store, and says so only then."""

import asyncio
import logging
from collections.abc import Callable

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid, Unavailable
from lineshaft.core.flow import wait_s
from lineshaft.spines import Spine
from lineshaft.stores import Store

log = logging.getLogger(__name__)

SUBSCRIPTION = "historian"
"""The durable subscription that the recorder reads; the plant declares it on the spine."""


class Recorder:
    """Reads the durable subscription and appends to the store, in order, losing nothing."""

    def __init__(
        self, spine: Spine, store: Store, *, rows_max: int, kept: Callable[[Batch], None]
    ) -> None:
        self._spine = spine
        self._store = store
        self._rows_max = rows_max
        self._kept = kept
        self.rows = 0
        """Rows brought into the store."""
        self.refused = 0
        """Rows that the store would not take at all."""
        self.trouble = ""
        """Why the store takes nothing now; empty when it does."""

    async def run(self) -> None:
        """Record until cancelled.

        Taking the next batch from the spine confirms the one before: so a batch that is not
        stored is never confirmed, and the spine holds its publishers back.
        """
        async with self._spine.subscribe(name=SUBSCRIPTION, rows_max=self._rows_max) as batches:
            async for batch in batches:
                await self._append(batch)

    async def _append(self, batch: Batch) -> None:
        """Bring the batch into the store, however long that takes."""
        attempt = 0
        while True:
            try:
                await self._store.append(batch)
            except Unavailable as error:
                attempt += 1
                self.trouble = str(error)
                if attempt == 1:
                    log.error("store takes nothing", extra={"cause": str(error)})  # noqa: TRY400
                await asyncio.sleep(wait_s(attempt))
                continue
            except Invalid as error:
                # It would be refused for ever; holding back the whole plant helps nobody.
                self.refused += len(batch)
                log.error("batch refused", extra={"rows": len(batch), "cause": str(error)})  # noqa: TRY400
                return
            break
        if attempt:
            log.warning("store takes data again", extra={"attempts": attempt})
        self.trouble = ""
        self.rows += len(batch)
        self._kept(batch)
