"""Frames as people look at them: found, shown with parent and notes, answered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.core.event import Event
from lineshaft.operations.frames import book as kept
from lineshaft.operations.frames.asking import Question, predicate
from lineshaft.operations.frames.book import Book, decoded
from lineshaft.operations.frames.crew import Crew
from lineshaft.operations.frames.frame import Frame, Note, parts_of
from lineshaft.operations.frames.nesting import parents, within
from lineshaft.operations.frames.view import FramePage, FrameView, view_of
from lineshaft.records import Append, Put

COMMENT_CHARS_MAX = 2_000
REASON_CHARS_MAX = 100
Tell = Callable[[Sequence[Event]], Awaitable[None]]


class Gallery:
    """The frames that are kept, for those who may see them."""

    def __init__(
        self,
        book: Book,
        crew: Crew,
        authorizer: Authorizer,
        *,
        tell: Tell,
        clock: Callable[[], int],
    ) -> None:
        self._book, self._crew, self._authorizer = book, crew, authorizer
        self._tell, self._clock = tell, clock
        self._turn = asyncio.Lock()

    def sees(self, who: Identity, asset: str) -> bool:
        """Whether the identity may know of frames of an asset."""
        return self._authorizer.allows(who, Action.LOOK, asset)

    async def find(
        self, who: Identity, question: Question, *, cursor: str = "", limit: int = 100
    ) -> FramePage:
        """Frames that the identity may see, the newest first."""
        where = predicate(question, who)
        page = await self._book.records.find(
            kept.FRAMES.name, where, order=("-start_ns",), cursor=cursor, limit=limit
        )
        frames = [f for f in (decoded(r.data) for r in page.records) if self.sees(who, f.asset)]
        return FramePage(items=await self.shown(who, frames), cursor=page.cursor)

    async def shown(self, who: Identity, frames: Sequence[Frame]) -> list[FrameView]:
        """Frames as people see them: with parent, notes, and what open ones have so far."""
        above = await parents(self._book, self._crew.templates, frames)
        notes = await self._book.notes([f.key for f in frames])
        now = self._clock()
        found = []
        for frame in frames:
            holder = above.get(frame.key)
            seen = holder.key if holder is not None and self.sees(who, holder.asset) else ""
            template = self._crew.templates.get(frame.template)
            live = self._running(frame)
            found.append(view_of(live, template, seen, notes.get(frame.key), now))
        return found

    def _running(self, frame: Frame) -> Frame:
        """An open frame with the values that it has so far."""
        if not frame.open:
            return frame
        track = self._crew.tracks.get(kept.mark_key(frame.template, frame.asset))
        live = track.live.follower.so_far() if track is not None and track.live else None
        return live if live is not None and live.start_ns == frame.start_ns else frame

    async def frame(self, who: Identity, key: str) -> Frame:
        """One frame.

        Raises:
            Missing: there is none, or it is not for this identity to know.
        """
        _, asset, _ = parts_of(key)
        record = (
            await self._book.records.get(kept.FRAMES.name, key) if self.sees(who, asset) else None
        )
        if record is None:
            raise Missing(f"there is no frame {key!r}", remedy="List them with GET /api/v1/frames.")
        return decoded(record.data)

    async def children(self, who: Identity, frame: Frame, limit: int = 1000) -> list[FrameView]:
        """The frames directly in a frame, by start."""
        where = within(frame, self._crew.templates)
        if where is None:
            return []
        page = await self._book.records.find(
            kept.FRAMES.name, where, order=("start_ns",), limit=limit
        )
        frames = [f for f in (decoded(r.data) for r in page.records) if self.sees(who, f.asset)]
        return [v for v in await self.shown(who, frames) if v.parent == frame.key]

    async def annotate(
        self, who: Identity, key: str, told: Note, *, acknowledge: bool
    ) -> FrameView:
        """Acknowledge a frame, give it a reason or a comment; on record, and kept for good.

        Raises:
            Missing: there is no such frame for this identity.
            Denied: it may not answer there.
            Invalid: reason or comment is too long.
        """
        frame = await self.frame(who, key)
        if not self._authorizer.allows(who, Action.WRITE, frame.asset):
            raise Denied(f"{who.name} may not say anything of {frame.asset}")
        if len(told.comment) > COMMENT_CHARS_MAX or len(told.reason) > REASON_CHARS_MAX:
            raise Invalid(
                f"reason and comment have {len(told.reason)} and {len(told.comment)} characters,"
                f" wanted at most {REASON_CHARS_MAX} and {COMMENT_CHARS_MAX}",
                remedy="Shorten them.",
            )
        async with self._turn:
            before = (await self._book.notes([key])).get(key, Note())
            note = msgspec.structs.replace(
                before,
                reason=told.reason or before.reason,
                comment=told.comment or before.comment,
                by=who.name,
                acknowledged_by=who.name if acknowledge else before.acknowledged_by,
                acknowledged_ns=self._clock() if acknowledge else before.acknowledged_ns,
            )
            data = {"frame": key, "acknowledged": acknowledge} | {
                "reason": told.reason,
                "comment": told.comment,
            }
            event = told_of("frame.annotated", frame.asset, who, data)
            put = Put(
                collection=kept.NOTES.name,
                key=key,
                data=msgspec.json.encode(note),
                rows=({"reason": note.reason},),
            )
            await self._book.records.commit(put, Append(event=event))
        await self._tell([event])
        return (await self.shown(who, [frame]))[0]


def told_of(kind: str, path: str, who: Identity, data: dict[str, object]) -> Event:
    """The event of what a person did."""
    return Event(kind=kind, path=path, actor=who.name, data=data)
