"""The tables in ClickHouse, and what is said about them in SQL."""

from collections.abc import Iterable, Sequence

import msgspec

NS_PER_DAY = 86_400_000_000_000
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
BAD = 0x8000_0000
COLUMNS = "point, time_ns, number, text, quality"

_SAMPLES = """(
    point LowCardinality(String) CODEC(ZSTD(1)),
    time_ns Int64 CODEC(DoubleDelta, ZSTD(1)),
    number Nullable(Float64) CODEC(Delta, ZSTD(1)),
    text Nullable(String) CODEC(ZSTD(1)),
    quality UInt32 CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta, ZSTD(1)),
    INDEX versions version TYPE minmax GRANULARITY 1
)"""
_LAST = """(
    point String,
    time_ns Int64,
    number Nullable(Float64),
    text Nullable(String),
    quality UInt32,
    mark UInt64
)"""
_DURABLE = "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1"
INSERT = {"async_insert": 0, "max_partitions_per_insert_block": 0, "optimize_on_insert": 0}
"""Settings of every insert: done when it returns, rows of any age in one block, and no second look
for equal keys, which are out of it already."""
FINAL = "do_not_merge_across_partitions_select_final = 1, max_query_size = 33554432"
"""Settings of every question: a key stands in one partition only."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where the tables are, and how they are spread."""

    database: str
    table: str
    partition_days: int
    cluster: str = ""
    replicated: bool = False

    @property
    def samples(self) -> str:
        """The table that is asked and filled."""
        return f"{name(self.database)}.{name(self.table)}"

    @property
    def last(self) -> str:
        """The table of the newest sample of each point, as of a version."""
        return f"{name(self.database)}.{name(self.table + '_last')}"

    @property
    def local(self) -> str:
        """The table that holds the rows of one server."""
        return f"{self.samples[:-1]}_local`" if self.cluster else self.samples

    @property
    def everywhere(self) -> str:
        """What a statement says to reach all servers."""
        return f" ON CLUSTER {name(self.cluster)}" if self.cluster else ""

    def create(self) -> list[str]:
        """The statements that make what is missing."""
        made = [f"CREATE DATABASE IF NOT EXISTS {name(self.database)}{self.everywhere}"]
        made.append(
            f"CREATE TABLE IF NOT EXISTS {self.local}{self.everywhere} {_SAMPLES}"
            f" ENGINE = {self._engine('version', self.local)}"
            f" PARTITION BY intDiv(time_ns, {self.partition_days * NS_PER_DAY})"
            f" ORDER BY (point, time_ns) SETTINGS {_DURABLE}"
        )
        if self.cluster:
            local = text(f"{self.table}_local")
            made.append(
                f"CREATE TABLE IF NOT EXISTS {self.samples}{self.everywhere} AS {self.local}"
                f" ENGINE = Distributed({text(self.cluster)}, {text(self.database)}, {local},"
                " cityHash64(point))"
            )
        made.append(
            f"CREATE TABLE IF NOT EXISTS {self.last}{self.everywhere} {_LAST}"
            f" ENGINE = {self._engine('mark', self.last, spread=False)}"
            f" ORDER BY point SETTINGS {_DURABLE}"
        )
        return made

    def _engine(self, version: str, table: str, *, spread: bool = True) -> str:
        if not self.replicated:
            return f"ReplacingMergeTree({version})"
        # All servers keep the same newest samples; of the samples each shard keeps its own.
        shard = "{shard}" if spread and self.cluster else "all"
        place = f"/clickhouse/tables/{shard}/{table.replace('`', '').replace('.', '/')}"
        return f"ReplicatedReplacingMergeTree({text(place)}, '{{replica}}', {version})"

    def insert_settings(self) -> dict[str, int | str]:
        """What an insert must be told."""
        settings: dict[str, int | str] = dict(INSERT)
        if self.cluster:
            settings["distributed_foreground_insert"] = 1
        if self.replicated:
            settings |= {"insert_quorum": "auto", "insert_quorum_parallel": 0}
        return settings

    def select_settings(self) -> str:
        """What a question must be told, after SETTINGS."""
        return f"{FINAL}, select_sequential_consistency = 1" if self.replicated else FINAL


def name(word: str) -> str:
    """A name of a table or database, quoted."""
    return "`" + word.replace("\\", "\\\\").replace("`", "\\`") + "`"


def text(word: str) -> str:
    """A text, quoted."""
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"


def among(points: Iterable[str]) -> str:
    """The condition that a row is of one of these points."""
    return f"point IN ({', '.join(map(text, points))})"


def during(start_ns: int, stop_ns: int) -> str:
    """The condition that a row is within a span; ends beyond int64 are no bound."""
    low = f"time_ns >= {start_ns}" if start_ns > INT64_MIN else "1"
    high = f"time_ns < {stop_ns}" if stop_ns <= INT64_MAX else "1"
    return f"{low} AND {high}"


def parts(points: Sequence[str], many: int) -> list[list[str]]:
    """The points, each once, so many at a time."""
    once = list(dict.fromkeys(points))
    return [once[i : i + many] for i in range(0, len(once), many)]
