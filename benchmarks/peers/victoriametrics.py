"""VictoriaMetrics from Debian. It keeps milliseconds, and acknowledges before the disk has it."""

import subprocess

import httpx
import msgspec

from peers import Columns, Peer, steady_bytes
from peers.servers import Server, free_port, need


class VictoriaMetrics(Peer):
    """Line protocol in, its HTTP API out."""

    name = "VictoriaMetrics 1.79"
    durable = "no"

    def version(self) -> str:
        command = [need("victoria-metrics", "victoria-metrics"), "-version"]
        found = subprocess.run(command, capture_output=True, check=True)
        text = (found.stdout + found.stderr).decode().strip().splitlines()
        return f"{text[-1] if text else 'VictoriaMetrics'} (Debian, released 2022)"

    def start(self) -> None:
        port = free_port()
        self._server = Server(
            [
                need("victoria-metrics", "victoria-metrics"),
                f"-storageDataPath={self.folder}/data",
                f"-httpListenAddr=127.0.0.1:{port}",
                "-retentionPeriod=100y",
                "-search.disableCache",
                "-search.maxUniqueTimeseries=1000000",
                "-search.latencyOffset=0",
            ],
            self.folder / "log",
        )
        self._server.wait_for(f"http://127.0.0.1:{port}/health")
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600)

    def prepare(self, rows: Columns) -> bytes:
        return "\n".join(
            f"s,point=p{p} value={v!r},quality={q} {t}"
            for p, t, v, q in zip(*(c.tolist() for c in rows), strict=True)
        ).encode()

    def ingest(self, prepared: object) -> None:
        self._http.post("/write?precision=ns", content=prepared).raise_for_status()

    def settle(self) -> None:
        self._http.get("/internal/force_flush").raise_for_status()
        self._http.get("/internal/force_merge").raise_for_status()

    def size(self) -> int:
        return steady_bytes(self.folder / "data")

    def _range(self, function: str, which: str, start_ns: int, stop_ns: int) -> int:
        answer = self._http.get(
            "/api/v1/query_range",
            params={
                "query": f"{function}(s_value{which}[1m])",
                "start": start_ns / 1e9 + 60,
                "end": stop_ns / 1e9,
                "step": "60s",
                "nocache": "1",
            },
        )
        answer.raise_for_status()
        found = msgspec.json.decode(answer.content)["data"]["result"]
        return sum(len(s["values"]) for s in found)

    def last(self, point: int) -> int:
        answer = self._http.get(
            "/api/v1/query", params={"query": f'last_over_time(s_value{{point="p{point}"}}[1000d])'}
        )
        answer.raise_for_status()
        return len(msgspec.json.decode(answer.content)["data"]["result"])

    def raw(self, point: int, start_ns: int, stop_ns: int) -> int:
        answer = self._http.get(
            "/api/v1/export",
            params={
                "match[]": f'{{__name__=~"s_value|s_quality",point="p{point}"}}',
                "start": start_ns / 1e9,
                "end": (stop_ns - 1_000_000) / 1e9,
            },
        )
        answer.raise_for_status()
        lines = [msgspec.json.decode(x) for x in answer.content.splitlines()]
        return max((len(x["values"]) for x in lines), default=0)

    def minutes(self, points: list[int] | None, start_ns: int, stop_ns: int) -> int:
        which = "" if points is None else f'{{point=~"{"|".join(f"p{p}" for p in points)}"}}'
        return max(
            self._range(f, which, start_ns, stop_ns)
            for f in ("avg_over_time", "min_over_time", "max_over_time")
        )

    def stop(self) -> None:
        self._http.close()
        self._server.stop()
