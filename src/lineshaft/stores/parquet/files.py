"""What the store asks of the file system, in one place, so that a test can let a disk fill up."""

import contextlib
import os
from collections.abc import Sequence
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
        fresh.write_bytes(data)
        self.sync_path(fresh)
        fresh.replace(path)
        self.sync_path(path.parent)

    def delete(self, path: Path) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            path.unlink()

    def free_bytes(self, path: Path) -> int:
        """Room left on the disk for those without privileges."""
        stat = os.statvfs(path)
        return stat.f_bavail * stat.f_frsize
