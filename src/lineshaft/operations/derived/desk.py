"""Derived points that people define: in the settings file, or at run time.

Who may look at a derived point may see how it is made. To define one takes the right to configure
its path, and to look at everything that it reads.
"""

import asyncio
import logging
from collections.abc import Sequence

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.errors import Denied, Invalid, LineshaftError, Missing
from lineshaft.core.event import Event
from lineshaft.core.path import check_path
from lineshaft.core.point import Point
from lineshaft.operations.derived.bank import reads
from lineshaft.operations.derived.definition import Definition, check_definition
from lineshaft.operations.derived.engine import Engine
from lineshaft.operations.derived.marks import DERIVED, everything
from lineshaft.operations.derived.settings import Derived
from lineshaft.operations.derived.state import State
from lineshaft.operations.derived.trial import Checked, Preview, checked, preview
from lineshaft.records import Append, Change, Delete, Put, Records
from lineshaft.spines import Spine
from lineshaft.stores import Store

log = logging.getLogger(__name__)

OWNER = "derived"
DERIVED_MAX = 20_000
"""Derived points that people may define."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A derived point as people see it."""

    definition: Definition
    owner: str
    """`derived`, or the part of operations that has it calculated."""
    in_file: bool
    """Whether it stands in the settings file, where alone it can be changed."""
    state: State


