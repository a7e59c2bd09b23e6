"""The search for documents in order of their keys: which of the ways to them is short.

Where an index of rows names few, their documents are put in order; what other indexes name is
met with them first, where that costs less than to look into each. Where all name many, the
documents are likely to stand close together, and documents are walked from the cursor on. Should
they not turn up there, all that an index names are put in order after all.
"""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from lineshaft.records import Cell, Predicate, Some
from lineshaft.records import Collection as Declared
from lineshaft.records.sqlite import queries

FEW = 200
"""Rows that each index is asked for first; then ten times as many, up to the most."""
WORTH = 4
"""Rows of another index that may be read for each document that is known, to lose some of these."""
MANY = 10_000
"""Rows that an index may name to be put in order at once."""
MOST = 1_000_000
"""Rows that an index may name to be put in order after a walk in vain."""
WALK_MAX = 20_000
"""Documents walked before another way is tried."""


def by_key(
    db: sqlite3.Connection,
    rows: queries.Rows,
    where: Predicate | None,
    place: Cell,
    *,
    falling: bool,
    limit: int,
) -> list[tuple[Any, ...]]:
    """Key, version, data and key of the first documents after `place` that fit."""
    parts = queries.conjuncts(queries.of_document(where)) if where is not None else []
    # Of a part that asks little, the index alone often has the answer.
    indexed = sorted(
        (p for p in parts if isinstance(p, Some) and rows.indexed(p.part)),
        key=lambda p: len(queries.conjuncts(p.part)),
    )

    def ask(
        among: Collection[int] | None, known: Sequence[Some] = (), end: Cell = None
    ) -> list[tuple[Any, ...]]:
        others = [p for p in parts if not any(p is k for k in known)]
        listed = None if among is None else msgspec.json.encode(list(among)).decode()
        sql, values = queries.by_key_sql(
            rows, others, place, falling=falling, among=listed, end=end
        )
        return db.execute(sql, (*values, limit)).fetchall()

    if not indexed:
        return ask(None)
    few, known = _narrow(db, rows, indexed, FEW, MANY)
    if few is not None:
        return ask(few, known)
    end = _end(db, rows.collection, place, falling=falling)
    found = ask(None, end=end)
    if len(found) == limit or end is None:
        return found
    many, known = _narrow(db, rows, indexed, MANY * 10, MOST)
    return ask(many, known)


def _narrow(
    db: sqlite3.Connection, rows: queries.Rows, indexed: Sequence[Some], least: int, most: int
) -> tuple[set[int] | None, list[Some]]:
    """Documents that fit the parts that come second; None when each part names too many rows."""
    limit = least
    while True:
        for part in indexed:
            among = _named(db, rows, part, limit)
            if among is not None:
                return _met(db, rows, among, indexed, part)
        if limit >= most:
            return None, []
        limit = min(10 * limit + 10, most)


def _met(
    db: sqlite3.Connection, rows: queries.Rows, among: set[int], indexed: Sequence[Some], by: Some
) -> tuple[set[int], list[Some]]:
    """Those of the documents that fit the part `by` that also fit others, and these parts."""
    known = [by]
    for part in indexed:
        if part is by:
            continue
        also = _named(db, rows, part, WORTH * len(among))
        if also is not None:
            among = among & also
            known.append(part)
    return among, known


def _named(db: sqlite3.Connection, rows: queries.Rows, part: Some, limit: int) -> set[int] | None:
    """Documents with a row that fits; None when there are more such rows than `limit`."""
    sql, values = queries.narrow_sql(rows, part.part, limit + 1)
    found = [doc for (doc,) in db.execute(sql, values)]
    return set(found) if len(found) <= limit else None


def _end(db: sqlite3.Connection, collection: Declared, place: Cell, *, falling: bool) -> Cell:
    """Key at which a walk from `place` ends; None when it comes to the end of all documents."""
    sql, values = queries.end_sql(collection, place, falling=falling)
    found = db.execute(sql, (*values, WALK_MAX)).fetchone()
    return str(found[0]) if found else None
