"""Files that documents refer to: attachments, thumbnails and packages, kept by their content.

A file is kept once, under the SHA-256 of its bytes, in the data folder. Which file a document
means is said in the records: the value of a File element (or the path of a thumbnail) is the
absolute name of a part of a package, such as `/aasx/files/manual.pdf`, exactly as it comes from
and goes into an AASX package, and `Attachments` maps (document, that name) to a file. So a
document goes out with the bytes it came in with, and an element may move without losing its file.

To attach: `ref = await files.put(...)`, set the element's value to `name`, and commit the document
with `more=(attachments.attach(class_, id, name, ref),)`: both are there, or neither is.
"""

import asyncio
import contextlib
import hashlib
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from lineshaft.core.clock import NS_PER_S, now_ns, uuid7
from lineshaft.core.errors import Invalid, Missing, Unavailable
from lineshaft.core.flow import assert_off_loop
from lineshaft.records import Change, Collection, Column, Compare, Delete, Put, Records
from lineshaft.twins import Class
from lineshaft.twins.model.identifier import decode_id, encode_id

SIZE_MAX = 1 << 30
"""Bytes of a file, unless told otherwise."""
UNUSED_AGE_S = 3600
"""A file that nothing refers to is kept this long: its document may be on the way."""
CHUNK_BYTES = 1 << 18

_INCOMING = "incoming"
_HASH_DIGITS = 64

COLLECTIONS = (Collection(name="twin_files", columns={"owner": Column.TEXT, "hash": Column.TEXT}),)
"""Which file a document means by a name; the key is owner, `|`, name."""


