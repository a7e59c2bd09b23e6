"""The ways out: one object each takes a message and returns once the other side has it."""

from typing import Protocol

from lineshaft.core.errors import LinkLost
from lineshaft.operations.notices.settings import Recipient
from lineshaft.operations.notices.writing import Message


class Later(LinkLost):
    """The other side asks to come again, not before `after_s` seconds."""

    def __init__(self, message: str, after_s: float) -> None:
        super().__init__(message)
        self.after_s = after_s


class Channel(Protocol):
    """A way to recipients."""

    async def send(self, recipient: Recipient, message: Message) -> None:
        """Hand the message over; returns once the other side has taken it.

        Raises:
            LinkLost: it has not, but may later.
            Refused: it does not want this message, so that asking again will not help.
        """

    async def close(self) -> None:
        """Let go of what is open."""
