"""Which element shows which point: in memory for reading, in the records for what people bound."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.event import Event
from lineshaft.core.path import is_under
from lineshaft.records import Append, Change, Collection, Delete, Put, Records
from lineshaft.twins.documents import Announce
from lineshaft.twins.plug import Binding
from lineshaft.twins.plug.scripts import Formula, read_formula

COLLECTION = Collection(name="twin_bindings")
"""Bindings by the description that they come from."""


class Script(NamedTuple):
    """What works out the value of an element; elements of one script share its formula."""

    formula: Formula
    inputs: tuple[tuple[str, str], ...]
    """SourceIds with their points."""
    sink: str


class Bindings:
    """Bindings of elements to points; what was generated is not kept, since it comes again."""

    def __init__(self, records: Records, announce: Announce) -> None:
        self._records, self._announce = records, announce
        self._kept: dict[str, tuple[Binding, ...]] = {}
        self._generated: dict[str, Mapping[str, str]] = {}
        self._of: dict[str, dict[str, str]] = {}
        self._scripts: dict[str, dict[str, Script]] = {}
        self._branches: dict[str, dict[str, str | None]] = {}
        """Where each submodel stood when its elements were bound, by idShortPath."""

    async def load(self) -> None:
        """Know what the records know."""
        cursor = ""
        while True:
            page = await self._records.find(COLLECTION.name, cursor=cursor, limit=500)
            for record in page.records:
                self._kept[record.key] = msgspec.json.decode(record.data, type=tuple[Binding, ...])
            cursor = page.cursor
            if not cursor:
                break
        self._sort()

    def of(self, submodel: str) -> Mapping[str, str]:
        """The point of each bound element of a submodel, by idShortPath."""
        return self._of.get(submodel) or self._generated.get(submodel) or {}

    def shown(self, submodel: str, branch: str) -> Mapping[str, str]:
        """As `of`, for a submodel that stands at the branch.

        A point of another branch is shown where an engineer had it shown and nowhere else: an
        identifier alone, taken by somebody else before or after, gives nobody its values.
        """
        bound, branches = self.of(submodel), self._branches.get(submodel, {})
        return {
            at: point
            for at, point in bound.items()
            if is_under(point, branch) or branches.get(at) == branch
        }

    def scripts(self, submodel: str, branch: str) -> Mapping[str, Script]:
        """The script of each element whose value is worked out, as `shown` shows points."""
        branches = self._branches.get(submodel, {})
        return {
            at: script
            for at, script in self._scripts.get(submodel, {}).items()
            if branches.get(at) == branch or all(is_under(p, branch) for _, p in script.inputs)
        }

    def kept(self, source: str) -> tuple[Binding, ...]:
        """The bindings that came from `source`."""
        return self._kept.get(source, ())

    def generated(self, submodel: str, bound: Mapping[str, str]) -> None:
        """Bind what was generated; what people bound in that submodel goes before it."""
        self._generated[submodel] = bound
        if submodel in self._of:
            self._sort()

    async def bind(self, who: Identity, source: str, bindings: tuple[Binding, ...]) -> None:
        """Keep these bindings in the place of all that came from `source`; none takes them away.

        Raises:
            Unavailable: the records cannot be written now.
        """
        event = Event(
            kind="twin.bound",
            actor=who.name,
            data={"source": source, "bindings": len(bindings)},
        )
        change: Change = Put(
            collection=COLLECTION.name, key=source, data=msgspec.json.encode(bindings)
        )
        if not bindings:
            change = Delete(collection=COLLECTION.name, key=source)
        await self._records.commit(change, Append(event=event))
        self._kept.pop(source, None)
        if bindings:
            self._kept[source] = bindings
        self._sort()
        await self._announce(event)

    def _sort(self) -> None:
        self._of, self._branches, self._scripts = {}, {}, {}
        read: dict[str, Formula] = {}
        for bindings in self._kept.values():
            for b in bindings:
                self._branches.setdefault(b.submodel, {})[b.path] = b.branch
                if b.script:
                    if b.script not in read:
                        read[b.script] = read_formula(b.script)
                    script = Script(read[b.script], b.inputs, b.sink)
                    self._scripts.setdefault(b.submodel, {})[b.path] = script
                    continue
                start = dict(self._generated.get(b.submodel, {}))
                self._of.setdefault(b.submodel, start)[b.path] = b.point
