"""Servers on loopback that take messages, or do not: HTTP and SMTP as the RFCs have them."""

import asyncio
import email
import email.policy
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email.message import EmailMessage

import msgspec


class Hook:
    """A web server that follows a script, one word a request; when that has ended, it takes."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.tried: list[tuple[dict[str, str], bytes]] = []
        """Every request that came in whole: headers and body."""
        self.taken: list[dict] = []
        """Bodies of those that were answered with 204."""
        self.url = ""
        self.news = asyncio.Event()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.taken) < count:
                self.news.clear()
                await self.news.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:-2]
                fields = {k.lower(): v for k, _, v in (h.partition(": ") for h in lines)}
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                self.tried.append((fields, body))
                word = self.script.pop(0) if self.script else "204"
                if word == "hang":
                    await asyncio.sleep(3600)
                if word == "cut":
                    return
                if word == "lose":  # taken, and the answer is lost on its way
                    self.taken.append(msgspec.json.decode(body))
                    return
                more = "Location: http://elsewhere.invalid/\r\n" if word[0] == "3" else ""
                more += "Retry-After: 100\r\n" if word == "503" else ""
                text = "" if word == "204" else "no"
                writer.write(
                    f"HTTP/1.1 {word} X\r\n{more}Content-Length: {len(text)}\r\n\r\n{text}".encode()
                )
                await writer.drain()
                if word == "204":
                    self.taken.append(msgspec.json.decode(body))
                    self.news.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def hook(*script: str) -> AsyncGenerator[Hook]:
    """A web server on loopback."""
    made = Hook(*script)
    async with _served(made.serve) as port:
        made.url = f"http://127.0.0.1:{port}/hook?key=inside"
        yield made


class Post:
    """A mail server that follows a script of answers to RCPT; when that has ended, it takes."""

    def __init__(self, *script: int) -> None:
        self.script = list(script)
        self.taken: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.senders: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(text: str) -> None:
            writer.write(text.encode() + b"\r\n")

        say("220 test ESMTP")
        try:
            while line := await reader.readline():
                word = line.decode().strip()
                verb = word.upper().split(":")[0].split()[0]
                match verb:
                    case "EHLO":
                        say("250-test")
                        say("250 8BITMIME")
                    case "MAIL":
                        self.senders.append(word)
                        say("250 ok")
                    case "RCPT":
                        code = self.script.pop(0) if self.script else 250
                        say(f"{code} {'ok' if code == 250 else 'no such box'}")
                    case "DATA":
                        say("354 go on")
                        data = await reader.readuntil(b"\r\n.\r\n")
                        self.raw.append(data[:-3])
                        self.taken.append(
                            email.message_from_bytes(data[:-3], policy=email.policy.default)
                        )
                        say("250 taken")
                    case "QUIT":
                        say("221 bye")
                        return
                    case _:
                        say("250 ok")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def post(*script: int) -> AsyncGenerator[Post]:
    """A mail server on loopback."""
    made = Post(*script)
    async with _served(made.serve) as made.port:
        yield made


@asynccontextmanager
async def silent() -> AsyncGenerator[int]:
    """A server that takes connections and says nothing; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    async with _served(serve) as port:
        yield port


@asynccontextmanager
async def _served(serve) -> AsyncGenerator[int]:
    tasks: set[asyncio.Task] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        tasks.add(task)
        try:
            await serve(reader, writer)
        except asyncio.CancelledError:  # the server is taken away
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks))
