"""The search for documents in order of their keys: which of the ways to them is short.

Where an index of rows names few, their documents are put in order. Where it names many, they are
likely to stand close together, and documents are walked from the cursor on. Should they not turn up
there, all that the index names are put in order after all.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from lineshaft.records import Cell, Collection, Predicate, Some
from lineshaft.records.sqlite import queries

FEW = 200
"""Rows so few that no other index needs to be asked."""
MANY = 10_000
"""Rows that an index may name to be put in order at once."""
MOST = 1_000_000
"""Rows that an index may name to be put in order after a walk in vain."""
WALK_MAX = 20_000
"""Documents walked before another way is tried."""


def by_key(
    db: sqlite3.Connection,
    collection: Collection,
    where: Predicate | None,
    place: Cell,
    *,
    falling: bool,
    limit: int,
) -> list[tuple[Any, ...]]:
    """Key, version, data and key of the first documents after `place` that fit."""
    parts = queries.conjuncts(queries.of_document(where)) if where is not None else []
    rows = queries.Rows(collection)
    indexed = [p for p in parts if isinstance(p, Some) and rows.indexed(p.part)]

    def ask(
        among: Sequence[int] | None, known: Predicate | None = None, end: Cell = None
    ) -> list[tuple[Any, ...]]:
        others = [p for p in parts if p is not known]
        listed = None if among is None else msgspec.json.encode(list(set(among))).decode()
        sql, values = queries.by_key_sql(
            collection, others, place, falling=falling, among=listed, end=end
        )
        return db.execute(sql, (*values, limit)).fetchall()

    if not indexed:
        return ask(None)
    few, known = _narrow(db, collection, indexed, MANY)
    if few is not None:
        return ask(few, known)
    end = _end(db, collection, place, falling=falling)
    found = ask(None, end=end)
    if len(found) == limit or end is None:
        return found
    many, known = _narrow(db, collection, indexed, MOST)
    return ask(many, known)


def _narrow(
    db: sqlite3.Connection, collection: Collection, indexed: Sequence[Some], most: int
) -> tuple[list[int] | None, Some | None]:
    """Documents of the part whose index names the fewest rows; None when all name too many."""
    best: list[int] | None = None
    known = None
    fewest = most + 1
    for part in indexed:
        if fewest <= FEW:
            break
        sql, values = queries.narrow_sql(collection, part.part, fewest)
        docs = [doc for (doc,) in db.execute(sql, values)]
        if len(docs) < fewest:
            fewest, best, known = len(docs), docs, part
    return best, known


def _end(db: sqlite3.Connection, collection: Collection, place: Cell, *, falling: bool) -> Cell:
    """Key at which a walk from `place` ends; None when it comes to the end of all documents."""
    sql, values = queries.end_sql(collection, place, falling=falling)
    found = db.execute(sql, (*values, WALK_MAX)).fetchone()
    return str(found[0]) if found else None
