"""Index rows as the tables take them: checked all at once, unless something in them is unusual."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Annotated, Any

import msgspec

from lineshaft.records import Cell, Collection, Column, Put
from lineshaft.records import _rules as rules

NUL = b"\\u0000"
"""What JSON has for it; a text may hold these six characters, too."""
LARGE = 2.0**63
_WHOLE = Annotated[int, msgspec.Meta(ge=-(2**63 - 1), le=2**63 - 1)]
_TYPES: dict[Column, Any] = {
    Column.TEXT: str,
    Column.WORD: str,
    Column.BOOLEAN: bool,
    Column.INTEGER: _WHOLE,
    Column.REAL: float,
}

Row = tuple[Cell, ...]
"""The cells of one index row, in the order of `ordered`."""


def ordered(collection: Collection) -> list[str]:
    """The columns of a collection in the order in which its tables are filled: words first."""
    names = [n for n, t in collection.columns.items() if t is Column.WORD]
    return names + [n for n in collection.columns if n not in names]


class Cells:
    """Checks the rows of one collection."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._names = ordered(collection)
        fields = [
            (f"c{m}", _TYPES[collection.columns[n]] | None, msgspec.field(name=n, default=None))
            for m, n in enumerate(self._names)
        ]
        one = msgspec.defstruct("One", fields, forbid_unknown_fields=True)
        self._type = list[one]  # type: ignore[valid-type]
        self._reals = [m for m, n in enumerate(self._names) if collection.columns[n] is Column.REAL]

    def of(self, put: Put) -> list[Row]:
        """The rows of a document, every cell filled, at least one row.

        Raises:
            Invalid: key, data or a row does not fit the collection.
        """
        found = self._usual(put.rows or ({},))
        if found is None:
            rows = rules.check_rows(self._collection, put)
            return [tuple(row[n] for n in self._names) for row in rows]
        rules.check_document(self._collection, put)
        return found

    def _usual(self, rows: Sequence[dict[str, Cell]]) -> list[Row] | None:
        """The rows, or None where each cell must be looked at."""
        try:
            # Half characters cannot be encoded.
            if NUL in msgspec.json.encode(rows):
                return None
            found = list(map(msgspec.structs.astuple, msgspec.convert(rows, self._type)))
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
            return None
        for m in self._reals:
            for value in map(itemgetter(m), found):
                # NaN is none, and a whole number so large would have been rounded.
                if value is not None and not -LARGE < value < LARGE:
                    return None
        return found
