"""Users, sessions and tokens as the records have them, held in memory for quick decisions."""

import asyncio
import hashlib
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from lineshaft.core.event import Event
from lineshaft.records import Append, Cell, Change, Delete, Put, Record, Records
from lineshaft.security.audit import Trail

T = TypeVar("T")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account of a person."""

    name: str
    id: str
    """Tells it from an earlier account of the same name."""
    role: str
    branches: tuple[str, ...]
    password: str
    """Argon2id hash."""
    created_ns: int
    must_change: bool = False
    """The password was made by another and lasts for one login."""
    disabled: bool = False
    epoch: int = 1
    """Counts what ends all sessions: a changed password, a disabling."""
    last_login_ns: int | None = None

    def __repr__(self) -> str:
        return f"User({self.name!r}, {self.role!r})"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A login that lasts."""

    digest: str
    """SHA-256 of the identifier that the browser holds."""
    user: str
    user_id: str
    epoch: int
    """The user's at login; the session is over when they differ."""
    created_ns: int
    seen_ns: int
    expires_ns: int
    """When it ends however busy it is."""
    address: str


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A key for a program, made by a user."""

    digest: str
    """SHA-256 of the token."""
    id: str
    owner: str
    owner_id: str
    name: str
    actions: tuple[str, ...]
    branches: tuple[str, ...]
    created_ns: int
    expires_ns: int | None = None
    last_used_ns: int | None = None


Item = User | Session | Token


class Book:
    """The mirror in memory; what is saved is in the records first, then here."""

    def __init__(self, records: Records, trail: Trail) -> None:
        self.users: dict[str, User] = {}
        """By name."""
        self.sessions: dict[str, Session] = {}
        """By digest."""
        self.tokens: dict[str, Token] = {}
        """By digest."""
        self._records = records
        self._trail = trail
        self._versions: dict[tuple[str, str], int] = {}
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Read all from the records."""
        for record in await self._all("users"):
            self._put(msgspec.json.decode(record.data, type=User), record.version)
        for record in await self._all("sessions"):
            self._put(msgspec.json.decode(record.data, type=Session), record.version)
        for record in await self._all("tokens"):
            self._put(msgspec.json.decode(record.data, type=Token), record.version)

    async def _all(self, collection: str) -> list[Record]:
        found: list[Record] = []
        cursor = ""
        while True:
            page = await self._records.find(collection, cursor=cursor, limit=1000)
            found += page.records
            if not (cursor := page.cursor):
                return found

    async def alone(self, work: Coroutine[Any, Any, T]) -> T:
        """Do what looks at the book and then changes it, with no other change between.

        It is brought to its end even when the caller goes away, so that the book never
        differs from the records.
        """

        async def locked() -> T:
            async with self._lock:
                return await work

        return await asyncio.shield(locked())

    async def save(
        self, *items: Item, gone: Sequence[Item] = (), events: Sequence[Event] = ()
    ) -> None:
        """Keep the items, drop those gone, and log the events: all, or nothing.

        Raises:
            Unavailable: the records cannot be written now.
        """
        changes: list[Change] = [
            Put(
                collection=place(item)[0],
                key=place(item)[1],
                data=msgspec.json.encode(item),
                rows=(_row(item),),
                expected=self._versions.get(place(item), 0),
            )
            for item in items
        ]
        changes += [Delete(collection=place(i)[0], key=place(i)[1]) for i in gone]
        changes += [Append(event=e) for e in events]
        done = await self._records.commit(*changes)
        for item, version in zip(items, done, strict=False):
            self._put(item, version)
        for item in gone:
            self._drop(item)
        await self._trail.tell(*events)

    def _put(self, item: Item, version: int) -> None:
        self._versions[place(item)] = version
        match item:
            case User():
                self.users[item.name] = item
            case Session():
                self.sessions[item.digest] = item
            case Token():
                self.tokens[item.digest] = item

    def _drop(self, item: Item) -> None:
        collection, key = place(item)
        self._versions.pop((collection, key), None)
        mirrors: dict[str, dict[str, Any]] = {
            "users": self.users,
            "sessions": self.sessions,
            "tokens": self.tokens,
        }
        mirrors[collection].pop(key, None)


def digest_of(word: str) -> str:
    """What is kept of a random identifier."""
    return hashlib.sha256(word.encode(errors="surrogatepass")).hexdigest()


def place(item: Item) -> tuple[str, str]:
    """Collection and key of an item."""
    match item:
        case User():
            return "users", item.name
        case Session():
            return "sessions", item.digest
        case Token():
            return "tokens", item.digest


def _row(item: Item) -> dict[str, Cell]:
    match item:
        case User():
            return {"role": item.role, "disabled": item.disabled}
        case Session():
            return {"user": item.user, "expires_ns": item.expires_ns}
        case Token():
            return {"owner": item.owner, "name": item.name}
