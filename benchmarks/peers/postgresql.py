"""PostgreSQL from Debian: COPY in, a B-tree on (point, time) and a BRIN on time."""

import os
import pwd
import shutil
import subprocess

import psycopg

from peers import Columns, Peer
from peers.servers import free_port, need

PACKAGE = "postgresql-15"


class PostgreSQL(Peer):
    """One table; every COPY is a transaction that the disk has confirmed."""

    name = "PostgreSQL 15"

    def version(self) -> str:
        found = subprocess.run(
            [need("postgres", PACKAGE), "--version"], capture_output=True, check=True
        )
        return f"{found.stdout.decode().strip()} (2022)"

    def start(self) -> None:
        self._data = self.folder / "data"
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            who = pwd.getpwnam("postgres")
            for path in (self.folder, self.folder.parent):
                path.chmod(0o755)
            shutil.chown(self.folder, who.pw_uid, who.pw_gid)
            self._as = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        self._control = need("pg_ctl", PACKAGE)
        self._run(need("initdb", PACKAGE), "-D", self._data, "-U", "bench", "-A", "trust")
        port = free_port()
        options = f"-p {port} -k {self.folder} -c listen_addresses= -c shared_buffers=1GB"
        options += " -c work_mem=64MB -c max_wal_size=4GB -c synchronous_commit=on"
        self._run(
            self._control, "-D", self._data, "-o", options, "-l", self.folder / "log", "start"
        )
        self._db = psycopg.connect(
            f"host={self.folder} port={port} user=bench dbname=postgres", autocommit=True
        )
        self._db.execute(
            "CREATE TABLE s (point int, time timestamptz, value float8, quality bigint)"
        )

    def _run(self, *command: object) -> None:
        subprocess.run(
            [str(c) for c in command],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            **self._as,
        )

    def prepare(self, rows: Columns) -> bytes:
        times = rows.time_ns.astype("datetime64[ns]").astype("datetime64[us]").astype(str).tolist()
        rest = (c.tolist() for c in (rows.point, rows.number, rows.quality))
        return "".join(
            f"{p}\t{t}+00\t{v!r}\t{q}\n" for t, p, v, q in zip(times, *rest, strict=True)
        ).encode()

    def ingest(self, prepared: object) -> None:
        with self._db.cursor() as cursor, cursor.copy("COPY s FROM STDIN") as copy:
            copy.write(prepared)

    def settle(self) -> None:
        self._db.execute("CREATE INDEX ON s (point, time)")
        self._db.execute("CREATE INDEX ON s USING brin (time)")
        self._db.execute("VACUUM ANALYZE s")
        self._db.execute("CHECKPOINT")

    def size(self) -> int:
        (found,) = self._db.execute("SELECT pg_total_relation_size('s')").fetchone()
        return int(found)

    def _ask(self, query: str, *values: object) -> int:
        return len(self._db.execute(query, values, binary=True).fetchall())

    def last(self, point: int) -> int:
        return self._ask(
            "SELECT time, value FROM s WHERE point=%s ORDER BY time DESC LIMIT 1", point
        )

    def raw(self, point: int, start_ns: int, stop_ns: int) -> int:
        return self._ask(
            "SELECT time, value, quality FROM s WHERE point=%s"
            " AND time >= to_timestamp(%s) AND time < to_timestamp(%s) ORDER BY time",
            point,
            start_ns / 1e9,
            stop_ns / 1e9,
        )

    def minutes(self, points: list[int] | None, start_ns: int, stop_ns: int) -> int:
        which = "" if points is None else f" AND point IN ({', '.join(map(str, points))})"
        return self._ask(
            "SELECT point, date_bin('1 min', time, 'epoch'), avg(value), min(value), max(value)"
            f" FROM s WHERE time >= to_timestamp(%s) AND time < to_timestamp(%s){which}"
            " GROUP BY 1, 2",
            start_ns / 1e9,
            stop_ns / 1e9,
        )

    def stop(self) -> None:
        self._db.close()
        self._run(self._control, "-D", self._data, "-m", "fast", "stop")
