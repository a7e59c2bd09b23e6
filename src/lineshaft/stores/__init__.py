"""A store keeps samples and answers for them. One file here is one engine.

(point, time_ns) is the key: a second sample of the same key replaces the first and is
counted as replaced. `accepted = stored + buffered + replaced + dropped` always holds.
"""

import abc
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch, Ints
from lineshaft.core.errors import Invalid, Refused
from lineshaft.core.plugin import Plugin


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


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A SELECT over the views of a store; who asks has checked it and put the rights into it.

    | view | columns |
    |---|---|
    | samples | point, time (TIMESTAMPTZ), time_ns, number, text, quality |
    | rollup_1s, rollup_1m, rollup_10m, rollup_1h | those of `SUMMARY_SCHEMA`, and time |
    """

    text: str
    """One SELECT in the dialect of DuckDB."""
    tables: Mapping[str, pa.Table] = {}
    """Further tables that it may name."""
    points: tuple[str, ...] | None = None
    """It needs no other points than these; None when that is not known."""
    start_ns: int = -(2**63)
    """It needs no older rows."""
    stop_ns: int = 2**63 - 1
    """It needs no rows from here on."""
    timeout_s: float = 30.0
    memory_mb: int = 256


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """What one point takes in settled storage."""

    point: str
    rows: int
    bytes: int
    """Its share of the files, estimated by its rows in each."""
    first_ns: int
    last_ns: int


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How long samples of a branch are kept; the longest prefix that fits a point decides."""

    branch: str = ""
    """Branch of the namespace; the empty one is everything."""
    raw_s: float = 0.0
    """Seconds that samples are kept; 0 keeps them for ever."""
    rollup_s: float = 0.0
    """Seconds that roll-ups are kept; 0 keeps them for ever."""


class Retained(msgspec.Struct, frozen=True, kw_only=True):
    """What retention deleted, or would delete."""

    files: tuple[str, ...] = ()
    bytes: int = 0
    rows: int = 0
    reasons: dict[str, int] = {}
    """Bytes by reason: a rule's branch, or `disk budget`."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that verifying a store found wrong."""

    file: str
    problem: str


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying a store looked at, and found."""

    files: int = 0
    bytes: int = 0
    findings: tuple[Finding, ...] = ()


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
    async def before(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        """Of each point the newest sample older than `time_ns`; `usable`: that is not bad.

        In the order asked for; points without one are left out.
        """

    @abc.abstractmethod
    async def after(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        """Of each point the oldest sample at `time_ns` or later; `usable`: that is not bad."""

    @abc.abstractmethod
    async def summaries(
        self, points: Sequence[str], edges_ns: Ints, *, columns: Sequence[str] = ()
    ) -> pa.Table:
        """Samples summed up per interval, from roll-ups where the edges allow.

        `edges_ns` (k + 1,) rises; interval i is `[edges_ns[i], edges_ns[i + 1])`. The answer
        has point, time_ns (the interval's start), and the `columns` asked for of
        `core.summary.SUMMARY_SCHEMA` (all when empty); one row per point and interval that
        holds a sample, sorted by point (in the order asked for) and time.

        Raises:
            Invalid: the edges do not rise.
        """

    @abc.abstractmethod
    async def delete(self, points: Sequence[str], start_ns: int, stop_ns: int) -> int:
        """Remove the samples that `read` would return; how many. Durable when it returns."""

    @abc.abstractmethod
    def sql(self, question: Question) -> AsyncGenerator[pa.RecordBatch]:
        """Answer a SELECT; the schema of the first batch, which may be empty, is that of all.

        Raises:
            Invalid: the engine does not understand the text; the message is the engine's.
            Unavailable: time or memory ran out.
        """

    @abc.abstractmethod
    async def storage(self, points: Sequence[str] | None = None) -> list[Storage]:
        """What each point takes in settled storage; of all points when None."""

    @abc.abstractmethod
    async def retain(self, rules: Sequence[Rule], budget_bytes: int, *, dry: bool) -> Retained:
        """Delete what the rules no longer keep, and the oldest until the rest fits the budget.

        A budget of 0 has no limit. `dry` only tells what would go. Of samples that go the
        roll-ups stay where the store has some: `read` gives nothing then, `summaries` does.
        What is buffered is not looked at. An engine remembers the rules it was given last.
        """

    async def verify(self) -> Verified:
        """Check every file against its checksums, open or not.

        Raises:
            Refused: this kind of store has no files of its own to check.
        """
        raise _not_here(self, "verify")

    async def backup(self, folder: str) -> Verified:
        """Bring `folder` up to this moment's state, while running; unchanged files stay.

        Files and bytes are those that were copied, findings what could not be.

        Raises:
            Refused: this kind of store leaves backup to its engine's own tools.
        """
        raise _not_here(self, "back up")

    async def restore(self, folder: str) -> Verified:
        """Verify a backup and take it over; the store must hold nothing, and not be open.

        When there are findings nothing was taken over.

        Raises:
            Refused: the store is not empty, or leaves backup to its engine's own tools.
        """
        raise _not_here(self, "restore")

    @abc.abstractmethod
    async def settle(self) -> None:
        """Move all that is buffered into settled storage now."""

    @abc.abstractmethod
    def counts(self) -> Counts:
        """The books."""

    @abc.abstractmethod
    def health(self) -> Health:
        """Whether `append` would succeed."""


def check_edges(edges_ns: Ints) -> None:
    """See that edges rise.

    Raises:
        Invalid: they do not.
    """
    falls = np.flatnonzero(edges_ns[1:] <= edges_ns[:-1])
    if len(falls):
        at = int(falls[0])
        raise Invalid(
            f"edge {at + 1} is {edges_ns[at + 1]} after {edges_ns[at]}, wanted a later one",
            remedy="Give the edges in rising order, each once.",
        )


def _not_here(store: Store, verb: str) -> Refused:
    return Refused(
        f"a store of kind {store.kind()!r} cannot {verb} itself",
        remedy="Use the tools of its engine, or `lineshaft store export`.",
    )
