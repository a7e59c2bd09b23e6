"""What a clock on the wall shows at a time, in a time zone."""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import Floats, Ints
from lineshaft.operations.expressions.columns import Data


def _field(work: Callable[..., pa.Array], less: int = 0) -> Callable[[Data, str], Floats]:
    def field(times: Data, zone: str) -> Floats:
        found: Ints = work(pa.array(times).cast(pa.timestamp("ns", zone))).to_numpy()
        return found.astype(np.float64) - less

    return field


def _weekday(times: pa.Array) -> pa.Array:
    return pc.day_of_week(times, week_start=7)


FIELDS: Mapping[str, Callable[[Data, str], Floats]] = {
    "getFullYear": _field(pc.year),
    "getMonth": _field(pc.month, 1),
    "getDate": _field(pc.day),
    "getDayOfMonth": _field(pc.day, 1),
    "getDayOfYear": _field(pc.day_of_year, 1),
    "getDayOfWeek": _field(_weekday),
    "getHours": _field(pc.hour),
    "getMinutes": _field(pc.minute),
    "getSeconds": _field(pc.second),
}
"""Fields of a time; months, days of month and days of year begin with 0, as in CEL."""
