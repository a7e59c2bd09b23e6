"""A small HTTP device on loopback: a machine that tells its values as JSON."""

import asyncio
import contextlib
import json

from lineshaft.core.clock import now_ns, to_iso
from lineshaft.core.settings import Settings

HOST = "127.0.0.1"
HEAD_MAX = 16_384
STATUSES = {200: "OK", 204: "No Content", 400: "Bad Request", 404: "Not Found"}


class Device:
    """A server that can be cut off and mended at the same port."""

    def __init__(self) -> None:
        self.port = 0
        self.settings: Settings = Settings()
        self.unknown: Settings = Settings()
        self.writable = ""
        self.set_point = 20.0
        self.strokes = 0
        self.requests: list[tuple[str, str, bytes]] = []
        """The last requests, as method, path and body."""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}/"

    async def mend(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port, limit=HEAD_MAX)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False once the other side is gone."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.splitlines()
        method, path, _ = line.split(" ", 2)
        length = next(
            (int(f.split(":")[1]) for f in fields if f.lower().startswith("content-length:")), 0
        )
        body = await reader.readexactly(length) if length else b""
        self.requests = [*self.requests[-99:], (method, path, body)]
        status, content = self._respond(method, path, body)
        writer.write(
            f"HTTP/1.1 {status} {STATUSES[status]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
        await writer.drain()
        return True

    def _respond(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if (method, path) == ("GET", "/live"):
            self.strokes += 1
            content = {
                "temperature": 20 + self.strokes % 7,
                "strokes": self.strokes,
                "time": to_iso(now_ns()),
            }
            return 200, json.dumps(content).encode()
        if path == "/set_point":
            if method == "PUT":
                try:
                    self.set_point = float(json.loads(body)["value"])
                except (ValueError, KeyError, TypeError):
                    return 400, b""
                return 200, b""
            return 200, json.dumps({"value": self.set_point}).encode()
        return 404, b""
