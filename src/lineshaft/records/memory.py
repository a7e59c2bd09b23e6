"""Records kept in memory, for tests and trials: they are gone when the process ends."""

import operator
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cmp_to_key
from typing import Any

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.event import Event
from lineshaft.core.path import is_under
from lineshaft.core.settings import Settings
from lineshaft.records import (
    And,
    Append,
    Cell,
    Change,
    Collection,
    Compare,
    Contains,
    Delete,
    In,
    IsNull,
    Logged,
    Not,
    Or,
    Page,
    Predicate,
    Prefix,
    Put,
    Record,
    Records,
    Some,
    Suffix,
)
from lineshaft.records import _rules as rules

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
LOWER = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}
"""ASCII letters alone, as the contract says and sqlite does."""


class _Kept(msgspec.Struct, frozen=True):
    """A document with its index rows; each row also holds the key."""

    record: Record
    rows: list[dict[str, Cell]]


class Memory(Records):
    """Documents in a dictionary, events in a list."""

    class Config(Settings, frozen=True):
        """What the settings table may say: nothing."""

    example = """
        [records]
        kind = "memory"
    """

    def __init__(self, name: str, config: Settings) -> None:
        super().__init__(name, config)
        self._collections: dict[str, Collection] = {}
        self._kept: dict[str, dict[str, _Kept]] = {}
        self._log: list[Logged] = []

    @asynccontextmanager
    async def opened(self, collections: Sequence[Collection]) -> AsyncGenerator[None]:
        self._collections = {c.name: rules.check_collection(c) for c in collections}
        for name in self._collections:
            self._kept.setdefault(name, {})
        yield
        self._collections = {}

    async def get(self, collection: str, key: str) -> Record | None:
        rules.collection_named(self._collections, collection)
        kept = self._kept[collection].get(key)
        return kept.record if kept else None

    async def find(
        self,
        collection: str,
        where: Predicate | None = None,
        *,
        order: Sequence[str] = ("key",),
        cursor: str = "",
        limit: int = 100,
    ) -> Page:
        declared = rules.collection_named(self._collections, collection)
        rules.check_limit(limit)
        if where is not None:
            rules.check_predicate(declared, where)
        columns = rules.check_order(declared, order)

        def compare(left: Mapping[str, Cell], right: Mapping[str, Cell]) -> int:
            return rules.before(columns, right, left) - rules.before(columns, left, right)

        rank = cmp_to_key(compare)
        firsts = []
        for kept in self._kept[collection].values():
            fitting = [r for r in kept.rows if where is None or fits(where, r, kept.rows)]
            if fitting:
                firsts.append(min(fitting, key=rank))
        firsts.sort(key=rank)
        if cursor:
            place = rules.read_cursor(declared, columns, cursor)
            last = dict(zip([name for name, _ in columns], place, strict=True))
            firsts = [r for r in firsts if rules.before(columns, last, r)]
        page = firsts[:limit]
        more = len(firsts) > limit
        return Page(
            records=tuple(self._kept[collection][str(r["key"])].record for r in page),
            cursor=rules.write_cursor(columns, [page[-1][n] for n, _ in columns]) if more else "",
        )

    async def commit(self, *changes: Change) -> list[int]:
        # Everything is done on the side first, so that a change that fails leaves nothing.
        staged: dict[tuple[str, str], _Kept | None] = {}
        log: list[Logged] = []
        done = []
        for change in changes:
            match change:
                case Append(event=event):
                    before = log or self._log
                    log.append(_after(before[-1] if before else None, event))
                    done.append(log[-1].seq)
                case Put() | Delete():
                    kept = self._changed(change, staged)
                    staged[change.collection, change.key] = kept
                    done.append(kept.record.version if kept else 0)
        for (collection, key), after in staged.items():
            if after is None:
                self._kept[collection].pop(key, None)
            else:
                self._kept[collection][key] = after
        self._log += log
        return done

    def _changed(
        self, change: Put | Delete, staged: Mapping[tuple[str, str], _Kept | None]
    ) -> _Kept | None:
        """What stands there after the change."""
        declared = rules.collection_named(self._collections, change.collection)
        place = change.collection, change.key
        now = staged[place] if place in staged else self._kept[place[0]].get(place[1])
        version = now.record.version if now else 0
        rules.check_version(change, version)
        if isinstance(change, Delete):
            return None
        key: dict[str, Cell] = {"key": change.key}
        rows = [key | r for r in rules.check_rows(declared, change)]
        return _Kept(Record(key=change.key, version=version + 1, data=change.data), rows)

    async def events(  # noqa: PLR0913 - the contract's
        self,
        *,
        after: int = 0,
        before: int | None = None,
        kind: str = "",
        path: str = "",
        actor: str = "",
        newest_first: bool = False,
        limit: int = 100,
    ) -> list[Logged]:
        rules.check_limit(limit)
        stop = len(self._log) if before is None else max(before - 1, 0)
        span = self._log[max(after, 0) : stop]
        found = [
            e
            for e in (reversed(span) if newest_first else span)
            if (not kind or e.event.kind == kind or e.event.kind.startswith(kind + "."))
            and is_under(e.event.path, path)
            and (not actor or e.event.actor == actor)
        ]
        return found[:limit]

    async def verify(self) -> int:
        last: Logged | None = None
        for logged in self._log:
            if logged != _after(last, logged.event):
                raise Invalid(f"event {logged.seq} is not what was written")
            last = logged
        return len(self._log)


def _after(last: Logged | None, event: Event) -> Logged:
    body = rules.canonical(event)
    seq, previous = (last.seq + 1, last.hash) if last else (1, rules.FIRST_HASH)
    kept = msgspec.json.decode(body, type=Event)
    return Logged(seq=seq, event=kept, hash=rules.chained(previous, body))


def fits(  # noqa: PLR0911 - one a case
    where: Predicate, row: Mapping[str, Cell], rows: Sequence[Mapping[str, Cell]]
) -> bool:
    """Whether an index row, one of the document's `rows`, fits a predicate."""
    match where:
        case Compare(column=name, op=op, value=wanted):
            value = row[name]
            return value is not None and COMPARE[op](value, wanted)
        case In(column=name, values=values):
            return row[name] is not None and row[name] in values
        case Prefix() | Suffix() | Contains():
            return isinstance(value := row[where.column], str) and _text_fits(where, value)
        case IsNull(column=name):
            return row[name] is None
        case And(parts=parts):
            return all(fits(p, row, rows) for p in parts)
        case Or(parts=parts):
            return any(fits(p, row, rows) for p in parts)
        case Not(part=part):
            return not fits(part, row, rows)
        case Some(part=part):
            return any(fits(part, other, rows) for other in rows)


def _text_fits(where: Prefix | Suffix | Contains, value: str) -> bool:
    match where:
        case Prefix(text=text):
            return value.startswith(text)
        case Suffix(text=text):
            return value.endswith(text)
        case Contains(text=text):
            return text.translate(LOWER) in value.translate(LOWER)
