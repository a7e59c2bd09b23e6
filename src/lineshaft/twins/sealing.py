"""Cursors say nothing: the identifier that a list goes on behind may be one that is hidden.

A place is encrypted under a key of the plant, and what was not made under it is refused: AES-SIV
(RFC 5297) with a fresh nonce beside it, so that the same place has ever new cursors.
"""

import base64
import binascii
import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from lineshaft.core.errors import Invalid, Stale
from lineshaft.records import Collection, Put, Records

COLLECTION = Collection(name="twin_keys")
"""Keeps one document, `cursors`: the key under which cursors are sealed."""
KEY = "cursors"
KEY_BYTES = 32
NONCE_BYTES = 8
PAD_BYTES = 64
"""A text is filled up to a multiple of this, so that its length says little."""
CURSOR_CHARS_MAX = 24_000
"""An identifier of 2,048 characters fits in any script."""


class Seal:
    """Turns places into cursors and back."""

    def __init__(self, records: Records | None = None) -> None:
        """Without records, cursors are good for as long as the process lives."""
        self._records = records
        self._cipher = AESSIV(secrets.token_bytes(KEY_BYTES))

    async def load(self) -> None:
        """Take the key of the plant, which is made the first time.

        Raises:
            Unavailable: the records cannot be written now.
        """
        if self._records is None:
            return
        made = secrets.token_hex(KEY_BYTES)
        data = msgspec.json.encode(made)
        try:
            await self._records.commit(
                Put(collection=COLLECTION.name, key=KEY, data=data, expected=0)
            )
        except Stale:
            found = await self._records.get(COLLECTION.name, KEY)
            made = msgspec.json.decode(found.data, type=str) if found else made
        self._cipher = AESSIV(bytes.fromhex(made))

    def close(self, place: str) -> str:
        """The cursor for a place; empty for the empty one, which is the end of a list."""
        if not place:
            return ""
        text = place.encode()
        text += b"\x80" + bytes(-(len(text) + 1) % PAD_BYTES)
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(text, [nonce])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, cursor: str) -> str:
        """The place that a cursor was made for; empty for none.

        Raises:
            Invalid: the cursor was not made here.
        """
        if not cursor:
            return ""
        try:
            # What is longer than any of ours is cut, and then fits no tag.
            padded = cursor[:CURSOR_CHARS_MAX] + "=" * (-len(cursor) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
            text = self._cipher.decrypt(raw[NONCE_BYTES:], [raw[:NONCE_BYTES]])
        except (binascii.Error, ValueError, InvalidTag):
            raise _foreign(cursor) from None
        return text.rstrip(b"\x00")[:-1].decode()


def _foreign(cursor: str) -> Invalid:
    return Invalid(
        f"{cursor[:40]!r} is not a cursor",
        remedy="Give back what the last page gave, or begin again without a cursor.",
    )
