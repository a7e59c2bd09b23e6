"""Twins beside the BaSyx Python SDK: same data, same machine, same run, over HTTP on loopback.

1,000 shells with five submodels of twenty properties each. Lineshaft is the whole server, as
`lineshaft run` starts it: with a token that is checked, full verification of what is written, an
event in the log for it, and a commit that survives a power cut. The peer is the SDK
(`peers/basyx_server.py`): in memory, without authentication. Requests come over eight connections
from a client of the standard library, which shares the machine. CPU is what the server's process
used, divided by the requests: of the figures here the one that other work changes least.

    python benchmarks/twins.py [--quick]
"""

import argparse
import base64
import http.client
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from peers.servers import free_port

SUBMODELS, PROPERTIES = 5, 20
"""Of a shell; of a submodel."""
CONNECTIONS = 8
PATIENCE_S = 300.0
GOALS = {"GET submodel": 8, "list 100 shells": 40, "list 100 submodels": 40, "PUT submodel": 10}
"""Times the CPU of the peer that we said ours would be below."""
API = "/api/v3.1"
RUN = "from lineshaft.cli import main; main()"


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    body: bytes = b""


Requests = dict[str, Callable[[int], Asked]]


class Figures(NamedTuple):
    """What one sort of request took."""

    count: int
    cpu_ms: float
    p50_ms: float
    p99_ms: float


# ---- the data


def submodel_id(number: int) -> str:
    return f"https://bench.example/submodels/{number}"


def shell_id(number: int) -> str:
    return f"https://bench.example/shells/{number}"


def id64(identifier: str) -> str:
    return base64.urlsafe_b64encode(identifier.encode()).rstrip(b"=").decode()


