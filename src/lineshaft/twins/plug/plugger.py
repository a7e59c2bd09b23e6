"""The plugger: keeps connections as descriptions of machines say, as far as an engineer agrees."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from lineshaft.core.access import SYSTEM, Action, Audit, Authorizer, Identity
from lineshaft.core.errors import Denied, Invalid, LineshaftError, Missing, Refused
from lineshaft.core.event import Event
from lineshaft.core.path import is_under
from lineshaft.records import Records
from lineshaft.spines import Spine
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.documents import Documents
from lineshaft.twins.plug import Binding, Bindings, Config, Connect, Interpreted, Mode
from lineshaft.twins.plug.applying import agreed, apply, lures, still_good, take_away
from lineshaft.twins.plug.hosts import strange
from lineshaft.twins.plug.kept import Plug, Plugs, State
from lineshaft.twins.plug.machines import Machines
from lineshaft.twins.sealing import Seal

log = logging.getLogger(__name__)

Hidden = Callable[[str], bool]
Hides = Callable[[Identity, Document], Hidden | None]
"""Which idShortPaths of a document are hidden from somebody who may read it; None for none."""
MayRead = Callable[[Identity, Document], bool]
"""Whether somebody may read a document, where rules of twins say more than the branch."""
SUBSCRIPTION = "plug"
EVENTS_MAX = 4096
"""Changes of twins that may wait; when more come, all descriptions are looked at again."""
PLAIN = frozenset({"username"})
"""What can be given for a table by who may not have secrets of this machine sent away."""
SECRETS = frozenset({"password", "token", "api_key"})
"""What is only taken as a reference to where it stands."""
NEWS = {
    State.PLUGGED: "plug.connected",
    State.WAITING: "plug.waiting",
    State.UNPLUGGED: "plug.disconnected",
}
"""Kind of the event for each state that is entered."""


class Plugger:
    """Watches the submodels, and connects what their descriptions ask for."""

    def __init__(  # noqa: PLR0913 - each is a neighbour
        self,
        config: Config,
        documents: Documents,
        records: Records,
        spine: Spine,
        connect: Connect,
        *,
        authorizer: Authorizer,
        audit: Audit,
        bindings: Bindings,
        may_read: MayRead | None = None,
        hides: Hides | None = None,
        seal: Seal | None = None,
    ) -> None:
        self._config = config
        self._documents = documents
        self._spine = spine
        self._connect, self._bindings = connect, bindings
        self._authorizer, self._audit = authorizer, audit
        self._may_read, self._hides = may_read, hides
        self.seal = seal or Seal()
        self._plugs = Plugs(records)
        self.machines = Machines(documents)
        self._turn = asyncio.Lock()
        self._lacking: dict[str, set[str]] = {}
        """Descriptions with a binding that could not be made, by the submodel it leads to."""

    # ---- watching

    async def run(self) -> None:
        """Follow every change of a submodel, until cancelled; at once done when it is off."""
        if self._config.plug is Mode.OFF:
            return
        async with self._spine.events("twin.>", name=SUBSCRIPTION, size_max=EVENTS_MAX) as events:
            await self.settle_all()
            dropped = self._dropped()
            async for event in events:
                if (now := self._dropped()) != dropped:
                    dropped = now
                    await self.settle_all()
                elif event.data.get("class") == Class.SUBMODEL.value:
                    await self._settle_of(str(event.data.get("id", "")))

    def _dropped(self) -> int:
        return sum(f.dropped for f in self._spine.flows() if f.name == SUBSCRIPTION)

    async def settle_all(self) -> None:
        """Bring everything to what the descriptions say now."""
        await self.machines.learn()
        known = {plug.submodel for plug in await self._plugs.all()}
        known |= {found.id async for found in self.machines.descriptions()}
        for submodel in sorted(known):
            await self._settled(submodel)

    async def _settle_of(self, submodel: str) -> None:
        """Bring to order what a changed submodel concerns."""
        concerned = await self.machines.concerned(submodel)
        for one in sorted({submodel, *concerned, *self._lacking.pop(submodel, ())}):
            await self._settled(one)

    async def _settled(self, submodel: str) -> None:
        """Settle one; what goes wrong with it stops no other."""
        try:
            await self.settle(submodel)
        except LineshaftError as error:
            log.warning("twin not plugged", extra={"submodel": submodel, "cause": str(error)})

    async def settle(self, submodel: str) -> None:
        """Bring the connections of one description to what it says now."""
        async with self._turn:
            plug = await self._plugs.get(submodel)
            found = await self.machines.description(submodel)
            if found is None:
                if plug is not None:
                    await self._forget(plug)
                return
            if plug is None:
                plug = Plug(submodel=submodel, state=State.PROPOSED)
                if self._config.plug is Mode.ASK:
                    # Where its points go is not kept yet: its shell may come after it.
                    await self._plugs.put(plug)
                    await self._tell(SYSTEM, "plug.proposed", await self.kept(found))
                    return
            await self._follow(plug, found)

    async def _follow(self, plug: Plug, found: Document) -> None:
        """Apply what changed, if that is covered by what was agreed."""
        automatic = self._config.plug is Mode.AUTO
        if plug.state is State.UNPLUGGED or (plug.state is State.PROPOSED and not automatic):
            return
        plug = plug if plug.at else await self.kept(found)
        wanted = await self.machines.interpreted(found, plug.at)
        hosts = self._config.plug_hosts
        known = not hosts or not strange(wanted, hosts)
        free = automatic and known and not lures(plug, wanted)
        if not free and not agreed(plug, wanted):
            if plug.state is not State.WAITING:
                waits = msgspec.structs.replace(plug, state=State.WAITING)
                await self._keep(SYSTEM, plug, waits)
            return
        await self._apply(SYSTEM, plug, found, wanted)

    async def _forget(self, plug: Plug) -> None:
        """Take away what came from a description that is gone."""
        await take_away(self._connect, SYSTEM, plug)
        if plug.bindings:
            await self._bindings.bind(SYSTEM, plug.submodel, ())
        await self._plugs.drop(plug.submodel)
        await self._tell(SYSTEM, "plug.removed", plug)

    # ---- what engineers do

    async def plug(
        self, who: Identity, submodel: str, *, at: str = "", given: Mapping[str, Json] | None = None
    ) -> Plug:
        """Agree to what a description asks for, and connect it.

        `given` has what a description cannot say, by name of the connection and field.

        Raises:
            Missing: there is no such description that `who` may see.
            Denied: `who` may not configure the branch, send secrets of this machine, have it
                connected to these addresses, or see all that would be agreed to.
            Invalid: the branch is none, or something is given that nobody asked for.
            Refused: plugging is off.
        """
        found = await self.seen(who, submodel)
        if self.hidden(who, found) is not None:
            raise Denied(
                f"parts of the description {submodel!r} are hidden from {who.name}",
                remedy="Ask somebody who may read all of it to agree to it.",
            )
        async with self._turn:
            plug = await self.kept(found)
            place = at or plug.at
            if not self._authorizer.allows(who, Action.CONFIGURE, place):
                raise Denied(
                    f"{who.name} may not connect machines at {place!r}",
                    remedy="Name a branch of yours, or ask an administrator to widen them.",
                )
            wanted = await self.machines.interpreted(found, place)
            self._check_hosts(who, wanted)
            fresh = _checked(who, wanted, given or {})
            # Secrets that an administrator gave are for the address that was agreed to then.
            kept = plug.given if Action.ADMINISTER in who.actions else still_good(plug, wanted)
            names = {w.table["name"] for w in wanted.wanted}
            both = {n: kept.get(n, {}) | fresh.get(n, {}) for n in names & {*kept, *fresh}}
            plug = msgspec.structs.replace(plug, at=place, given=both)
            return await self._apply(who, plug, found, wanted)

    def _check_hosts(self, who: Identity, wanted: Interpreted) -> None:
        """See that `who` may have these addresses connected to.

        A description was written by somebody else, and names addresses that the plant can reach
        and its writer cannot.

        Raises:
            Denied: one is not in the settings, and `who` may configure a part of the plant only.
        """
        if self._authorizer.allows(who, Action.CONFIGURE, ""):
            return
        if found := strange(wanted, self._config.plug_hosts):
            raise Denied(
                f"{who.name} may not have the plant connect to {', '.join(found)}",
                remedy="Ask somebody who may configure the whole plant to plug it, or to name the"
                " host in `plug_hosts` of [twins].",
            )

    async def unplug(self, who: Identity, submodel: str) -> Plug:
        """Take the connections and bindings of a description away; it is not connected again.

        Raises:
            Missing: there is no such description that `who` may see.
            Denied: `who` may not configure its branch.
        """
        await self.seen(who, submodel)
        async with self._turn:
            plug = await self._plugs.get(submodel)
            if plug is None:
                raise Missing(f"nothing is known of the description {submodel!r}")
            if not self._authorizer.allows(who, Action.CONFIGURE, plug.at):
                raise Denied(f"{who.name} may not disconnect machines at {plug.at!r}")
            gone = await take_away(self._connect, who, plug)
            if plug.bindings:
                await self._bindings.bind(who, submodel, ())
            gone = msgspec.structs.replace(
                gone, state=State.UNPLUGGED, given={}, sinks=(), bindings=()
            )
            await self._keep(who, plug, gone)
            return gone

    async def seen(self, who: Identity, submodel: str) -> Document:
        """The description, if `who` may see it.

        Raises:
            Missing: there is none, or `who` may not know of it.
            Refused: plugging is off.
        """
        if self._config.plug is Mode.OFF:
            raise Refused(
                "connecting machines by their descriptions is off",
                remedy='Set plug = "ask" in the settings table [twins].',
            )
        found = await self.machines.description(submodel)
        if found is None or not self.may_see(who, found):
            raise Missing(f"there is no interfaces description {submodel!r}")
        # News of a mapping that was written a moment ago may still be on its way.
        await self.machines.learn()
        return found

    def connected(self, name: str) -> bool:
        """Whether there is a connection of that name, up or not."""
        return self._connect.connected(name)

    def may_see(self, who: Identity, found: Document) -> bool:
        """Whether `who` may know of a description."""
        if self._may_read is not None:
            return self._may_read(who, found)
        return self._authorizer.allows(who, Action.LOOK, found.path)

    def hidden(self, who: Identity, found: Document) -> Hidden | None:
        """Which idShortPaths of a description are hidden from `who`; None for none."""
        return self._hides(who, found) if self._hides is not None else None

    async def sees(self, who: Identity, submodel: str, path: str) -> bool:
        """Whether `who` may know of an element of a submodel; of what is not there, anybody."""
        found = await self._documents.get(Class.SUBMODEL, submodel)
        if found is None:
            return True
        hidden = self.hidden(who, found) if self.may_see(who, found) else None
        return self.may_see(who, found) and not (hidden is not None and hidden(path))

    async def kept(self, found: Document) -> Plug:
        """What was decided about a description, or that nothing was."""
        plug = await self._plugs.get(found.id) or Plug(submodel=found.id, state=State.PROPOSED)
        if plug.at:
            return plug
        return msgspec.structs.replace(plug, at=await self.machines.place(found))

    # ---- the deed

    async def _apply(self, who: Identity, plug: Plug, found: Document, wanted: Interpreted) -> Plug:
        good, refused = await self._bindable(who, plug, found, wanted.bindings)
        names: dict[str, Json] = {w.table["name"]: {} for w in wanted.wanted}
        started = msgspec.structs.replace(plug, tables=names | plug.tables)
        if started != plug:
            # Kept before it is done: after a crash it is known what may have been connected.
            await self._plugs.put(started)
        after = await apply(self._connect, who, started, wanted)
        if good != plug.bindings:
            await self._bindings.bind(who, plug.submodel, good)
        after = msgspec.structs.replace(
            after,
            state=State.PLUGGED,
            problems=after.problems | refused,
            bindings=good,
            sinks=plug.sinks if who is SYSTEM else tuple(sorted({b.submodel for b in good})),
        )
        await self._keep(who, plug, after)
        return after

    async def _bindable(
        self, who: Identity, plug: Plug, found: Document, wanted: tuple[Binding, ...]
    ) -> tuple[tuple[Binding, ...], dict[str, str]]:
        """Bindings whose element exists and may be bound, and what is wrong with the others."""
        kin = await self.machines.kin(found)
        good: list[Binding] = []
        refused: dict[str, str] = {}
        for submodel in sorted({b.submodel for b in wanted}):
            bindings = [b for b in wanted if b.submodel == submodel]
            sink = await self._documents.get(Class.SUBMODEL, submodel)
            problem = ""
            if sink is None:
                problem = "there is no such submodel"
            elif who is SYSTEM and not _free(sink, found, plug, kin):
                problem = "it belongs to another shell: an engineer has to agree"
            elif not self._authorizer.allows(who, Action.CONFIGURE, sink.path):
                problem = f"{who.name} may not configure it"
            branch = sink.path if sink else ""
            there = await self.machines.paths(sink) if sink and not problem else frozenset()
            for binding in bindings:
                if binding.path in there:
                    good.append(msgspec.structs.replace(binding, branch=branch))
                else:
                    name = f"{submodel}#{binding.path}"
                    refused[name] = problem or f"there is no element {binding.path}"
                    self._lacking.setdefault(submodel, set()).add(found.id)
        return tuple(good), refused

    async def _keep(self, who: Identity, before: Plug | None, after: Plug) -> None:
        """Keep what has changed, and tell it once."""
        if before == after:
            return
        await self._plugs.put(after)
        kind = NEWS[after.state]
        if before and before.state is after.state is State.PLUGGED:
            kind = "plug.changed"
        await self._tell(who, kind, after)

    async def _tell(self, who: Identity, kind: str, plug: Plug) -> None:
        data: dict[str, Any] = {"submodel": plug.submodel, "connections": sorted(plug.tables)}
        if plug.problems:
            data["problems"] = plug.problems
        await self._audit.note(Event(kind=kind, path=plug.at, actor=who.name, data=data))


def _free(sink: Document, found: Document, plug: Plug, kin: frozenset[str]) -> bool:
    """Whether a submodel may be bound without asking: nobody sees more then than was agreed."""
    beside = sink.id in kin and sink.path == found.path
    if not beside and sink.id not in plug.sinks:
        return False
    known = any(b.submodel == sink.id and b.branch == sink.path for b in plug.bindings)
    return is_under(plug.at, sink.path) or known


def _checked(who: Identity, wanted: Interpreted, given: Mapping[str, Json]) -> dict[str, Json]:
    """What is given, once it is seen that it was asked for and that `who` may give it."""
    needs = {w.table["name"]: w.needs for w in wanted.wanted}
    for name, fields in given.items():
        strange = sorted(fields.keys() - set(needs.get(name, ())))
        if name not in needs or strange:
            raise Invalid(
                f"{name!r} is given {strange or sorted(fields)}, wanted:"
                f" {', '.join(needs.get(name, ())) or f'one of {sorted(needs)}'}",
                remedy="Give only what the proposal says is needed.",
            )
        plain = [f for f in SECRETS & fields.keys() if not isinstance(fields[f], dict)]
        if plain:
            raise Invalid(
                f"{name!r}: {plain[0]} is given as text, and what is given is kept",
                remedy='Give it as { "env": "NAME" } or { "file": "path" }.',
            )
        if fields.keys() - PLAIN and Action.ADMINISTER not in who.actions:
            # It would be sent to whatever address the description names.
            raise Denied(
                f"{who.name} may not have a secret of this machine sent to a device",
                remedy="Ask an administrator to plug it.",
            )
    return {name: dict(fields) for name, fields in given.items()}
