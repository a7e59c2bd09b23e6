"""The frames of the plant: templates, frames, what people add to them."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Denied, Invalid, Missing, Unavailable
from lineshaft.core.flow import supervise, wait_s
from lineshaft.operations import Latest, Names, deletions
from lineshaft.operations.frames import book as kept
from lineshaft.operations.frames.binding import assets_of, bind, fixed_part
from lineshaft.operations.frames.book import Book, Mark, decoded, put_mark
from lineshaft.operations.frames.crew import Crew, Track
from lineshaft.operations.frames.gallery import Gallery, told_of
from lineshaft.operations.frames.settings import Template, check_parents, check_template
from lineshaft.operations.frames.view import TemplateView
from lineshaft.operations.frames.worker import Progress, Worker
from lineshaft.operations.listening import Listener
from lineshaft.records import Append, Change, Delete, Put, Records
from lineshaft.spines import Spine
from lineshaft.stores import Store
from lineshaft.web.metrics import Metric

COLLECTIONS = kept.COLLECTIONS
SUBSCRIPTION = "frames"
"""The durable subscription that is read; the plant declares it on the spine."""
TICK_S = 0.5
"""Seconds between steps."""
ASSIGN_NS = 2 * NS_PER_S
"""Least time between looks at a namespace that changes."""
TEMPLATES_MAX = 1_000


class Frames:
    """All templates, all followers, and the frames that came of them."""

    def __init__(  # noqa: PLR0913 - its neighbours, by keyword
        self,
        *,
        names: Names,
        latest: Latest,
        store: Store,
        records: Records,
        spine: Spine,
        authorizer: Authorizer,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self.names, self.store, self.records = names, store, records
        self._spine, self.authorizer, self._clock = spine, authorizer, clock
        self.listener = Listener(spine, SUBSCRIPTION, self.take)
        self.book = Book(records)
        self.crew = Crew(names)
        self.worker = Worker(
            crew=self.crew, store=store, book=self.book, spine=spine, latest=latest, clock=clock
        )
        self.gallery = Gallery(self.book, self.crew, authorizer, tell=self.worker.tell, clock=clock)
        self.templates: dict[str, Template] = {}
        self._in_file: set[str] = set()
        self._marks: dict[str, Mark] = {}
        self._assigned_ns = 0
        self._turn = asyncio.Lock()

    # ---- life

    async def start(self, in_file: Sequence[Template]) -> None:
        """Know the templates of the file and of the records, and how far each came.

        Raises:
            Invalid: a template cannot be, or a name stands twice.
        """
        self.templates = {t.name: t for t in await self.book.templates()}
        self._take_in(in_file)
        self._marks = await self.book.marks()
        self._assign()

    async def reload(self, in_file: Sequence[Template]) -> None:
        """Take the templates of the file as they are now; those that did not change go on.

        Raises:
            Invalid: a template cannot be, or a name stands twice; nothing has changed then.
        """
        async with self._turn:
            self._take_in(in_file)
            self._assign()

    def _take_in(self, in_file: Sequence[Template]) -> None:
        made = {n: t for n, t in self.templates.items() if n not in self._in_file}
        named = {check_template(t).name: t for t in in_file}
        if made.keys() & named.keys() or len(named) < len(in_file):
            name = min(made.keys() & named.keys(), default="of the file")
            raise Invalid(
                f"frames {name!r} stand twice, in the file or made at run time",
                remedy="Rename them in the file, or remove the other ones.",
            )
        check_parents(made | named)
        self.templates, self._in_file = made | named, set(named)

    def _assign(self) -> None:
        for track in self.crew.tracks.values():
            self._marks[track.key] = track.marked()
        self.crew.assign(self.templates.values(), self._marks)
        self._assigned_ns = self._clock()

    async def run(self) -> None:
        """Follow what passes on the spine, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.listener.run(), name="frames listen")
            # It reads the store: where it cannot go on, sources are not to wait for it.
            group.create_task(supervise("frames work", self._work), name="frames work")
            group.create_task(
                deletions.follow(self._spine, self.records, self.deleted, kept.SEEN, name="frames"),
                name="frames deletions",
            )

    async def take(self, batch: Batch) -> None:
        """Note a batch; when this returns it is kept what of it came too late."""
        if not len(batch):
            return
        await self._keep_marks(self.crew.take(batch, self._clock()))

    async def deleted(self, points: list[str], start_ns: int, stop_ns: int) -> None:
        """Take in that samples are gone, of no points: of any; kept when this returns."""
        soiled = []
        for track in self.crew.reading(points):
            last_ns = min(stop_ns - 1, track.until_ns)
            if start_ns <= last_ns:
                first_ns = await self.worker.first_ns(track, start_ns, last_ns)
                track.soil(first_ns, last_ns, self._clock())
                soiled.append(track)
        await self._keep_marks(soiled)

    async def _keep_marks(self, tracks: Sequence[Track]) -> None:
        """Keep what is to be gone through again, however long it takes to write."""
        attempt, left = 0, list(tracks)
        while left:
            some = left[: kept.CHANGES_MAX]
            try:
                await self.records.commit(*(put_mark(t.key, t.marked()) for t in some))
            except Unavailable:
                attempt += 1
                await asyncio.sleep(wait_s(attempt))
            else:
                attempt, left = 0, left[len(some) :]

    async def _work(self) -> None:
        while True:
            more = await self.step()
            await asyncio.sleep(0.01 if more else TICK_S)

    async def step(self) -> bool:
        """One step of all followers; whether there is more to do at once."""
        async with self._turn:
            if self.crew.stale() and self._clock() - self._assigned_ns >= ASSIGN_NS:
                self._assign()
            return await self.worker.step()

    def problems(self) -> list[str]:
        """What is wrong now."""
        found = [self.worker.trouble] if self.worker.trouble else []
        over: dict[str, int] = {}
        for track in self.crew.tracks.values():
            if track.live is not None and track.live.follower.over:
                name = track.bound.template.name
                over[name] = over.get(name, 0) + track.live.follower.over
        found += [
            f"frames {name!r}: {count} began beyond per_minute_max and are not kept"
            for name, count in sorted(over.items())
        ]
        return found

    def metrics(self) -> list[Metric]:
        """Figures of the followers."""
        tracks = self.crew.tracks.values()
        lives = [t.live.follower for t in tracks if t.live is not None]
        rows = (
            ("followers", "gauge", "Templates on assets that are followed.", len(tracks)),
            ("open", "gauge", "Frames that have no end yet.", sum(1 for f in lives if f.open)),
            ("redoing", "gauge", "Followers that redo a span.", len(self.worker.progress())),
            ("late_samples_total", "counter", "Samples after their time.", self.crew.late),
            ("over_total", "counter", "Frames beyond their minute.", sum(f.over for f in lives)),
        )
        return [Metric(f"frames_{n}", k, about, (({}, float(v)),)) for n, k, about, v in rows]

    # ---- templates

    def views(self, who: Identity) -> list[TemplateView]:
        """The templates that are for an asset that the identity may see."""
        found = []
        for template in self.templates.values():
            assets = [
                t.bound.asset
                for t in self.crew.of(template.name)
                if self.gallery.sees(who, t.bound.asset)
            ]
            waiting = {
                k.partition("|")[2]: why
                for k, why in self.crew.waiting.items()
                if k.partition("|")[0] == template.name
                and self.gallery.sees(who, k.partition("|")[2])
            }
            given = [a for a in template.assets if self.gallery.sees(who, fixed_part(a))]
            if assets or waiting or given:
                shown = msgspec.structs.replace(template, assets=tuple(given))
                found.append(
                    TemplateView(
                        template=shown,
                        in_file=template.name in self._in_file,
                        assets=assets,
                        waiting=waiting,
                    )
                )
        return found

    async def define(self, who: Identity, template: Template) -> TemplateView:
        """Add a template, or change one that was made at run time; kept frames stay as they are.

        Raises:
            Invalid: it cannot be, stands in the settings file, or is one too many.
            Denied: the identity may not configure its assets, or not see what it reads.
        """
        check_template(template)
        self.check_readable(who, template, Action.CONFIGURE)
        known = self.templates.get(template.name)
        if known is not None:
            self._check_right(who, known)
        if template.name in self._in_file:
            raise Invalid(
                f"frames {template.name!r} stand in the settings file",
                remedy="Change them there, then reload.",
            )
        if known is None and len(self.templates) >= TEMPLATES_MAX:
            raise Invalid(f"there are {TEMPLATES_MAX} templates already", remedy="Remove some.")
        check_parents(self.templates | {template.name: template})
        async with self._turn:
            data = {"template": template.name, "definition": msgspec.to_builtins(template)}
            event = told_of("frame.template_defined", fixed_part(template.assets[0]), who, data)
            put = Put(
                collection=kept.TEMPLATES.name,
                key=template.name,
                data=msgspec.json.encode(template),
            )
            await self.records.commit(put, Append(event=event))
            self.templates[template.name] = template
            self._assign()
        await self.worker.tell([event])
        return next(v for v in self.views(who) if v.template.name == template.name)

    async def remove(self, who: Identity, name: str) -> None:
        """Take away a template that was made at run time; its frames that have ended stay.

        Raises:
            Missing: there is none.
            Invalid: it stands in the settings file, or others name it as their parent.
        """
        template = self.templates.get(name)
        if template is None or name not in {v.template.name for v in self.views(who)}:
            raise Missing(f"there are no frames {name!r}", remedy="List the templates.")
        self._check_right(who, template)
        if name in self._in_file:
            raise Invalid(
                f"frames {name!r} stand in the settings file",
                remedy="Take them out there, then reload.",
            )
        rest = {n: t for n, t in self.templates.items() if n != name}
        check_parents(rest)
        async with self._turn:
            event = told_of(
                "frame.template_removed", fixed_part(template.assets[0]), who, {"template": name}
            )
            groups: list[list[Change]] = [[Delete(collection=kept.TEMPLATES.name, key=name)]]
            async for _, data in self.book.all(kept.FRAMES.name, kept.open_of(name)):
                groups.append(kept.removal(decoded(data)))
            for key in [k for k in self._marks if k.partition("|")[0] == name]:
                groups.append([Delete(collection=kept.MARKS.name, key=key)])
                del self._marks[key]
            groups[0].append(Append(event=event))
            for changes in kept.transactions(groups):
                await self.records.commit(*changes)
            self.templates = rest
            self.crew.tracks = {
                k: t for k, t in self.crew.tracks.items() if t.bound.template.name != name
            }
            self._assign()
        await self.worker.tell([event])

    def check_readable(self, who: Identity, template: Template, action: Action) -> None:
        """See that the identity may do something on the assets and look at all that is read.

        Raises:
            Denied: it may not act on an asset.
            Invalid: an expression is wrong on an asset that is known.
        """
        self._check_right(who, template, action)
        for asset in assets_of(template, self.names)[:1]:
            for point in bind(template, asset, self.names).points:
                if not self.authorizer.allows(who, Action.LOOK, point):
                    raise Invalid(
                        f"frames {template.name!r}: unknown point {point!r}",
                        remedy="Find points with GET /api/v1/points.",
                    )

    def _check_right(
        self, who: Identity, template: Template, action: Action = Action.CONFIGURE
    ) -> None:
        for asset in template.assets:
            if not self.authorizer.allows(who, action, fixed_part(asset)):
                raise Denied(f"{who.name} may not {action.value} {asset}")

    # ---- history again

    async def recompute(
        self, who: Identity, template: str, asset: str, start_ns: int, stop_ns: int
    ) -> list[Progress]:
        """Have history gone through again; how far it is, `progress` tells.

        Raises:
            Missing: there is no such follower for this identity.
            Denied: it may not configure there.
        """
        chosen = [
            t
            for t in self.crew.of(template)
            if self.gallery.sees(who, t.bound.asset) and asset in ("", t.bound.asset)
        ]
        if not chosen:
            raise Missing(
                f"nobody follows {template!r} on {asset or 'any asset'!r}",
                remedy="List the templates with GET /api/v1/frames/templates.",
            )
        for track in chosen:
            if not self.authorizer.allows(who, Action.CONFIGURE, track.bound.asset):
                raise Denied(f"{who.name} may not recompute frames of {track.bound.asset}")
        async with self._turn:
            await self._order(who, chosen, start_ns, stop_ns)
        return [p for p in self.progress(who) if p.template == template]

    async def _order(
        self, who: Identity, tracks: Sequence[Track], start_ns: int, stop_ns: int
    ) -> None:
        for track in tracks:
            track.soil(await self.worker.first_ns(track, start_ns, stop_ns), stop_ns, 0)
            data = {"template": track.bound.template.name, "start_ns": start_ns, "stop_ns": stop_ns}
            event = told_of("frame.recompute", track.bound.asset, who, data)
            await self.records.commit(put_mark(track.key, track.marked()), Append(event=event))

    def progress(self, who: Identity) -> list[Progress]:
        """What is gone through again now, of what the identity may see."""
        return [p for p in self.worker.progress() if self.gallery.sees(who, p.asset)]
