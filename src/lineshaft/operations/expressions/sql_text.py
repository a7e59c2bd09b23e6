"""The pieces that SQL is put together from."""

from typing import NamedTuple

from lineshaft.operations.expressions import columns

BAD = int(columns.BAD)
UNCERTAIN = int(columns.UNCERTAIN)
WAITING = int(columns.WAITING)
OUT_OF_RANGE = int(columns.OUT_OF_RANGE)
MISMATCH = int(columns.MISMATCH)
NO_DATA = int(columns.NO_DATA)
SUB_NORMAL = int(columns.SUB_NORMAL)
INITIAL = int(columns.INITIAL)


class Column(NamedTuple):
    """A column of a level."""

    name: str
    text: str


class Cell(NamedTuple):
    """Where a node's value and quality can be read from a level on."""

    value: str
    quality: str
    level: int


def quoted(text: str) -> str:
    """A literal; the only way in which a user's text enters SQL."""
    return "'" + text.replace("'", "''") + "'"
