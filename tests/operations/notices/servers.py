"""Servers on loopback that take messages, or do not: HTTP and SMTP as the RFCs have them."""

import asyncio
import datetime as dt
import email
import email.policy
import ipaddress
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email.message import EmailMessage

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lineshaft.core.clock import NS_PER_S, now_ns


def certified(folder) -> ssl.SSLContext:
    """What a server at 127.0.0.1 shows; the certificate, its own authority, is `cert.pem` there."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.fromtimestamp(now_ns() // NS_PER_S, dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


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
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def hook(*script: str, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Hook]:
    """A web server on loopback."""
    made = Hook(*script)
    async with _served(made.serve, tls) as port:
        made.url = f"http{'s' if tls else ''}://127.0.0.1:{port}/hook?key=inside"
        yield made


class Post:
    """A mail server that follows a script of answers to RCPT; when that has ended, it takes."""

    def __init__(self, *script: int, starttls: ssl.SSLContext | None = None) -> None:
        self.script, self.starttls = list(script), starttls
        self.secured = 0
        """Links that were encrypted on demand."""
        self.hangs = False
        """Whether it takes a mail and says, a byte a moment, that it is about to."""
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
                        say("250-test\r\n250-AUTH PLAIN")
                        say("250-STARTTLS\r\n250 8BITMIME" if self.starttls else "250 8BITMIME")
                    case "MAIL":
                        self.senders.append(word)
                        say("250 ok")
                    case "RCPT":
                        code = self.script.pop(0) if self.script else 250
                        say(f"{code} {'ok' if code == 250 else 'no such box'}")
                    case "DATA":
                        await self._take(reader, writer)
                    case "STARTTLS":
                        say("220 go on")
                        await writer.drain()
                        await writer.start_tls(self.starttls)
                        self.secured += 1
                    case "QUIT":
                        say("221 bye")
                        return
                    case _:
                        say("250 ok")
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"354 go on\r\n")
        data = await reader.readuntil(b"\r\n.\r\n")
        while self.hangs:
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(0.02)
        self.raw.append(data[:-3])
        self.taken.append(email.message_from_bytes(data[:-3], policy=email.policy.default))
        writer.write(b"250 taken\r\n")


@asynccontextmanager
async def post(
    *script: int, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
) -> AsyncGenerator[Post]:
    """A mail server on loopback; `tls` from the first byte on, `starttls` on demand."""
    made = Post(*script, starttls=starttls)
    async with _served(made.serve, tls) as made.port:
        yield made


@asynccontextmanager
async def silent() -> AsyncGenerator[int]:
    """A server that takes connections and says nothing; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    async with _served(serve) as port:
        yield port


@asynccontextmanager
async def _served(serve, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
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

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks))
