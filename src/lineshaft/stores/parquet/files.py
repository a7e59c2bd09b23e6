"""What the store asks of the file system, in one place, so that a test can let a disk fill up."""

import contextlib
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from lineshaft.core.flow import assert_off_loop

PARTS_MAX = 512
"""Buffers handed to one `pwritev`; the kernel takes at most 1024."""


class Files:
    """Writes, syncs and renames; every method blocks and raises `OSError` as the kernel does."""

    def create(self, path: Path) -> int:
        """Descriptor of a new, empty file; its name is durable after `sync_path` of its folder."""
        assert_off_loop()
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)

    def write(self, fd: int, offset: int, parts: Sequence[bytes | memoryview]) -> int:
        """Put the parts one after another from `offset` on; the offset behind them."""
        for start in range(0, len(parts), PARTS_MAX):
            views = [memoryview(p).cast("B") for p in parts[start : start + PARTS_MAX]]
            while views:
                done = os.pwritev(fd, views, offset)
                offset += done
                while views and done >= len(views[0]):
                    done -= len(views.pop(0))
                if views:
                    views[0] = views[0][done:]
        return offset

    def sync(self, fd: int) -> None:
        """Have the data of the file on the disk."""
        assert_off_loop()
        os.fdatasync(fd)

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file off at `size` bytes."""
        os.ftruncate(fd, size)

    def close(self, fd: int) -> None:
        """Give the descriptor back."""
        os.close(fd)

    def sync_path(self, path: Path) -> None:
        """Have a file, or the names in a folder, on the disk."""
        assert_off_loop()
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def write_whole(self, path: Path, data: bytes | memoryview) -> None:
        """Put a small file in the place of an older one, so that readers see one or the other."""
        fresh = path.with_name(path.name + ".new")
        self.delete(fresh)
        with self.sink(fresh) as sink:
            sink.write(data)
        self.sync_path(fresh)
        self.move(fresh, path)

    @contextlib.contextmanager
    def sink(self, path: Path) -> "Iterator[Sink]":
        """A new file to write from start to end; durable after `sync_path` of it and its folder."""
        fd = self.create(path)
        try:
            yield Sink(self, fd)
        finally:
            self.close(fd)

    def move(self, old: Path, new: Path) -> None:
        """Give a file another name, in place of one that has it; durable when this returns."""
        self.rename(old, new)
        self.sync_path(new.parent)
        if old.parent != new.parent:
            self.sync_path(old.parent)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name, in place of one that has it."""
        assert_off_loop()
        old.replace(new)

    def make_folder(self, path: Path) -> None:
        """Make the folder, and those above it, if it is not there."""
        path.mkdir(parents=True, exist_ok=True)

    def delete(self, path: Path) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            path.unlink()

    def free_bytes(self, path: Path) -> int:
        """Room left on the disk for those without privileges."""
        stat = os.statvfs(path)
        return stat.f_bavail * stat.f_frsize


class Sink:
    """A file that is written from start to end, with the checksum of what was written."""

    closed = False

    def __init__(self, files: Files, fd: int) -> None:
        self._files = files
        self._fd = fd
        self.size = 0
        """Bytes written."""
        self.crc = 0
        """CRC-32 of them."""

    def write(self, data: bytes | memoryview) -> int:
        """Append the bytes."""
        view = memoryview(data).cast("B")
        if len(view):
            self.size = self._files.write(self._fd, self.size, [view])
            self.crc = zlib.crc32(view, self.crc)
        return len(view)

    def tell(self) -> int:
        """Where the next byte goes."""
        return self.size

    def flush(self) -> None:
        """Nothing is held back here."""

    def close(self) -> None:
        """The one who made the file closes it."""


def checksum(path: Path, chunk_bytes: int = 1 << 20) -> tuple[int, int]:
    """Bytes of a file and their CRC-32.

    Raises:
        OSError: it cannot be read.
    """
    assert_off_loop()
    size, crc = 0, 0
    with path.open("rb") as file:
        while chunk := file.read(chunk_bytes):
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
    return size, crc
