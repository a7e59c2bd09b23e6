"""How many alarms rang in a span, for the reports of others."""

import asyncio

from lineshaft.core.access import Authorizer, Identity
from lineshaft.core.path import is_under
from lineshaft.operations.alarms.report import entries, report
from lineshaft.records import Records


class Rung:
    """Counts from the journal."""

    def __init__(self, records: Records, authorizer: Authorizer) -> None:
        self._records, self._authorizer = records, authorizer

    async def rung(
        self, who: Identity, paths: list[str], start_ns: int, stop_ns: int
    ) -> dict[str, int]:
        """Annunciated activations at or below the paths that the caller may see, by severity.

        Raises:
            Invalid: the span holds too many entries.
        """
        found = await entries(
            self._records, self._authorizer, who, start_ns=start_ns, stop_ns=stop_ns
        )
        own = [e for e in found if any(is_under(e.event.path, p) for p in paths)]
        return (await asyncio.to_thread(report, own, start_ns, stop_ns)).by_severity
