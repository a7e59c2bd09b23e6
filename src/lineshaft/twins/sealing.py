"""Cursors say nothing: the identifier that a list goes on behind may be one that is hidden.

A place is encrypted under a key of the plant, and what was not made under it is refused. The
construction is a synthetic initialisation vector (as of RFC 5297) over keyed BLAKE2b: the tag is a
keyed hash of a fresh nonce and the padded text, and the tag is what the key stream grows from.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

import msgspec

from lineshaft.core.errors import Invalid, Stale
from lineshaft.records import Collection, Put, Records

COLLECTION = Collection(name="twin_keys")
"""Keeps one document, `cursors`: the key under which cursors are sealed."""
KEY = "cursors"
KEY_BYTES = 32
NONCE_BYTES = 8
TAG_BYTES = 16
PAD_BYTES = 64
"""A text is filled up to a multiple of this, so that its length says little."""
BLOCK_BYTES = 64
"""Of the key stream, drawn at a time."""
CURSOR_CHARS_MAX = 24_000
"""An identifier of 2,048 characters fits in any script."""


class Seal:
    """Turns places into cursors and back."""

    def __init__(self, records: Records | None = None) -> None:
        """Without records, cursors are good for as long as the process lives."""
        self._records = records
        self._use(secrets.token_bytes(KEY_BYTES))

    def _use(self, key: bytes) -> None:
        self._tagging, self._filling = (
            hashlib.blake2b(key, digest_size=32, person=word).digest()
            for word in (b"cursor tag", b"cursor stream")
        )

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
        self._use(bytes.fromhex(made))

    def close(self, place: str) -> str:
        """The cursor for a place; empty for the empty one, which is the end of a list."""
        if not place:
            return ""
        text = place.encode()
        text += b"\x80" + bytes(-(len(text) + 1) % PAD_BYTES)
        nonce = secrets.token_bytes(NONCE_BYTES)
        tag = self._tag(nonce, text)
        sealed = nonce + tag + self._crossed(tag, text)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, cursor: str) -> str:
        """The place that a cursor was made for; empty for none.

        Raises:
            Invalid: the cursor was not made here.
        """
        if not cursor:
            return ""
        nonce, tag, body = _parts(cursor)
        text = self._crossed(tag, body)
        if not body or not hmac.compare_digest(self._tag(nonce, text), tag):
            raise _foreign(cursor)
        return text.rstrip(b"\x00")[:-1].decode()

    def _tag(self, nonce: bytes, text: bytes) -> bytes:
        return hashlib.blake2b(nonce + text, digest_size=TAG_BYTES, key=self._tagging).digest()

    def _crossed(self, tag: bytes, text: bytes) -> bytes:
        """The text with the key stream of the tag put over it; done twice, it is itself again."""
        blocks = (
            hashlib.blake2b(
                tag + n.to_bytes(4, "big"), digest_size=BLOCK_BYTES, key=self._filling
            ).digest()
            for n in range(-(-len(text) // BLOCK_BYTES))
        )
        stream = b"".join(blocks)[: len(text)]
        number = int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")
        return number.to_bytes(len(text), "big")


def _parts(cursor: str) -> tuple[bytes, bytes, bytes]:
    """Nonce, tag and what is sealed."""
    try:
        # What is longer than any of ours is cut, and then fits no tag.
        cursor = cursor[:CURSOR_CHARS_MAX]
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _foreign(cursor) from None
    head = NONCE_BYTES + TAG_BYTES
    return raw[:NONCE_BYTES], raw[NONCE_BYTES:head], raw[head:]


def _foreign(cursor: str) -> Invalid:
    return Invalid(
        f"{cursor[:40]!r} is not a cursor",
        remedy="Give back what the last page gave, or begin again without a cursor.",
    )