class FileRef(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is kept."""

    hash: str
    """Lower-case hex SHA-256 of its bytes."""
    size: int
    """Bytes."""
    media_type: str
    """As whoever sent it declared it; empty when not."""


class Files:
    """Keeps files by content; what it acknowledged survives a power cut."""

    def __init__(
        self, folder: Path, *, size_max: int = SIZE_MAX, clock: Callable[[], int] = now_ns
    ) -> None:
        """`folder` is made when the first file comes."""
        self._folder = folder
        self._size_max = size_max
        self._clock = clock
        self._lock = threading.Lock()
        """So that no file is removed at the moment in which it comes again."""

    # ---- writing

    async def put(
        self, content: bytes | AsyncIterator[bytes] | Iterable[bytes], media_type: str
    ) -> FileRef:
        """Keep a file; when this returns it survives a power cut.

        An `Iterable` is read in a thread, an `AsyncIterator` on the loop.

        Raises:
            Invalid: it is larger than the bound.
            Unavailable: it cannot be written now (disk full).
        """
        incoming = await asyncio.to_thread(_Incoming, self._folder, self._size_max)
        try:
            if isinstance(content, AsyncIterator):
                async for chunk in content:
                    await asyncio.to_thread(incoming.write, (chunk,))
            else:
                chunks = (content,) if isinstance(content, bytes) else content
                await asyncio.to_thread(incoming.write, chunks)
            hash_, size = await asyncio.to_thread(self._settle, incoming)
        finally:
            await asyncio.to_thread(incoming.close)
        return FileRef(hash=hash_, size=size, media_type=media_type)

    def _settle(self, incoming: "_Incoming") -> tuple[str, int]:
        """Give the file its name. An older one of that name is replaced, so a damaged one heals."""
        hash_, size = incoming.finish()
        target = self._place(hash_)
        with _disk("written"), self._lock:
            if not target.parent.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                _sync(self._folder)
                _sync(self._folder.parent)
            now = self._clock()
            os.utime(incoming.path, ns=(now, now))
            incoming.path.replace(target)
            _sync(target.parent)
        return hash_, size

    def _place(self, hash_: str) -> Path:
        if len(hash_) != _HASH_DIGITS or not set(hash_) <= set("0123456789abcdef"):
            raise Missing(f"{hash_[:80]!r} is not the hash of a file")
        return self._folder / hash_[:2] / hash_

    # ---- reading

    async def read(self, hash_: str) -> bytes:
        """All of a file; for small ones, as thumbnails are.

        Raises:
            Missing: there is none.
            Unavailable: it is damaged; the message names it.
        """
        return b"".join([chunk async for chunk in self.open(hash_)])

    async def open(self, hash_: str) -> AsyncGenerator[bytes]:
        """A file piece by piece; the last piece only comes when all of it was found undamaged.

        Raises:
            Missing: there is none.
            Unavailable: it is damaged; the message names it.
        """
        file = await asyncio.to_thread(self._opened, hash_)
        try:
            digest = hashlib.sha256()
            chunk = await asyncio.to_thread(_next, file, digest)
            while chunk:
                following = await asyncio.to_thread(_next, file, digest)
                if not following:
                    self._check(hash_, digest.hexdigest())
                yield chunk
                chunk = following
            self._check(hash_, digest.hexdigest())
        finally:
            file.close()

    def chunks(self, hash_: str) -> Iterator[bytes]:
        """As `open`, for a thread.

        Raises:
            Missing, Unavailable: as of `open`.
        """
        assert_off_loop()
        digest = hashlib.sha256()
        with self._opened(hash_) as file:
            while chunk := _next(file, digest):
                yield chunk
        self._check(hash_, digest.hexdigest())

    def _opened(self, hash_: str) -> BinaryIO:
        try:
            return self._place(hash_).open("rb")
        except FileNotFoundError:
            raise Missing(
                f"the file {hash_} is not in {self._folder.name}/",
                remedy="Restore it from a backup, or send it again.",
            ) from None

    def _check(self, wanted: str, found: str) -> None:
        if found != wanted:
            raise Unavailable(
                f"the file {wanted} in {self._folder.name}/ is damaged: its hash is {found}",
                remedy="Restore it from a backup, or send it again.",
            )

    # ---- removing

    async def remove_unused(self, used: set[str]) -> int:
        """Remove files whose hash is not among `used`; returns the bytes that became free.

        What came, or came again, within `UNUSED_AGE_S` stays.
        """
        return await asyncio.to_thread(self._remove_unused, used)

    def _remove_unused(self, used: set[str]) -> int:
        freed = 0
        for path in self._folder.glob("*/*"):
            if path.name in used:
                continue
            with self._lock, contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                if stat.st_mtime_ns <= self._clock() - UNUSED_AGE_S * NS_PER_S:
                    path.unlink()
                    freed += stat.st_size
        return freed


class _Incoming:
    """A file on its way in. Its methods block."""

    def __init__(self, folder: Path, size_max: int) -> None:
        assert_off_loop()
        self.path = folder / _INCOMING / uuid7()
        self._size_max = size_max
        self._size = 0
        self._digest = hashlib.sha256()
        with _disk("written"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("xb")

    def write(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            self._size += len(chunk)
            if self._size > self._size_max:
                raise Invalid(
                    f"the file has more than {self._size_max} bytes",
                    remedy="Store it elsewhere and refer to it by its address.",
                )
            self._digest.update(chunk)
            with _disk("written"):
                self._file.write(chunk)

    def finish(self) -> tuple[str, int]:
        """Have it on the disk; returns hash and size."""
        with _disk("written"):
            self._file.flush()
            os.fsync(self._file.fileno())
        return self._digest.hexdigest(), self._size

    def close(self) -> None:
        """Give back what it holds, and the file unless it was given its name."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def _disk(done: str) -> Iterator[None]:
    """Turn what the disk refuses into `Unavailable`."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"the file cannot be {done}: {error.strerror}",
            remedy="Make room on the disk, or check that the data folder can be written.",
        ) from error


def _next(file: BinaryIO, digest: "hashlib._Hash") -> bytes:
    chunk = file.read(CHUNK_BYTES)
    digest.update(chunk)
    return chunk


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


# ---- which file a document means


class Attachments:
    """Maps the names that documents use to files."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def find(self, class_: Class, id_: str, name: str) -> FileRef | None:
        """The file that the document means by `name`, or None."""
        record = await self._records.get("twin_files", _key(class_, id_, name))
        return msgspec.json.decode(record.data, type=FileRef) if record else None

    async def of(self, class_: Class, id_: str) -> dict[str, FileRef]:
        """All files that the document means, by name."""
        owner, found, cursor = _owner(class_, id_), {}, ""
        while True:
            page = await self._records.find(
                "twin_files", Compare("owner", "=", owner), cursor=cursor, limit=1000
            )
            for record in page.records:
                name = record.key.removeprefix(f"{owner}|")
                found[name] = msgspec.json.decode(record.data, type=FileRef)
            if not (cursor := page.cursor):
                return found

    def attach(self, class_: Class, id_: str, name: str, ref: FileRef) -> Change:
        """The change that lets the document mean `ref` by `name`; commit it with the document."""
        return Put(
            collection="twin_files",
            key=_key(class_, id_, name),
            data=msgspec.json.encode(ref),
            rows=({"owner": _owner(class_, id_), "hash": ref.hash},),
        )

    def detach(self, class_: Class, id_: str, name: str) -> Change:
        """The change that lets the document mean nothing by `name`, whether it did or not."""
        return Delete(collection="twin_files", key=_key(class_, id_, name))

    async def used(self) -> set[str]:
        """Hashes of all files that documents mean."""
        found: set[str] = set()
        cursor = ""
        while True:
            page = await self._records.find("twin_files", cursor=cursor, limit=1000)
            found |= {msgspec.json.decode(r.data, type=FileRef).hash for r in page.records}
            if not (cursor := page.cursor):
                return found


def _owner(class_: Class, id_: str) -> str:
    return f"{class_.value}/{encode_id(id_)}"


def _key(class_: Class, id_: str, name: str) -> str:
    return f"{_owner(class_, id_)}|{name}"


def parted(key: str) -> tuple[Class, str, str]:
    """Class and identifier of the document, and the name, that a record's key holds."""
    owner, _, name = key.partition("|")
    class_, _, id64 = owner.partition("/")
    return Class(class_), decode_id(id64), name
