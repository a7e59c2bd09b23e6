"""The hub tells live values to everyone who watches: each frame is encoded once for all.

Points are grouped by asset, the path above them. Every tick, each asset with news becomes one
frame, shared by all its viewers. A viewer has credit; without it nothing is queued for him:
the asset is marked, and once he has credit a snapshot brings it up to date. So a slow viewer
costs nothing, and always gets the newest.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import msgspec
import numpy as np

from lineshaft.core.access import Identity
from lineshaft.core.batch import Batch, Ints
from lineshaft.core.clock import NS_PER_MS, now_ns
from lineshaft.core.path import is_under, parent
from lineshaft.historian.last import LastValues
from lineshaft.historian.namespace import Namespace, sees
from lineshaft.web.frames import Frame, FrameKind, encode
from lineshaft.web.metrics import Metric

TICK_S = 0.1
CREDIT_MAX = 256
"""A viewer never has more frames under way than this, whatever credit he gives."""
WISHES_MAX = 20_000
"""Points and branches that one viewer may name."""


class Wish(msgspec.Struct, frozen=True):
    """What a viewer wants to see."""

    points: frozenset[str] = frozenset()
    branches: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        """Whether the point is wanted."""
        return path in self.points or any(is_under(path, b) for b in self.branches)


class Viewer:
    """One connection that watches. `next()` is what to send; nothing here waits for a socket."""

    def __init__(self, who: Identity) -> None:
        self.who = who
        self.credit = 0
        self.wish = Wish()
        self.assets: dict[int, Ints | None] = {}
        """Assets watched; with numbers, only these may be seen, else the whole asset."""
        self.marked: dict[int, None] = {}
        """Assets that need a snapshot, in the order they were marked."""
        self._out: deque[bytes | str] = deque()
        self._ready = asyncio.Event()

    def grant(self, frames: int) -> None:
        """Add credit; what waits here counts, since who grants need not be one who reads."""
        room = max(CREDIT_MAX - len(self._out), 0)
        self.credit = min(self.credit + max(frames, 0), room)

    def forget(self) -> None:
        """Watch nothing; numbers that were not sent yet are not needed any more."""
        self.assets.clear()
        self.marked.clear()
        self._out = deque(item for item in self._out if isinstance(item, bytes))

    def put(self, frame: bytes) -> None:
        """Hand over a frame, paid with credit, which bounds how many wait here."""
        self.credit -= 1
        self._out.append(frame)
        self._ready.set()

    def tell(self, points: dict[str, int]) -> None:
        """Hand over the numbers of points."""
        self._out.append(msgspec.json.encode({"points": points}).decode())
        self._ready.set()

    async def next(self) -> bytes | str:
        """The next thing to send; waits for one."""
        while not self._out:
            self._ready.clear()
            await self._ready.wait()
        return self._out.popleft()


class Hub:
    """Collects what changed and hands it to the viewers every tick."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.last = LastValues()
        self.viewers: set[Viewer] = set()
        self._assets: dict[str, int] = {}
        self._members: list[list[int]] = []
        self._asset_of = np.zeros(64, dtype=np.int64)
        self._changed = np.zeros(64, dtype=np.bool_)
        self._placed = 0
        self.frames_encoded = self.frames_sent = self.bytes_sent = self.conflated = 0

    # ---- taking in

    def update(self, batch: Batch) -> None:
        """Take in what the store has kept."""
        changed = self.last.update(batch)
        self._place_new()
        if self.viewers:
            self._changed[changed] = True

    def refresh(self, points: Sequence[str], batch: Batch) -> None:
        """Take these newest samples in place of what is known of the points."""
        ids = np.array([self.last.ids[p] for p in points if p in self.last.ids], dtype=np.int64)
        self.last.forget(ids)
        self.update(batch)
        for asset in np.unique(self._asset_of[ids]).tolist():
            for viewer in self.viewers:
                if asset in viewer.assets:
                    viewer.marked[asset] = None

    def _place_new(self) -> None:
        """Give each point that is new its asset, and tell the viewers who wait for it."""
        first, total = self._placed, len(self.last)
        if first == total:
            return
        if total > len(self._asset_of):
            more = max(total, 2 * len(self._asset_of)) - len(self._asset_of)
            self._asset_of = np.concatenate([self._asset_of, np.zeros(more, dtype=np.int64)])
            self._changed = np.concatenate([self._changed, np.zeros(more, dtype=np.bool_)])
        new = range(first, total)
        for place in new:
            asset = self._assets.setdefault(parent(self.last.paths[place]), len(self._members))
            if asset == len(self._members):
                self._members.append([])
            self._members[asset].append(place)
            self._asset_of[place] = asset
        self._placed = total
        for viewer in self.viewers:
            self._show(viewer, [i for i in new if self._wants(viewer, self.last.paths[i])])

    def _wants(self, viewer: Viewer, path: str) -> bool:
        return viewer.wish.covers(path) and sees(viewer.who, path)

    # ---- viewers

    def subscribe(self, viewer: Viewer, wish: Wish) -> None:
        """Let the viewer watch these instead of what he watched before."""
        viewer.wish = wish
        viewer.forget()
        self.viewers.add(viewer)
        paths = {p for p in wish.points if p in self._namespace and sees(viewer.who, p)}
        for branch in wish.branches:
            paths.update(self._namespace.under(branch, viewer.who))
        places = [self.last.id_of(p) for p in sorted(paths)]
        self._place_new()
        self._show(viewer, places)

    def _show(self, viewer: Viewer, places: Sequence[int]) -> None:
        """Let the viewer watch these points, which he may see, and tell him their numbers."""
        if not places:
            return
        for asset in dict.fromkeys(self._asset_of[list(places)].tolist()):
            viewer.marked[asset] = None
            viewer.assets[asset] = self._allowed(viewer.who, asset)
        viewer.tell({self.last.paths[i]: i for i in places})

    def _allowed(self, who: Identity, asset: int) -> Ints | None:
        """Numbers of the asset's points that may be seen; None when all may."""
        if "" in who.branches or sees(who, parent(self.last.paths[self._members[asset][0]])):
            return None
        members = self._members[asset]
        return np.array([i for i in members if sees(who, self.last.paths[i])], dtype=np.int64)

    def leave(self, viewer: Viewer) -> None:
        """Forget the viewer."""
        self.viewers.discard(viewer)

    # ---- every tick

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            self.tick()

    def tick(self) -> None:
        """Hand what changed since the last tick to everyone who watches it."""
        ids = np.flatnonzero(self._changed)
        self._changed[ids] = False
        if not self.viewers:
            return
        news = self._by_asset(ids)
        frames: dict[int, bytes] = {}
        snapshots: dict[int, bytes] = {}
        for viewer in self.viewers:
            self._serve_changes(viewer, news, frames)
            self._serve_marked(viewer, snapshots)

    def _by_asset(self, ids: Ints) -> dict[int, Ints]:
        """The changed points of each asset."""
        if not len(ids):
            return {}
        assets = self._asset_of[ids]
        order = np.argsort(assets, kind="stable")
        assets, ids = assets[order], ids[order]
        cuts = np.flatnonzero(assets[1:] != assets[:-1]) + 1
        parts = np.split(ids, cuts)
        return {int(self._asset_of[part[0]]): part for part in parts}

    def _serve_changes(
        self, viewer: Viewer, news: dict[int, Ints], frames: dict[int, bytes]
    ) -> None:
        for asset, ids in news.items():
            if asset not in viewer.assets or asset in viewer.marked:
                continue
            if viewer.credit < 1:
                viewer.marked[asset] = None
                self.conflated += 1
                continue
            allowed = viewer.assets[asset]
            if allowed is None:
                if asset not in frames:
                    frames[asset] = self._encode(FrameKind.CHANGES, ids)
                self._send(viewer, frames[asset])
            elif len(seen := np.intersect1d(ids, allowed)):
                self._send(viewer, self._encode(FrameKind.CHANGES, seen))

    def _serve_marked(self, viewer: Viewer, snapshots: dict[int, bytes]) -> None:
        while viewer.marked and viewer.credit > 0:
            asset = next(iter(viewer.marked))
            del viewer.marked[asset]
            allowed = viewer.assets.get(asset)
            if allowed is not None:
                self._send(viewer, self._snapshot(allowed))
            else:
                if asset not in snapshots:
                    members = np.array(self._members[asset], dtype=np.int64)
                    snapshots[asset] = self._snapshot(members)
                self._send(viewer, snapshots[asset])

    def _snapshot(self, members: Ints) -> bytes:
        known = members[[self.last.has(i) for i in members.tolist()]]
        return self._encode(FrameKind.SNAPSHOT, known)

    def _encode(self, kind: FrameKind, ids: Ints) -> bytes:
        last = self.last
        self.frames_encoded += 1
        return encode(
            Frame(
                kind,
                now_ns() / NS_PER_MS,
                last.time_ns[ids] / NS_PER_MS,
                last.number[ids],
                ids.astype(np.uint32),
                last.quality[ids],
                last.texts(ids.tolist()),
            )
        )

    def _send(self, viewer: Viewer, frame: bytes) -> None:
        self.frames_sent += 1
        self.bytes_sent += len(frame)
        viewer.put(frame)

    def metrics(self) -> list[Metric]:
        """How many watch, and what it takes."""
        return [
            Metric("live_viewers", "gauge", "Connections that watch.", (({}, len(self.viewers)),)),
            Metric(
                "live_frames_encoded_total",
                "counter",
                "Live frames encoded.",
                (({}, self.frames_encoded),),
            ),
            Metric(
                "live_frames_sent_total",
                "counter",
                "Live frames handed to viewers.",
                (({}, self.frames_sent),),
            ),
            Metric(
                "live_conflated_total",
                "counter",
                "Live frames not sent for want of credit; a snapshot followed.",
                (({}, self.conflated),),
            ),
        ]
