"""Decisions: what somebody may do, to one document and to all of a class at once."""

import asyncio
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Denied, Missing, Stale
from lineshaft.core.event import Event
from lineshaft.records import (
    And,
    Append,
    Compare,
    Or,
    Predicate,
    Prefix,
    Put,
    Records,
    Some,
)
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import ACTIONS, COLLECTION, Right
from lineshaft.twins.access.remembering import LARGE_BYTES, Remembered
from lineshaft.twins.access.rules import Object, Rule, parse_rules
from lineshaft.twins.access.showing import (
    Active,
    covers,
    filters_of,
    fulfils,
    holds_for,
    seen_paths,
    shows,
    with_asset_ids,
)
from lineshaft.twins.access.subjects import attributes
from lineshaft.twins.documents import Announce, tell
from lineshaft.twins.model.paths import parse_path
from lineshaft.twins.query.expressions import ALL_CLASSES, fields_of, parse_condition
from lineshaft.twins.query.fields import ROOTS
from lineshaft.twins.query.narrowing import EVERY, NONE, Narrowing, narrowed, within
from lineshaft.twins.query.searching import Scope

T = TypeVar("T")

KEY = "rules"
IDENTITIES_MAX = 256
"""Identities whose rules are kept ready."""


class _Ruled:
    """The rules in force, with what they come to for those who asked last.

    Decisions are made on several threads, so one object is put in the place of the other: what
    was made from old rules is never found beside new ones.
    """

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self.timely = any(rule.timely for rule in rules)
        self.ready: dict[Identity, tuple[Active, ...]] = {}
        self.remembered = Remembered()


