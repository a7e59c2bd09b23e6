"""A Parquet footer cut into its row groups, so that reading one does not take parsing them all.

A footer is one Thrift struct in the compact protocol; its fourth field is the list of row groups.
A footer with a single one of them in that list is a valid footer too, since a row group says by
itself where in the file its columns are.
"""

import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import Ints

MAGIC = b"PAR1"
LENGTH = struct.Struct("<I")
TAIL = LENGTH.size + len(MAGIC)
"""Bytes behind the footer: its length, and the magic word."""
ROW_GROUPS = 4
"""Field of the footer that lists the row groups."""
BINARY, SHORTEST_BINARY = 8, 7
LIST, SET, STRUCT = 9, 10, 12
LONG = 15
"""Length of a list that stands behind its head, since it does not fit into it."""
MORE = 128
"""Bit of a byte that says that the number goes on."""
LIST_OF_ONE_STRUCT = bytes([1 << 4 | STRUCT])
FIXED = {1: 0, 2: 0, 3: 1, SHORTEST_BINARY: 8}
"""Bytes that a field of this type takes: true, false, byte, double."""


def cut(footer: bytes) -> Ints:
    """Where the list of row groups begins, each row group in it, and what stands behind them.

    Raises:
        ValueError: this is no footer.
    """
    at = field = 0
    try:
        while True:
            head = footer[at]
            at += 1
            if not head:
                raise ValueError("the footer lists no row groups")
            if head >> 4:
                field += head >> 4
            else:
                number, at = _varint(footer, at)
                field = number >> 1
            if field == ROW_GROUPS:
                return _groups(footer, at)
            at = _skip(footer, at, head & 15)
    except IndexError:
        raise ValueError("the footer is too short") from None


def _groups(footer: bytes, at: int) -> Ints:
    cuts = [at]
    number, _, at = _list_head(footer, at)
    for _ in range(number):
        cuts.append(at)
        at = _skip(footer, at, STRUCT)
    return np.array([*cuts, at], dtype=np.int64)


def _list_head(data: bytes, at: int) -> tuple[int, int, int]:
    """How many items a list has, of which type, and where the first is."""
    head = data[at]
    number, at = (head >> 4, at + 1) if head >> 4 != LONG else _varint(data, at + 1)
    return number, head & 15, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < MORE:
            return value, at


def _skip(data: bytes, at: int, kind: int) -> int:
    """Where a value of this type ends."""
    if kind in FIXED:
        return at + FIXED[kind]
    if kind == BINARY:
        size, at = _varint(data, at)
        return at + size
    if kind in (LIST, SET):
        return _skip_list(data, at)
    if kind != STRUCT:
        return _varint(data, at)[1]
    while data[at]:
        head = data[at]
        at += 1
        if not head >> 4:
            at = _varint(data, at)[1]
        at = _skip(data, at, head & 15)
    return at + 1


def _skip_list(data: bytes, at: int) -> int:
    number, kind, at = _list_head(data, at)
    if kind in (1, 2):
        # In a list, unlike in a field, a truth value takes a byte.
        return at + number
    for _ in range(number):
        at = _skip(data, at, kind)
    return at


def of_one(head: bytes, group: bytes, rest: bytes) -> pq.FileMetaData:
    """The footer with one row group; `head` and `rest` are what stands around the list."""
    thrift = b"".join((head, LIST_OF_ONE_STRUCT, group, rest))
    whole = b"".join((MAGIC, thrift, LENGTH.pack(len(thrift)), MAGIC))
    return pq.read_metadata(pa.BufferReader(whole))
