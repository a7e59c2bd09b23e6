"""InfluxDB 1.6 from Debian, with a sync for each write."""

import subprocess

import httpx
import msgspec

from peers import Columns, Peer, steady_bytes
from peers.servers import Server, free_port, need


class InfluxDB(Peer):
    """Line protocol in, InfluxQL out."""

    name = "InfluxDB 1.6"

    def version(self) -> str:
        found = subprocess.run(
            [need("influxd", "influxdb"), "version"], capture_output=True, check=True
        )
        return f"{found.stdout.decode().split('(')[0].strip()} (Debian, released 2018)"

    def start(self) -> None:
        port, rpc = free_port(), free_port()
        config = self.folder / "influxdb.conf"
        config.write_text(
            f"""reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{self.folder}/meta"
[data]
dir = "{self.folder}/data"
wal-dir = "{self.folder}/wal"
wal-fsync-delay = "0s"
cache-snapshot-write-cold-duration = "5s"
compact-full-write-cold-duration = "5s"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
[monitor]
store-enabled = false
"""
        )
        command = [need("influxd", "influxdb"), "-config", str(config)]
        self._server = Server(command, self.folder / "log")
        self._server.wait_for(f"http://127.0.0.1:{port}/ping")
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600)
        self._http.post("/query", params={"q": "CREATE DATABASE b"}).raise_for_status()

    def prepare(self, rows: Columns) -> bytes:
        return "\n".join(
            f"s,point=p{p} value={v!r},quality={q}i {t}"
            for p, t, v, q in zip(*(c.tolist() for c in rows), strict=True)
        ).encode()

    def ingest(self, prepared: object) -> None:
        self._http.post("/write?db=b&precision=n", content=prepared).raise_for_status()

    def settle(self) -> None:
        pass

    def size(self) -> int:
        return steady_bytes(self.folder)

    def _ask(self, query: str) -> int:
        answer = self._http.get("/query", params={"db": "b", "epoch": "ns", "q": query})
        answer.raise_for_status()
        found = msgspec.json.decode(answer.content)["results"][0]
        return sum(len(s["values"]) for s in found.get("series", ()))

    def last(self, point: int) -> int:
        return self._ask(f"SELECT last(value) FROM s WHERE point='p{point}'")

    def raw(self, point: int, start_ns: int, stop_ns: int) -> int:
        return self._ask(
            "SELECT value, quality FROM s"
            f" WHERE point='p{point}' AND time >= {start_ns} AND time < {stop_ns}"
        )

    def minutes(self, points: list[int] | None, start_ns: int, stop_ns: int) -> int:
        which = "" if points is None else f" AND point =~ /^({'|'.join(f'p{p}' for p in points)})$/"
        return self._ask(
            "SELECT mean(value), min(value), max(value) FROM s"
            f" WHERE time >= {start_ns} AND time < {stop_ns}{which} GROUP BY time(1m), point"
        )

    def stop(self) -> None:
        self._http.close()
        self._server.stop()
