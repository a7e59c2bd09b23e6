"""One plain DuckDB table, sorted after loading: the fastest that its engine can be asked."""

import duckdb
import pyarrow as pa

from peers import MINUTE_NS, Columns, Peer, tree_bytes


class DuckDBTable(Peer):
    """Every insert is a transaction."""

    name = "DuckDB table"

    def version(self) -> str:
        return f"DuckDB {duckdb.__version__}, in process (2026)"

    def start(self) -> None:
        self._db = duckdb.connect(str(self.folder / "bench.duckdb"))
        self._db.execute(
            "CREATE TABLE s (point VARCHAR, time_ns BIGINT, number DOUBLE, quality UINTEGER)"
        )

    def prepare(self, rows: Columns) -> pa.Table:
        names = pa.DictionaryArray.from_arrays(rows.point, self.points)
        columns = [names, *(pa.array(c) for c in rows[1:])]
        return pa.table(columns, names=["point", "time_ns", "number", "quality"])

    def ingest(self, prepared: object) -> None:
        self._db.register("fresh", prepared)
        self._db.execute("INSERT INTO s SELECT * FROM fresh")

    def settle(self) -> None:
        self._db.execute("CREATE TABLE t AS SELECT * FROM s ORDER BY point, time_ns")
        self._db.execute("DROP TABLE s")
        self._db.execute("ALTER TABLE t RENAME TO s")
        self._db.execute("CHECKPOINT")
        self._sorted = self._db.execute(
            "SELECT sum(total_blocks - free_blocks) * max(block_size) FROM pragma_database_size()"
        ).fetchall()[0]

    def size(self) -> int:
        return int(self._sorted[0]) if self._sorted else tree_bytes(self.folder)

    def _ask(self, query: str) -> int:
        return int(self._db.sql(query).to_arrow_table().num_rows)

    def last(self, point: int) -> int:
        return self._ask(
            f"SELECT time_ns, number FROM s WHERE point='{self.points[point]}'"
            " ORDER BY time_ns DESC LIMIT 1"
        )

    def raw(self, point: int, start_ns: int, stop_ns: int) -> int:
        return self._ask(
            f"SELECT time_ns, number, quality FROM s WHERE point='{self.points[point]}'"
            f" AND time_ns >= {start_ns} AND time_ns < {stop_ns} ORDER BY time_ns"
        )

    def minutes(self, points: list[int] | None, start_ns: int, stop_ns: int) -> int:
        names = ", ".join(f"'{self.points[p]}'" for p in points or ())
        which = "" if points is None else f" AND point IN ({names})"
        return self._ask(
            f"SELECT point, time_ns // {MINUTE_NS} AS m, avg(number), min(number), max(number)"
            f" FROM s WHERE time_ns >= {start_ns} AND time_ns < {stop_ns}{which} GROUP BY 1, 2"
        )

    def stop(self) -> None:
        self._db.close()