class DerivedDesk:
    """All derived points that people have to do with."""

    def __init__(
        self, engine: Engine, store: Store, records: Records, spine: Spine, authorizer: Authorizer
    ) -> None:
        self._engine, self._store, self._records = engine, store, records
        self._spine, self._authorizer = spine, authorizer
        self._made: dict[str, Derived] = {}
        self._in_file: dict[str, Derived] = {}
        self._turn = asyncio.Lock()

    # ---- life

    async def start(self, in_file: Sequence[Derived]) -> None:
        """Know those of the file and of the records.

        Raises:
            Invalid: one cannot be, or stands twice.
        """
        async for point, data in everything(self._records, DERIVED.name):
            self._made[point] = msgspec.json.decode(data, type=Derived)
        await self.reload(in_file)

    async def reload(self, in_file: Sequence[Derived]) -> None:
        """Take those of the file as they are now; what did not change goes on.

        Raises:
            Invalid: one cannot be, or stands twice; nothing has changed then.
        """
        async with self._turn:
            twice = [d.point for d in in_file if d.point in self._made]
            if twice:
                raise Invalid(
                    f"derived point {twice[0]!r} stands in the file and was made at run time",
                    remedy="Take it out of the file, or remove the other one.",
                )
            await self._put([*in_file, *self._made.values()])
            self._in_file = {d.point: d for d in in_file}

    async def _put(self, every: Sequence[Derived], *changes: Change) -> None:
        await self._engine.put(OWNER, [d.definition() for d in every], *changes)

    # ---- looking

    def views(self, who: Identity) -> list[View]:
        """Those that the caller may see, by path."""
        found = [
            self._view(owner, definition)
            for owner, definition in self._engine.owned()
            if not definition.hidden and self._sees(who, definition.point)
        ]
        return sorted(found, key=lambda v: v.definition.point)

    def view(self, who: Identity, point: str) -> View:
        """One of them.

        Raises:
            Missing: there is none, or it is not for this identity to know.
        """
        for owner, definition in self._engine.owned():
            if definition.point == point and not definition.hidden and self._sees(who, point):
                return self._view(owner, definition)
        raise Missing(
            f"there is no derived point {point!r}", remedy="List them with GET /api/v1/derived."
        )

    def _view(self, owner: str, definition: Definition) -> View:
        state = self._engine.state(definition.point)
        assert state is not None  # noqa: S101 - the engine has all that it owns
        in_file = definition.point in self._in_file
        return View(definition=definition, owner=owner, in_file=in_file, state=state)

    def _sees(self, who: Identity, path: str) -> bool:
        return self._authorizer.allows(who, Action.LOOK, path)

    # ---- trying

    def check(self, who: Identity, derived: Derived) -> Checked:
        """What it would be, or what is wrong with it."""
        return checked(derived.definition(), lambda path: self._seen(who, path))

    async def preview(
        self, who: Identity, derived: Derived, start_ns: int, stop_ns: int
    ) -> Preview:
        """What it would have been in a span; nothing is kept.

        Raises:
            Invalid: it cannot be compiled, or the span holds too much.
        """

        def find(path: str) -> Point | None:
            return self._seen(who, path)

        return await preview(self._store, derived.definition(), find, start_ns, stop_ns)

    def _seen(self, who: Identity, path: str) -> Point | None:
        return self._engine.find(path) if self._sees(who, path) else None

    # ---- defining

    async def define(self, who: Identity, derived: Derived) -> View:
        """Add one, or change one that was made at run time.

        Raises:
            Invalid: it cannot be, reads what is not for this identity to know, or stands in the
                settings file.
            Denied: the identity may not configure that branch.
        """
        check_path(derived.point)
        self._check_configure(who, derived.point)
        if derived.point in self._in_file:
            raise Invalid(
                f"derived point {derived.point!r} stands in the settings file",
                remedy="Change it there, then reload.",
            )
        self._check_inputs(who, derived)
        async with self._turn:
            made = {**self._made, derived.point: derived}
            if len(made) > DERIVED_MAX:
                raise Invalid(f"there are {DERIVED_MAX} derived points already")
            data = {"definition": msgspec.to_builtins(derived)}
            event = Event(kind="derived.defined", path=derived.point, actor=who.name, data=data)
            put = Put(collection=DERIVED.name, key=derived.point, data=msgspec.json.encode(derived))
            await self._put([*self._in_file.values(), *made.values()], put, Append(event=event))
            self._made = made
        await self._tell(event)
        return self.view(who, derived.point)

    def _check_inputs(self, who: Identity, derived: Derived) -> None:
        definition = check_definition(derived.definition())
        hidden = [p for p in reads(definition) if not self._sees(who, p)]
        if hidden:
            raise Invalid(
                f"{derived.point}: there is no point {hidden[0]!r}",
                remedy="Find its path with GET /api/v1/points.",
            )
        found = self.check(who, derived)
        if found.wrong is not None:
            raise Invalid(f"{derived.point}: {found.wrong.message}", remedy=found.wrong.remedy)

    async def remove(self, who: Identity, point: str) -> None:
        """Take away one that was made at run time; its rows stay.

        Raises:
            Missing: there is none.
            Invalid: it stands in the settings file.
            Denied: the identity may not configure that branch.
        """
        view = self.view(who, point)
        self._check_configure(who, point)
        if point not in self._made:
            where = "stands in the settings file" if view.in_file else f"belongs to {view.owner}"
            raise Invalid(
                f"derived point {point!r} {where}", remedy="Take it out there, then reload."
            )
        async with self._turn:
            made = {p: d for p, d in self._made.items() if p != point}
            event = Event(kind="derived.removed", path=point, actor=who.name)
            gone = Delete(collection=DERIVED.name, key=point)
            await self._put([*self._in_file.values(), *made.values()], gone, Append(event=event))
            self._made = made
        await self._tell(event)

    async def recompute(
        self, who: Identity, point: str, start_ns: int | None, stop_ns: int
    ) -> View:
        """Have the rows of a span computed again; None begins where it was first defined.

        Raises:
            Missing: there is none.
            Denied: the identity may not configure that branch.
            Invalid: it lacks something.
        """
        self.view(who, point)
        self._check_configure(who, point)
        data = {"start_ns": start_ns, "stop_ns": stop_ns}
        event = Event(kind="derived.recomputed", path=point, actor=who.name, data=data)
        await self._engine.recompute(point, start_ns, stop_ns, Append(event=event))
        await self._tell(event)
        return self.view(who, point)

    def _check_configure(self, who: Identity, path: str) -> None:
        if not self._authorizer.allows(who, Action.CONFIGURE, path):
            raise Denied(f"{who.name} may not define derived points of {path}")

    async def _tell(self, event: Event) -> None:
        try:
            await self._spine.announce(event)
        except LineshaftError as error:
            log.warning("event not announced", extra={"kind": event.kind, "cause": str(error)})
