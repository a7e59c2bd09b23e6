"""The numbers of words that end in a text or hold it: each word is looked at once for a text."""

import sqlite3
from collections.abc import Callable

from lineshaft.records import Contains, Suffix
from lineshaft.records.sqlite import queries

KEPT_MAX = 1000
"""Texts of which the numbers are remembered; one more, and all are looked for anew."""
NUMBERS_MAX = 200
"""Words that a question names by their numbers; of more, it looks among the words."""


class Words:
    """Remembers what was found. Words are only ever added, each with a higher number."""

    def __init__(self) -> None:
        self._kept: dict[Suffix | Contains, tuple[int, tuple[int, ...]]] = {}
        """The highest number looked at, and the numbers found; by what was asked of a `text`."""

    def numbers(self, db: sqlite3.Connection, asked: Suffix | Contains) -> tuple[int, ...] | None:
        """The numbers of the words that fit, as far as the connection sees; None for too many."""
        asked = type(asked)("text", asked.text)
        seen, found = self._kept.get(asked, (0, ()))
        if len(found) > NUMBERS_MAX:
            return None
        (last,) = db.execute("SELECT max(id) FROM words").fetchone()
        if (last or 0) > seen:
            test, values = queries.test_sql(asked, "text")
            more = f"SELECT id FROM words WHERE id > ? AND {test} LIMIT {NUMBERS_MAX + 1}"  # noqa: S608
            found += tuple(n for (n,) in db.execute(more, (seen, *values)))
            if len(self._kept) >= KEPT_MAX:
                self._kept = {}
            self._kept[asked] = (last, found)
        return found if len(found) <= NUMBERS_MAX else None

    def of(self, db: sqlite3.Connection) -> Callable[[Suffix | Contains], tuple[int, ...] | None]:
        """`numbers` for one connection."""
        return lambda asked: self.numbers(db, asked)
