"""E-mail by SMTP, in a thread.

Source: RFC 5321, RFC 5322, RFC 3834 (`Auto-Submitted`), RFC 2046 (text and HTML as alternatives).
"""

import asyncio
import smtplib
import ssl
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
            try:
                async with asyncio.timeout(self._config.timeout_s * ANSWERS_MAX):
                    await asyncio.to_thread(self._send, mail, recipient)
            except TimeoutError as error:
                raise LinkLost(f"{recipient.name}: the mail server takes too long") from error

    def _send(self, mail: EmailMessage, recipient: Recipient) -> None:
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
        except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
            where = f"{config.host}:{config.port}"
            raise LinkLost(
                f"{name}: the mail server {where} does not take mail: {error}",
                remedy="See that it is on, and that host, port and encryption are right.",
            ) from None

    def _opened(self) -> smtplib.SMTP:
        config = self._config
        if config.encryption == "none":
            return smtplib.SMTP(config.host, config.port, timeout=config.timeout_s)
        context = ssl.create_default_context(cafile=config.ca or None)
        if config.encryption == "tls":
            return smtplib.SMTP_SSL(
                config.host, config.port, timeout=config.timeout_s, context=context
            )
        server = smtplib.SMTP(config.host, config.port, timeout=config.timeout_s)
        try:
            server.starttls(context=context)
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server

    async def close(self) -> None:
        """Nothing stays open between mails."""


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
