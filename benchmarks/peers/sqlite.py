"""SQLite of Python's standard library, one row a sample, clustered by (point, time)."""

import sqlite3

from peers import MINUTE_NS, Columns, Peer, tree_bytes


class SQLite(Peer):
    """Write-ahead log, synchronous FULL."""

    name = "SQLite"

    def version(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}, in process (2022)"

    def start(self) -> None:
        self._db = sqlite3.connect(self.folder / "bench.sqlite", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-1000000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(
            "CREATE TABLE s (point INT, time_ns INT, number REAL, quality INT,"
            " PRIMARY KEY (point, time_ns)) WITHOUT ROWID"
        )

    def prepare(self, rows: Columns) -> list[tuple]:
        return list(zip(*(c.tolist() for c in rows), strict=True))

    def ingest(self, prepared: object) -> None:
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR REPLACE INTO s VALUES (?, ?, ?, ?)", prepared)
        self._db.execute("COMMIT")

    def settle(self) -> None:
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def size(self) -> int:
        return tree_bytes(self.folder)

    def _ask(self, query: str, *values: object) -> int:
        return len(self._db.execute(query, values).fetchall())

    def last(self, point: int) -> int:
        return self._ask(
            "SELECT time_ns, number FROM s WHERE point=? ORDER BY time_ns DESC LIMIT 1", point
        )

    def raw(self, point: int, start_ns: int, stop_ns: int) -> int:
        return self._ask(
            "SELECT time_ns, number, quality FROM s WHERE point=? AND time_ns>=? AND time_ns<?",
            point,
            start_ns,
            stop_ns,
        )

    def minutes(self, points: list[int] | None, start_ns: int, stop_ns: int) -> int:
        which = "" if points is None else f" AND point IN ({', '.join(map(str, points))})"
        return self._ask(
            f"SELECT point, time_ns / {MINUTE_NS} AS m, avg(number), min(number), max(number)"
            f" FROM s WHERE time_ns>=? AND time_ns<?{which} GROUP BY 1, 2",
            start_ns,
            stop_ns,
        )

    def stop(self) -> None:
        self._db.close()
