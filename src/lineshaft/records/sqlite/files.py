"""The records file itself: who may use it, and how it is opened."""

import fcntl
import os
import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lineshaft.core.errors import SettingsError

CACHE_KB = 16_000
"""Memory for the pages that the writing thread has used last."""
CHECKPOINT_PAGES = 4000
"""Pages in the log after which they are written to their places, each once: 16 MB."""
BUSY_MS = 5000
"""How long to wait for a foreign program, a backup say, that holds the file."""


@contextmanager
def locked(path: str) -> Generator[None]:
    """Keep every other process away from the file, and see that only its owner can read it.

    Raises:
        SettingsError: another process has it, or the place cannot be used.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        # It holds password hashes; SQLite gives its side files the same rights.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(
            f"records file {path} cannot be opened: {error.strerror}",
            remedy="Give a path in a folder that this user may write.",
        ) from error
    try:
        _take(lock, path)
        yield
    finally:
        os.close(lock)


def _take(lock: int, path: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
        raise SettingsError(
            f"records file {path} is in use by process {pid}",
            remedy="Stop that process first, or do it in the running plant's console.",
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)


def connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection whose transactions are begun and ended by hand."""
    # Each connection is used by one thread at a time, but closed by another.
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with ExitStack() as stack:
        stack.callback(db.close)
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 67108864")
        if read_only:
            db.execute("PRAGMA query_only = 1")
        else:
            db.execute(f"PRAGMA cache_size = -{CACHE_KB}")
            db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        stack.pop_all()
    return db
