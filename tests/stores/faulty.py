"""File systems that fail, or die, at the n-th thing they are asked."""

import errno
import os
import threading
from pathlib import Path

from lineshaft.stores.parquet.files import Files


class Dead(BaseException):
    """The process is no more."""


class Faulty(Files):
    """Counts what it is asked, and goes wrong at the n-th."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.asked: list[str] = []
        self.lock = threading.RLock()

    def hurt(self, name: str) -> bool:
        """Count one call; whether it shall go wrong."""
        with self.lock:
            self.asked.append(name)
            return len(self.asked) == self.at

    def wrong(self) -> None:
        """Go wrong."""
        raise NotImplementedError

    def create(self, path: Path) -> int:
        if self.hurt("create"):
            self.wrong()
        return super().create(path)

    def write(self, fd: int, offset: int, parts) -> int:
        if self.hurt("write"):
            whole = b"".join(map(bytes, parts))
            super().write(fd, offset, [whole[: len(whole) // 2]])
            self.wrong()
        return super().write(fd, offset, parts)

    def sync(self, fd: int) -> None:
        if self.hurt("sync"):
            self.wrong()
        super().sync(fd)

    def truncate(self, fd: int, size: int) -> None:
        if self.hurt("truncate"):
            self.wrong()
        super().truncate(fd, size)

    def sync_path(self, path: Path) -> None:
        if self.hurt("sync_path"):
            self.wrong()
        super().sync_path(path)

    def rename(self, old: Path, new: Path) -> None:
        if self.hurt("rename"):
            self.wrong()
        super().rename(old, new)

    def make_folder(self, path: Path) -> None:
        if self.hurt("make_folder"):
            self.wrong()
        super().make_folder(path)

    def delete(self, path: Path) -> None:
        if self.hurt("delete"):
            self.wrong()
        super().delete(path)


class Failing(Faulty):
    """Gives an error code at the n-th call, and at some after it."""

    def __init__(self, at: int = 0, code: int = errno.EIO, times: int = 1) -> None:
        super().__init__(at)
        self.code = code
        self.times = times

    def hurt(self, name: str) -> bool:
        super().hurt(name)
        return self.at <= len(self.asked) < self.at + self.times and self.at > 0

    def wrong(self) -> None:
        raise OSError(self.code, os.strerror(self.code))


class Killed(Faulty):
    """Ends the process at the n-th call: what was asked before it has happened."""

    dead = False

    def hurt(self, name: str) -> bool:
        if self.dead:
            raise Dead
        return super().hurt(name)

    def wrong(self) -> None:
        self.dead = True
        raise Dead

    def left(self, folder: Path) -> Path:
        """The folder as it is found afterwards."""
        return folder


class PowerCut(Killed):
    """Loses at the n-th call what was not synced: content of files, and names in folders."""

    def __init__(self, at: int = 0) -> None:
        super().__init__(at)
        self.ids: dict[int, int] = {}
        """Which file of ours an inode is."""
        self.content: dict[int, bytes] = {}
        """What is on the disk of each."""
        self.names: dict[Path, dict[str, int]] = {}
        """What is on the disk of each folder."""
        self.made = 0

    def create(self, path: Path) -> int:
        with self.lock:
            fd = super().create(path)
            self.made += 1
            self.ids[os.fstat(fd).st_ino] = self.made
            return fd

    def sync(self, fd: int) -> None:
        with self.lock:
            super().sync(fd)
            stat = os.fstat(fd)
            self.content[self.ids[stat.st_ino]] = os.pread(fd, stat.st_size, 0)

    def sync_path(self, path: Path) -> None:
        with self.lock:
            super().sync_path(path)
            if path.is_dir():
                self.names[path] = {
                    p.name: self.ids[p.stat().st_ino]
                    for p in path.iterdir()
                    if p.is_file() and p.stat().st_ino in self.ids
                }
            else:
                self.content[self.ids[path.stat().st_ino]] = path.read_bytes()

    def delete(self, path: Path) -> None:
        with self.lock:
            super().delete(path)

    def left(self, folder: Path) -> Path:
        found = folder.with_name(folder.name + "-left")
        found.mkdir()
        for place, names in self.names.items():
            if place.is_relative_to(folder):
                (found / place.relative_to(folder)).mkdir(parents=True, exist_ok=True)
                for name, number in names.items():
                    path = found / place.relative_to(folder) / name
                    path.write_bytes(self.content.get(number, b""))
        return found
