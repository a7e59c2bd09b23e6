"""A store keeps samples and answers for them. One file here is one engine.

(point, time_ns) is the key: a second sample of the same key replaces the first and is
counted as replaced. `accepted = stored + buffered + replaced + dropped` always holds.
"""

import abc
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
import pyarrow as pa

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import Plugin

BUCKET_SCHEMA = pa.schema(
    [
        pa.field("point", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("time_ns", pa.int64(), nullable=False),
        pa.field("min", pa.float64()),
        pa.field("max", pa.float64()),
        pa.field("avg", pa.float64()),
        pa.field("first", pa.float64()),
        pa.field("last", pa.float64()),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("quality", pa.uint32(), nullable=False),
    ]
)
"""One row per point and bucket that holds a sample. `time_ns` is the bucket's start; min, max,
avg, first and last are over numbers that are not bad and not NaN; `count` is of all samples;
`quality` is the highest status code in the bucket, which is its worst severity."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The store's books since it was opened; they balance at any moment."""

    accepted: int = 0
    """Rows that `append` acknowledged, and those found in the log and replayed at opening."""
    stored: int = 0
    """Of these, rows that stand in settled storage."""
    buffered: int = 0
    """Of these, rows that stand in the log and in memory, and are not settled yet."""
    replaced: int = 0
    """Of these, rows whose key came again later, or that replaced an older row of their key."""
    dropped: dict[str, int] = {}
    """Of these, rows given up, by reason."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the store can acknowledge."""

    ok: bool = True
    problem: str = ""
    """What is wrong, as one sentence with the remedy."""
    figures: dict[str, float] = {}
    """Sizes and ages for metrics: `disk_free_bytes`, `segments`, `log_bytes`, …"""


class Store(Plugin, abc.ABC):
    """Append and query. No method blocks the event loop."""

    @abc.abstractmethod
    def opened(self) -> AbstractAsyncContextManager[None]:
        """The time in which the store is in use; leaving it settles what is buffered.

        Raises:
            SettingsError: the place is in use by another process, or of a newer version.
        """

    @abc.abstractmethod
    async def append(self, batch: Batch) -> None:
        """Keep the batch.

        When this returns it survives `kill -9` and a power cut, if the engine has a disk. Any
        number of appends may be in flight: they share one commit.

        Raises:
            Unavailable: it cannot be kept now (disk full); nothing of it was acknowledged.
        """

    @abc.abstractmethod
    async def last(self, points: Sequence[str] | None = None) -> Batch:
        """The newest sample of each point, from memory; of all points when None."""

    @abc.abstractmethod
    async def read(
        self, points: Sequence[str], start_ns: int, stop_ns: int, *, limit: int | None = None
    ) -> Batch:
        """Samples with `start_ns <= time_ns < stop_ns`.

        Sorted by point (in the order asked for) and time; at most the `limit` oldest of each
        point.
        """

    @abc.abstractmethod
    def scan(
        self, points: Sequence[str], start_ns: int, stop_ns: int, *, rows_max: int = 100_000
    ) -> AsyncGenerator[Batch]:
        """The same rows as `read`, as batches of at most `rows_max` rows, in bounded memory."""

    @abc.abstractmethod
    async def count(self, points: Sequence[str], start_ns: int, stop_ns: int) -> int:
        """How many samples `read` would return."""

    @abc.abstractmethod
    async def buckets(
        self, points: Sequence[str], start_ns: int, stop_ns: int, bucket_ns: int
    ) -> pa.Table:
        """Samples summed up per bucket of `bucket_ns` from `start_ns` on; see `BUCKET_SCHEMA`.

        Sorted by point (in the order asked for) and time.
        """

    @abc.abstractmethod
    async def settle(self) -> None:
        """Move all that is buffered into settled storage now."""

    @abc.abstractmethod
    def counts(self) -> Counts:
        """The books."""

    @abc.abstractmethod
    def health(self) -> Health:
        """Whether `append` would succeed."""
