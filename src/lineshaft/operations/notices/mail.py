"""E-mail by SMTP, in a thread.

Source: RFC 5321, RFC 5322, RFC 3834 (`Auto-Submitted`), RFC 2046 (text and HTML as alternatives).
"""

import asyncio
import contextlib
import os
import smtplib
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import LinkLost, Refused
from lineshaft.core.flow import assert_off_loop
from lineshaft.operations.notices.settings import Recipient, Smtp
from lineshaft.operations.notices.writing import Message

SENDING_MAX = 4
"""Mails that are handed over at the same time."""
ANSWERS_MAX = 12
"""A mail takes at most so many answers of the server, each within the timeout."""
PERMANENT = 500
"""SMTP codes from here on say that trying again will not help."""
AGAIN = frozenset({530, 534, 535, 538})
"""Of these, those that mended settings or accounts do help with."""


class Mail:
    """The server that takes our mail."""

    def __init__(self, config: Smtp) -> None:
        self._config = config
        # Threads of its own: a server that never ends keeps no other part waiting for one.
        self._threads = ThreadPoolExecutor(SENDING_MAX, "mail")
        self._room = asyncio.Semaphore(SENDING_MAX)

    async def send(self, recipient: Recipient, message: Message) -> None:
        """Hand a mail over.

        Raises:
            LinkLost: the server did not take it, and may later.
            Refused: it will not.
        """
        try:
            mail = letter(self._config.sender, recipient.mail, message)
        except (ValueError, LookupError) as error:
            raise Refused(f"{recipient.name}: what it says cannot be mail: {error}") from error
        async with self._room:
            errand, loop = _Errand(self._config), asyncio.get_running_loop()
            try:
                async with asyncio.timeout(self._config.timeout_s * ANSWERS_MAX):
                    await loop.run_in_executor(self._threads, errand.run, mail, recipient)
            except TimeoutError as error:
                raise LinkLost(f"{recipient.name}: the mail server takes too long") from error
            finally:
                errand.end()

    async def close(self) -> None:
        """Nothing stays open between mails."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Errand:
    """One mail on its way, in a thread; whoever waits for it may end it."""

    def __init__(self, config: Smtp) -> None:
        self._config = config
        self._server: smtplib.SMTP | None = None

    def run(self, mail: EmailMessage, recipient: Recipient) -> None:
        """Hand the mail over; see `Mail.send`."""
        assert_off_loop()
        name, config = recipient.name, self._config
        try:
            with self._opened() as server:
                if config.user:
                    server.login(config.user, config.password.reveal())
                server.send_message(mail, config.sender, [recipient.mail])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()), (0, b""))
            raise _no(name, code, text) from None
        except smtplib.SMTPResponseException as error:
            raise _no(name, error.smtp_code, error.smtp_error) from None
        # A ValueError: of a name or password that smtplib cannot write as ASCII.
        except (smtplib.SMTPException, ssl.SSLError, OSError, ValueError) as error:
            where = f"{config.host}:{config.port}"
            why = "name or password is not ASCII" if isinstance(error, UnicodeError) else error
            raise LinkLost(
                f"{name}: the mail server {where} does not take mail: {why}",
                remedy="See that it is on, and that host, port and encryption are right.",
            ) from None

    def end(self) -> None:
        """Break the link if there still is one, so that the thread ends."""
        sock = self._server.sock if self._server is not None else None
        if sock is None:
            return
        # Of the same link under another number, since the thread may close its own just now.
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)

    def _opened(self) -> smtplib.SMTP:
        config = self._config
        if config.encryption == "none":
            return _Plain(self._know, config)
        context = ssl.create_default_context(cafile=config.ca or None)
        if config.encryption == "tls":
            return _Encrypted(self._know, config, context)
        server = _Plain(self._know, config)
        try:
            server.starttls(context=context)
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server

    def _know(self, server: smtplib.SMTP) -> None:
        self._server = server


class _Plain(smtplib.SMTP):
    """A link that is known before it is there, since making one may take long."""

    def __init__(self, know: Callable[[smtplib.SMTP], None], config: Smtp) -> None:
        know(self)
        super().__init__(config.host, config.port, timeout=config.timeout_s)


class _Encrypted(smtplib.SMTP_SSL):
    """The same over TLS."""

    def __init__(
        self, know: Callable[[smtplib.SMTP], None], config: Smtp, context: ssl.SSLContext
    ) -> None:
        know(self)
        super().__init__(config.host, config.port, timeout=config.timeout_s, context=context)


def _no(name: str, code: int, text: bytes | str) -> LinkLost | Refused:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    sentence = f"{name}: the mail server answers {code} {' '.join(said.split())[:200]}"
    if code >= PERMANENT and code not in AGAIN:
        return Refused(sentence)
    return LinkLost(sentence)


def letter(sender: str, to: str, message: Message) -> EmailMessage:
    """The message as mail; its identifier is that of the notice in every try."""
    mail = EmailMessage(policy=SMTP_POLICY)
    domain = sender.rpartition("@")[2]
    mail["From"] = Address("Lineshaft", addr_spec=sender)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = message.subject
    mail["Date"] = formatdate(message.made_ns // NS_PER_S)
    mail["Message-ID"] = f"<{message.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    for file in message.attachments:
        kind, _, subtype = file.media_type.partition("/")
        mail.add_attachment(
            file.data, maintype=kind, subtype=subtype or "octet-stream", filename=file.name
        )
    return mail
