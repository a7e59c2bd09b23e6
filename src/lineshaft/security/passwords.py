"""Passwords: the rule they must meet, how they are hashed, and those we make ourselves."""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lineshaft.core.errors import Invalid, Unavailable
from lineshaft.core.flow import assert_off_loop

T = TypeVar("T")

CHARS_MIN = 12
CHARS_MAX = 256
WAITING_MAX = 32
"""Passwords that may wait for being hashed; hashing is slow on purpose."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike: i l o 0 1."""


def check_password(password: str, name: str) -> str:
    """The password itself, when it may be one.

    Raises:
        Invalid: it is too short or too long, or is the name.
    """
    if not CHARS_MIN <= len(password) <= CHARS_MAX:
        raise Invalid(
            f"the password has {len(password)} characters, wanted {CHARS_MIN} to {CHARS_MAX}",
            remedy="Take a few words that belong together for nobody but you.",
        )
    if _plain(password).strip() == _plain(name):
        raise Invalid(
            "the password is the name of the account", remedy="Take one that is harder to guess."
        )
    return password


def one_time_password() -> str:
    """A random password of 99 bits that can be read aloud and typed."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(4))


class Hasher:
    """Argon2id in threads, a few at a time."""

    def __init__(self, *, memory_mib: int, rounds: int, threads: int) -> None:
        self._argon2 = PasswordHasher(time_cost=rounds, memory_cost=memory_mib * 1024)
        self._turn = asyncio.Semaphore(threads)
        self._waiting = 0
        salt, digest = (
            base64.b64encode(secrets.token_bytes(n)).decode().rstrip("=") for n in (16, 32)
        )
        # What a password is compared with when there is no such account, so that the time
        # of the answer does not tell whether there is one.
        self._nobody = (
            f"$argon2id$v=19$m={self._argon2.memory_cost},t={self._argon2.time_cost},"
            f"p={self._argon2.parallelism}${salt}${digest}"
        )

    async def hash(self, password: str) -> str:
        """The hash to keep.

        Raises:
            Unavailable: too many wait already.
        """
        return await self._in_turn(lambda: self._argon2.hash(_normal(password)))

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether the password is the one whose hash was kept; None takes the same time.

        Raises:
            Unavailable: too many wait already.
        """
        if len(password) > CHARS_MAX:
            password = ""

        def check() -> bool:
            try:
                return self._argon2.verify(kept or self._nobody, _normal(password))
            except (VerificationError, InvalidHashError):
                return False

        return await self._in_turn(check) and kept is not None

    def is_old(self, kept: str) -> bool:
        """Whether the hash was made with other settings than today's."""
        return self._argon2.check_needs_rehash(kept)

    async def _in_turn(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise Unavailable(
                f"{self._waiting} passwords are being checked already",
                remedy="Try again in some seconds.",
            )

        def off_loop() -> T:
            assert_off_loop()
            return work()

        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(off_loop)
        finally:
            self._waiting -= 1


def _normal(password: str) -> bytes:
    """The same bytes however the keyboard composes its letters."""
    return unicodedata.normalize("NFC", password).encode(errors="surrogatepass")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