class Access:
    """Decides by roles and branches and, once there are rules, by these too."""

    def __init__(
        self,
        records: Records,
        authorizer: Authorizer,
        *,
        announce: Announce | None = None,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._records = records
        self._authorizer = authorizer
        self._announce = announce
        self._clock = clock
        self._now: _Ruled | None = None
        """None as long as there are no rules at all; of an empty set, nothing is allowed."""
        self._version = 0
        self._given: Json = {}

    # ---- the rules

    async def load(self) -> None:
        """Read the rules from the records.

        Raises:
            Invalid: they were kept by a program that knew more.
        """
        record = await self._records.get(COLLECTION.name, KEY)
        if record is not None:
            self._given = msgspec.json.decode(record.data)
            self._now = _Ruled(parse_rules(self._given)) if self._given != {} else None
            self._version = record.version

    @property
    def rules(self) -> tuple[Json, int]:
        """The rules as they were sent, and their version; empty and 0 when there are none."""
        return self._given, self._version

    @property
    def is_ruled(self) -> bool:
        """Whether there are rules at all; without, whoever may read a document reads all of it."""
        return self._now is not None

    async def replace(self, who: Identity, rules: Json, *, if_match: str = "") -> int:
        """Put these rules in the place of all others; `{}` takes all away. Gives their version.

        Raises:
            Denied: only administrators may.
            Stale: the rules have not the version that `if_match` names.
            Invalid: they are not of the model, or say what cannot be enforced.
            Unavailable: the records cannot be written now.
        """
        if Action.ADMINISTER not in who.actions or "" not in who.branches:
            raise Denied(
                f"{who.name} may not change access rules",
                remedy="Ask an administrator of the whole namespace.",
            )
        if if_match.strip().strip('"') not in ("", "*", str(self._version)):
            raise Stale(
                f"access rules have version {self._version}, If-Match says {if_match[:40]}",
                remedy="Read them again and make the change on what they are now.",
            )
        now = _Ruled(parse_rules(rules)) if rules != {} else None
        # Brought to its end even when the caller goes away: what is kept must be in force.
        return await asyncio.shield(self._replace(who, rules, now))

    async def _replace(self, who: Identity, rules: Json, now: _Ruled | None) -> int:
        count = len(now.rules) if now else 0
        data = {"version": self._version + 1, "rules": count, "before": self._version}
        event = Event(kind="twin.rules", actor=who.name, data=data, time_ns=self._clock())
        put = Put(
            collection=COLLECTION.name,
            key=KEY,
            data=msgspec.json.encode(rules),
            expected=self._version,
        )
        version, _ = await self._records.commit(put, Append(event=event))
        self._now, self._given, self._version = now, rules, version
        await tell(self._announce, event)
        return version

    # ---- decisions

    def allows(
        self,
        who: Identity,
        right: Right,
        class_: Class,
        doc: Document,
        path: str,
        element: str = "",
    ) -> bool:
        """Whether it is allowed on the document, or on its element at the idShortPath.

        `path` is the branch of the document's asset. A document may be read when at least one
        of its elements may; what `hides` names is left out then.
        """
        if self._now is None:
            return self._authorizer.allows(who, ACTIONS[right], path)
        if self._may_all(who):
            return True
        if not self._within(who, right, path):
            return False
        steps = parse_path(element) if element else ()
        reads = right in (Right.READ, Right.VIEW)
        return any(
            covers(o, steps) or (not steps and reads)
            for active, o in self._fitting(who, right, doc)
            # What is not there may be made, and is nothing to be told of.
            if not steps or shows(active, doc, element, makes=not reads)
        )

    def allows_gone(self, who: Identity, gone: Document, element: str = "") -> bool:
        """Whether somebody may be told of a document that is there no more, or of its element.

        A rule that looks into documents says nothing of one that is gone.
        """
        if self._now is None or self._may_all(who):
            return self.allows(who, Right.READ, gone.class_, gone, gone.path)
        steps = parse_path(element) if element else ()
        return self._within(who, Right.READ, gone.path) and any(
            not steps or (covers(o, steps) and not filters_of(active, "$sme"))
            for active, o in self._fitting(who, Right.READ, gone)
            if next(iter(fields_of(active.formula)), None) is None
        )

    def predicate(self, who: Identity, right: Right, class_: Class) -> Predicate | None:
        """Documents on which it is allowed; None for all.

        Never one too many. Where a rule's formula is beyond the index, what only that rule
        allows is missing; `scope` has it.
        """
        return self._scope(who, right, class_, exact_only=True).where

    def scope(self, who: Identity, right: Right, class_: Class) -> Scope:
        """Exactly the documents on which it is allowed."""
        return self._scope(who, right, class_, exact_only=False)

    def hides(self, who: Identity, doc: Document) -> Callable[[str], bool] | None:
        """Which idShortPaths of a document that may be read must be left out; None for none."""
        if self._now is None or self._may_all(who) or doc.class_ is not Class.SUBMODEL:
            return None
        fitting = self._fitting(who, Right.READ, doc)
        if any(not o.path and not filters_of(active, "$sme") for active, o in fitting):
            return None
        seen = self._remembered(("seen", who), doc, lambda: seen_paths(fitting, doc))
        return lambda path: path not in seen

    async def consider(self, who: Identity, doc: Document, *rights: Right) -> None:
        """Have a large document looked at in a thread, before it is decided about on the loop."""
        if self._now is None or len(doc.data) < LARGE_BYTES or self._may_all(who):
            return

        def work() -> None:
            for right in (Right.READ, *rights):
                self._fitting(who, right, doc)
            self.hides(who, doc)

        await asyncio.to_thread(work)

    def _remembered(self, key: Hashable, doc: Document, work: Callable[[], T]) -> T:
        """What `work` finds out of a document by the rules as they are."""
        now = self._now
        if now is None or now.timely or len(doc.data) < LARGE_BYTES:
            return work()
        # By its bytes, since its tag says nothing of a document that is still being made.
        return now.remembered.get((key, doc.class_, doc.id, doc.data), work)

    def trimmed(self, who: Identity, doc: Document, obj: Json) -> Json:
        """A shell or descriptor without the specific asset identifiers that are held back."""
        root = {Class.SHELL: "$aas", Class.SHELL_DESCRIPTOR: "$aasdesc"}.get(doc.class_)
        if self._now is None or self._may_all(who) or root is None:
            return obj
        actives = [active for active, _ in self._fitting(who, Right.READ, doc)]
        if any(not filters_of(active, root) for active in actives):
            return obj
        inner = obj.get("assetInformation", {}) if root == "$aas" else obj
        kept = [
            item
            for item in inner.get("specificAssetIds", [])
            if any(holds_for(active, root, obj, item) for active in actives)
        ]
        return with_asset_ids(root, obj, kept)

    # ---- how

    def _may_all(self, who: Identity) -> bool:
        return Action.ADMINISTER in who.actions and "" in who.branches

    def _within(self, who: Identity, right: Right, path: str) -> bool:
        """Whether role and branches let it through; without an asset, rules alone say where."""
        if not path:
            return ACTIONS[right] in who.actions
        return self._authorizer.allows(who, ACTIONS[right], path)

    def _actives(self, who: Identity) -> tuple[Active, ...]:
        """The rules that are for this identity; those that look at the clock are made anew."""
        now = self._now or _Ruled(())
        if (found := now.ready.get(who)) is not None:
            return found
        made = tuple(a for rule in now.rules if (a := self._active(who, rule)) is not None)
        if not now.timely:
            if len(now.ready) >= IDENTITIES_MAX:
                now.ready = {}
            now.ready[who] = made
        return made

    def _active(self, who: Identity, rule: Rule) -> Active | None:
        worth = attributes(who, self._clock)
        try:
            for attribute in rule.attributes:
                worth(attribute)
            formula = parse_condition(ALL_CLASSES, rule.formula, worth)
            filters = tuple(
                (f, parse_condition(ALL_CLASSES, f.condition, worth)) for f in rule.filters
            )
        except Missing:
            return None
        return Active(rule, formula, filters)

    def _for(self, who: Identity, right: Right, class_: Class) -> Iterator[tuple[Active, Object]]:
        """Rules for the identity, the right and the class, once for each object."""
        for active in self._actives(who):
            rights = active.rule.rights
            if right in rights or (right is Right.VIEW and Right.READ in rights):
                if any(ROOTS[f.root] is not class_ for f in fields_of(active.formula)):
                    continue  # its formula speaks of documents of another class
                for o in active.rule.objects:
                    if o.class_ in (None, class_):
                        yield active, o

    def _fitting(
        self, who: Identity, right: Right, doc: Document
    ) -> tuple[tuple[Active, Object], ...]:
        """Rules whose object names the document, and whose formula holds for it."""
        named = [(a, o) for a, o in self._for(who, right, doc.class_) if _named(o, doc.id)]
        if not named:
            return ()

        def work() -> tuple[tuple[Active, Object], ...]:
            obj = msgspec.json.decode(doc.data)
            return tuple((active, o) for active, o in named if fulfils(active.formula, obj))

        return self._remembered((who, right), doc, work)

    def _scope(self, who: Identity, right: Right, class_: Class, *, exact_only: bool) -> Scope:
        action = ACTIONS[right]
        branches = [b for b in who.branches if self._authorizer.allows(who, action, b)]
        if self._now is None:
            return Scope(None if "" in branches else Some(_under(branches, pathless=False)), None)
        if self._may_all(who):
            return Scope(None, None)
        if action not in who.actions:
            return Scope(NONE, None)
        parts: list[Predicate] = []
        exact = True
        for active, o in self._for(who, right, class_):
            if o.path and right not in (Right.READ, Right.VIEW):
                continue  # it allows something on an element, not on the document
            narrowing = narrowed(active.formula)
            if exact_only and not narrowing.exact:
                continue
            exact = exact and narrowing.exact
            parts.append(And((_key(o), narrowing.where)))
        narrow = within(Narrowing(Or(tuple(parts)), exact))
        where, exact = narrow.where, narrow.exact
        if exact_only and not exact:
            where = NONE
        if "" not in branches:
            where = And((where, Some(_under(branches, pathless=True))))

        def keep(doc: Document) -> bool:
            return self.allows(who, right, class_, doc, doc.path)

        return Scope(where, None if exact else keep)


def _under(branches: Sequence[str], *, pathless: bool) -> Predicate:
    """The row of the document has a path in one of these branches."""
    parts: list[Predicate] = [Compare("path", "=", "")] if pathless else []
    for branch in branches:
        parts += [Compare("path", "=", branch), Prefix("path", branch + "/")]
    return Or(tuple(parts))


def _key(o: Object) -> Predicate:
    if o.id == "*":
        return EVERY
    return Prefix("key", o.id[:-1]) if o.id.endswith("*") else Compare("key", "=", o.id)


def _named(o: Object, id_: str) -> bool:
    return id_.startswith(o.id[:-1]) if o.id.endswith("*") else id_ == o.id