def external(value: str) -> dict:
    return {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": value}]}


def submodel(number: int, salt: int = 0) -> dict:
    elements = [
        {
            "modelType": "Property",
            "idShort": f"Property{n}",
            "semanticId": external(f"https://bench.example/concepts/{n}"),
            "valueType": "xs:double",
            "value": f"{number + n + salt / 1000:.3f}",
        }
        for n in range(PROPERTIES)
    ]
    return {
        "modelType": "Submodel",
        "id": submodel_id(number),
        "idShort": f"Data{number}",
        "semanticId": external(f"https://bench.example/templates/{number % SUBMODELS}"),
        "submodelElements": elements,
    }


def shell(number: int) -> dict:
    references = [
        {
            "type": "ModelReference",
            "keys": [{"type": "Submodel", "value": submodel_id(number * SUBMODELS + n)}],
        }
        for n in range(SUBMODELS)
    ]
    return {
        "modelType": "AssetAdministrationShell",
        "id": shell_id(number),
        "idShort": f"Machine{number}",
        "assetInformation": {
            "assetKind": "Instance",
            "globalAssetId": f"https://bench.example/assets/{number}",
        },
        "submodels": references,
    }


# ---- asking


class Client:
    """One connection."""

    def __init__(self, port: int, token: str) -> None:
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, asked: Asked) -> bytes:
        self._connection.request(asked.method, asked.path, asked.body, self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{asked.method} {asked.path}: {answer.status} {body[:300]!r}")
        return body

    def close(self) -> None:
        self._connection.close()

    def timed(
        self, make: Callable[[int], Asked], turns: Iterator[int], until: float
    ) -> list[float]:
        """Milliseconds of each request, each time for something else."""
        took = []
        while time.perf_counter() < until:
            asked = make(next(turns) * 7919)
            began = time.perf_counter()
            self.ask(asked)
            took.append((time.perf_counter() - began) * 1e3)
        return took


class Server:
    """A server in a process of its own, asked over several connections."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, token: str = "") -> None:
        self.process = process
        self._clients = [Client(port, token) for _ in range(CONNECTIONS)]

    def ask(self, asked: Asked) -> bytes:
        return self._clients[0].ask(asked)

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.ask(Asked("GET", "/health/ready"))
            except OSError:
                self._clients[0].close()
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"ended with {self.process.poll()}, or silent for {PATIENCE_S} s")

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        sizes = dict(line.split(":", 1) for line in lines)
        return int(sizes["VmRSS"].split()[0]) / 1024

    def measured(self, make: Callable[[int], Asked], seconds: float) -> Figures:
        """Ask for some time over all connections."""
        for client in self._clients:
            client.ask(make(0))
        turns = itertools.count(1)
        cpu, until = self.cpu_s(), time.perf_counter() + seconds
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            parts = pool.map(lambda client: client.timed(make, turns, until), self._clients)
            took = [one for part in parts for one in part]
        used = self.cpu_s() - cpu
        p99 = statistics.quantiles(took, n=100)[98]
        return Figures(len(took), used * 1e3 / len(took), statistics.median(took), p99)


@contextmanager
def running(command: list[str], port: int, token: str = "") -> Iterator[Server]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            server = Server(process, port, token)
            server.wait()
            yield server
        finally:
            process.terminate()


@contextmanager
def lineshaft(folder: Path) -> Iterator[Server]:
    """The whole plant, with a token that may do what is asked."""
    port = free_port()
    settings = folder / "plant.toml"
    settings.write_text(f'[plant]\ndata = "data"\n[server]\nport = {port}\n')
    actions = [word for name in ("look", "write", "configure") for word in ("--action", name)]
    program = [sys.executable, "-c", RUN]
    made = subprocess.run(
        [*program, "token", "create", "admin", "bench", *actions, "--settings", str(settings)],
        check=True,
        capture_output=True,
        text=True,
    )
    token = made.stdout.split()[-1]
    with running([*program, "run", str(settings)], port, token) as server:
        yield server


@contextmanager
def basyx(folder: Path, shells: int) -> Iterator[Server]:
    """The SDK with all data in memory."""
    port, file = free_port(), folder / "environment.json"
    environment = {
        "assetAdministrationShells": [shell(n) for n in range(shells)],
        "submodels": [submodel(n) for n in range(shells * SUBMODELS)],
    }
    file.write_text(json.dumps(environment))
    program = str(Path(__file__).parent / "peers" / "basyx_server.py")
    with running([sys.executable, program, str(port), str(file)], port) as server:
        yield server


def fill(server: Server, shells: int) -> float:
    """Bring in everything, document by document; returns seconds."""
    began = time.perf_counter()
    for n in range(shells):
        server.ask(Asked("POST", f"{API}/shells", json.dumps(shell(n)).encode()))
    for n in range(shells * SUBMODELS):
        server.ask(Asked("POST", f"{API}/submodels", json.dumps(submodel(n)).encode()))
    return time.perf_counter() - began


def last_cursor(server: Server, shells: int) -> str:
    """The cursor at 99 % of all submodels."""
    cursor, passed = "", 0
    while passed < shells * SUBMODELS * 0.99 - 100:
        more = f"&cursor={cursor}" if cursor else ""
        page = json.loads(server.ask(Asked("GET", f"{API}/submodels?limit=100{more}")))
        cursor, passed = page["paging_metadata"].get("cursor", ""), passed + len(page["result"])
        if not cursor:
            return ""
    return cursor


def requests(shells: int, at: str, cursor: str) -> Requests:
    """What both are asked; `at` is the beginning of every address."""
    count = shells * SUBMODELS
    end = f"&cursor={cursor}" if cursor else ""

    def put(n: int) -> Asked:
        body = json.dumps(submodel(n % count, n % 1000)).encode()
        return Asked("PUT", f"{at}/submodels/{id64(submodel_id(n % count))}", body)

    return {
        "GET shell": lambda n: Asked("GET", f"{at}/shells/{id64(shell_id(n % shells))}"),
        "GET submodel": lambda n: Asked("GET", f"{at}/submodels/{id64(submodel_id(n % count))}"),
        "list 100 shells": lambda _: Asked("GET", f"{at}/shells?limit=100"),
        "list 100 submodels": lambda _: Asked("GET", f"{at}/submodels?limit=100"),
        "list 100 submodels from 99 %": lambda _: Asked("GET", f"{at}/submodels?limit=100{end}"),
        "PUT submodel": put,
    }


def own_requests(shells: int) -> Requests:
    """What the SDK's server does not offer."""
    count = shells * SUBMODELS

    def element(n: int) -> str:
        of = f"{API}/submodels/{id64(submodel_id(n % count))}"
        return f"{of}/submodel-elements/Property{n % PROPERTIES}/$value"

    def query(condition: dict) -> Asked:
        return Asked(
            "POST", f"{API}/query/submodels", json.dumps({"$condition": condition}).encode()
        )

    def by_name(n: int) -> Asked:
        return query({"$eq": [{"$field": "$sm#idShort"}, {"$strVal": f"Data{n % count}"}]})

    def by_value(n: int) -> Asked:
        at = f"$sme.Property{n % PROPERTIES}"
        concept = f"https://bench.example/concepts/{n % PROPERTIES}"
        low, value = n % count, {"$field": f"{at}#value"}
        means = {"$eq": [{"$field": f"{at}#semanticId"}, {"$strVal": concept}]}
        above = {"$ge": [value, {"$numVal": low}]}
        below = {"$lt": [value, {"$numVal": low + PROPERTIES}]}
        return query({"$and": [means, above, below]})

    return {
        "GET submodel $value": lambda n: Asked(
            "GET", f"{API}/submodels/{id64(submodel_id(n % count))}/$value"
        ),
        "GET element $value": lambda n: Asked("GET", element(n)),
        "PATCH element $value": lambda n: Asked("PATCH", element(n), f'"{n % 1000}.5"'.encode()),
        "query by idShort": by_name,
        "query by semanticId and range of values": by_value,
    }


# ---- the run


def measure(server: Server, sorts: Requests, seconds: float) -> dict[str, Figures]:
    found = {}
    for name, make in sorts.items():
        try:
            found[name] = server.measured(make, seconds)
        except RuntimeError as error:
            print(f"{name}: {error}", file=sys.stderr)
    return found


def row(name: str, ours: Figures | None, theirs: Figures | None) -> str:
    def shown(figures: Figures | None) -> str:
        if figures is None:
            return "– | –"
        return f"{figures.cpu_ms:.2f} | {figures.p50_ms:.1f} / {figures.p99_ms:.1f}"

    ratio = f"{theirs.cpu_ms / ours.cpu_ms:.1f}" if ours and theirs and ours.cpu_ms else "–"
    goal = f"≥ {GOALS[name]}" if name in GOALS else ""
    return f"| {name} | {shown(ours)} | {shown(theirs)} | {ratio} | {goal} |"


def main(shells: int, seconds: float) -> None:
    count = shells * SUBMODELS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load = os.getloadavg()[0]
        with lineshaft(folder) as server:
            filled_s = fill(server, shells)
            memory = [server.memory_mb()]
            sorts = requests(shells, API, last_cursor(server, shells)) | own_requests(shells)
            ours = measure(server, sorts, seconds)
            memory.append(server.memory_mb())
        with basyx(folder, shells) as server:
            their_memory = [server.memory_mb()]
            cursor = str(max(int(count * 0.99) - 100, 0))
            theirs = measure(server, requests(shells, "", cursor), seconds)
            their_memory.append(server.memory_mb())
    print(
        f"{shells:,} shells, {count:,} submodels, {count * PROPERTIES:,} properties;"
        f" load at the start {load:.1f}. The peer is basyx-python-sdk in memory, without"
        " authentication, on the same HTTP server.\n"
    )
    print("| | CPU ms | p50 / p99 ms | BaSyx CPU ms | p50 / p99 ms | CPU ratio | goal |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for sort in sorts:
        print(row(sort, ours.get(sort), theirs.get(sort)))
    print(
        f"\nBringing in all {shells + count:,} documents one by one, each durable:"
        f" {filled_s:.1f} s. Memory after that and at the end: {memory[0]:.0f} and"
        f" {memory[1]:.0f} MB; of the peer {their_memory[0]:.0f} and {their_memory[1]:.0f} MB."
    )
    if missing := [sort for sort in sorts if sort not in ours]:
        raise SystemExit(f"not measured: {', '.join(missing)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the data")
    options = parser.parse_args()
    main(20 if options.quick else 1000, 0.3 if options.quick else 5.0)
