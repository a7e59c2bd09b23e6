"""Times of machines whose clocks are ahead of ours.

An alarm takes nothing that is older than the newest that it has heard. So one sample of next year
would make it deaf until then; it is judged as of now instead, and counted.
"""

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch

AHEAD_NS = 60_000_000_000
"""How far a clock may be ahead and still be believed."""


def in_time(batch: Batch, now_ns: int) -> tuple[Batch, int]:
    """The batch with times that are too far ahead set to now, and how many these were."""
    ahead = batch.time_ns > now_ns + AHEAD_NS
    count = int(ahead.sum())
    if not count:
        return batch, 0
    columns = batch.arrow.columns
    columns[1] = pa.array(np.where(ahead, now_ns, batch.time_ns))
    return Batch(pa.RecordBatch.from_arrays(columns, schema=batch.arrow.schema)), count
