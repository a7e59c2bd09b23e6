"""Frames side by side: values of points over each, aligned, with envelope and distance."""

import asyncio
import warnings
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import BAD, Floats
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Invalid, Missing
from lineshaft.operations.expressions.tails import Samples
from lineshaft.operations.frames.desk import Frames
from lineshaft.operations.frames.feed import columns_of
from lineshaft.operations.frames.frame import Frame
from lineshaft.operations.frames.warping import STEPS_MAX as WARPED_MAX
from lineshaft.operations.frames.warping import onto, warped
from lineshaft.stores import Store

FRAMES_MAX = 50
POINTS_MAX = 8
STEPS_MIN, STEPS_MAX = 2, 2_000
CELLS_MAX = 300_000
SAMPLES_MAX = 5_000_000


class Align(msgspec.Struct, frozen=True, kw_only=True):
    """How moments of one frame are laid beside those of another."""

    how: Literal["start", "stretch", "phase", "dtw"] = "start"
    steps: int = 500
    reference: str = ""
    """Key of the frame that distances are from; empty: the first."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One point over one frame."""

    frame: str
    values: list[float | None]
    """One for each step; None: no good value, or the frame is over."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One point over all frames."""

    point: str
    """As it was asked for."""
    unit: str
    lines: list[Line]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    deviation: list[float | None]
    """Standard deviation of the frames; None of fewer than two."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Frames side by side, as columns."""

    steps: list[float]
    """Seconds from the start; of `stretch` shares from 0 to 1."""
    points: list[Compared]
    distance: dict[str, float | None]
    """Of each frame from the reference: root mean square of what the values differ, in standard
    deviations of the reference; of `dtw`, mean along the path."""
    phases: list[float]
    """Of `phase`: where on `steps` the frames inside begin."""


async def compare(
    frames: Frames, who: Identity, keys: Sequence[str], points: Sequence[str], align: Align
) -> Comparison:
    """Lay frames side by side.

    Raises:
        Missing: a frame or a point is not there for this identity.
        Invalid: too much is asked for.
    """
    _check(keys, points, align)
    found = [await frames.gallery.frame(who, key) for key in dict.fromkeys(keys)]
    reference = next((n for n, f in enumerate(found) if f.key == align.reference), 0)
    paths = [[_path(frames, who, frame, p) for p in points] for frame in found]
    now = now_ns()
    courses = []
    for frame, mine in zip(found, paths, strict=True):
        end_ns = frame.end_ns or max(now, frame.start_ns + 1)
        courses.append(await _course(frames.store, frame.start_ns, end_ns, mine))
    lengths = np.array([((f.end_ns or now) - f.start_ns) / NS_PER_S for f in found])
    phases = await _phases(frames, who, found) if align.how == "phase" else {}
    table, grid, at = await asyncio.to_thread(_aligned, courses, lengths, align, reference, phases)
    distance = _distances(table, reference)
    if align.how == "dtw":
        table, distance = await asyncio.to_thread(_warped, courses, lengths, align, reference)
    units = [frames.names.find(p) for p in paths[reference]]
    return Comparison(
        steps=np.round(grid, 6).tolist(),
        points=[
            _compared(p, u.unit if u else "", [f.key for f in found], table[:, n])
            for n, (p, u) in enumerate(zip(points, units, strict=True))
        ],
        distance={
            f.key: float(d) if np.isfinite(d) else None
            for f, d in zip(found, distance, strict=True)
        },
        phases=at,
    )


def _check(keys: Sequence[str], points: Sequence[str], align: Align) -> None:
    most = WARPED_MAX if align.how == "dtw" else STEPS_MAX
    cells = len(keys) * len(points) * align.steps
    asked = (
        1 <= len(keys) <= FRAMES_MAX,
        1 <= len(points) <= POINTS_MAX,
        STEPS_MIN <= align.steps <= most,
        cells <= CELLS_MAX,
    )
    if not all(asked):
        raise Invalid(
            f"{len(keys)} frames, {len(points)} points, {align.steps} steps; wanted at most"
            f" {FRAMES_MAX}, {POINTS_MAX}, {most}, and {CELLS_MAX} values together",
            remedy="Compare fewer frames or points, or on fewer steps.",
        )


def _path(frames: Frames, who: Identity, frame: Frame, point: str) -> str:
    path = f"{frame.asset}/{point[2:]}" if point.startswith("./") else point
    if not frames.authorizer.allows(who, Action.LOOK, path) or frames.names.find(path) is None:
        raise Missing(f"there is no point {path!r}", remedy="Find points with GET /api/v1/points.")
    return path


class Course(msgspec.Struct, frozen=True):
    """Samples of some points over one frame, by place of the point."""

    start_ns: int
    samples: list[Samples | None]

    def at(self, seconds: Floats) -> Floats:
        """Values held at times since the start, shape (points, times); NaN where there is none."""
        times = self.start_ns + np.round(seconds * NS_PER_S).astype(np.int64)
        found = np.full((len(self.samples), len(times)), np.nan)
        for n, part in enumerate(self.samples):
            if part is None or not isinstance(part.values, np.ndarray):
                continue
            place = np.searchsorted(part.time_ns, times, "right") - 1
            values = np.where(part.quality >= BAD, np.nan, part.values)
            found[n] = np.where(place >= 0, values[np.maximum(place, 0)], np.nan)
        return found


async def _course(store: Store, start_ns: int, end_ns: int, paths: Sequence[str]) -> Course:
    unique = sorted(set(paths))
    count = await store.count(unique, start_ns, end_ns)
    if count > SAMPLES_MAX:
        raise Invalid(
            f"a frame holds {count} samples, wanted at most {SAMPLES_MAX}",
            remedy="Compare shorter frames, or fewer points.",
        )
    before = columns_of(await store.before(unique, start_ns))
    inside = columns_of(await store.read(unique, start_ns, end_ns))
    return Course(start_ns, [_joined(before.get(p), inside.get(p)) for p in paths])


def _joined(before: Samples | None, inside: Samples | None) -> Samples | None:
    parts = [p for p in (before, inside) if p is not None and isinstance(p.values, np.ndarray)]
    if not parts:
        return None
    return Samples(
        np.concatenate([p.time_ns for p in parts]),
        np.concatenate([np.asarray(p.values) for p in parts]),
        np.concatenate([p.quality for p in parts]),
    )


Phases = Mapping[int, Mapping[tuple[str, int], float]]
"""By place of the frame: seconds from its start at which each frame inside begins."""


async def _phases(frames: Frames, who: Identity, found: Sequence[Frame]) -> Phases:
    result: dict[int, dict[tuple[str, int], float]] = {}
    for n, frame in enumerate(found):
        seen: dict[str, int] = {}
        result[n] = {}
        for child in await frames.gallery.children(who, frame):
            seen[child.template] = seen.get(child.template, 0) + 1
            at_s = (child.start_ns - frame.start_ns) / NS_PER_S
            result[n][child.template, seen[child.template]] = at_s
    return result


def _aligned(
    courses: Sequence[Course], lengths: Floats, align: Align, reference: int, phases: Phases
) -> tuple[Floats, Floats, list[float]]:
    """Values (frames, points, steps), the grid (steps,), where phases begin on it."""
    if align.how == "stretch":
        grid = np.linspace(0.0, 1.0, align.steps)
        return np.array([c.at(grid * d) for c, d in zip(courses, lengths, strict=True)]), grid, []
    if align.how == "phase":
        return _by_phase(courses, lengths, align.steps, phases)
    longest = lengths[reference] if align.how == "dtw" else lengths.max()
    grid = np.linspace(0.0, float(longest), align.steps)
    table = [np.where(grid <= d, c.at(grid), np.nan) for c, d in zip(courses, lengths, strict=True)]
    return np.array(table), grid, []


def _by_phase(
    courses: Sequence[Course], lengths: Floats, steps: int, phases: Phases
) -> tuple[Floats, Floats, list[float]]:
    shared = set.intersection(*(set(p) for p in phases.values())) if phases else set()
    if not shared:
        raise Invalid(
            "the frames have no phases in common",
            remedy="Give a template this one as `parent`, or align by start.",
        )
    order = sorted(shared, key=lambda k: float(np.mean([p[k] for p in phases.values()])))
    marks = np.array(
        [[0.0, *(phases[n][k] for k in order), lengths[n]] for n in range(len(courses))]
    )
    # Phases of one frame may stand in another order; a boundary never lies before the last one.
    marks = np.maximum.accumulate(marks, axis=1)
    mean = marks.mean(axis=0)
    grid = np.linspace(0.0, float(mean[-1]), steps)
    table = [c.at(np.interp(grid, mean, own)) for c, own in zip(courses, marks, strict=True)]
    return np.array(table), grid, [float(m) for m in mean[1:-1]]


def _scaled(values: Floats, like: Floats) -> Floats:
    """Values (points, steps) in standard deviations of others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a point without any value
        spread = np.nanstd(like, axis=1, keepdims=True)
        middle = np.nanmean(like, axis=1, keepdims=True)
    found: Floats = (values - middle) / np.where((spread > 0) & np.isfinite(spread), spread, 1.0)
    return found


def _distances(table: Floats, reference: int) -> Floats:
    like = table[reference]
    scaled = np.array([_scaled(t, like) for t in table])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found: Floats = np.sqrt(np.nanmean((scaled - scaled[reference]) ** 2, axis=(1, 2)))
    return found


def _warped(
    courses: Sequence[Course], lengths: Floats, align: Align, reference: int
) -> tuple[Floats, Floats]:
    """Values laid onto the moments of the reference, and distances along the paths."""
    grids = [np.linspace(0.0, float(d), align.steps) for d in lengths]
    values = [c.at(g) for c, g in zip(courses, grids, strict=True)]
    like = values[reference]
    first = np.nan_to_num(_scaled(like, like)).T
    table, distance = [], []
    for course in values:
        warp = warped(first, np.nan_to_num(_scaled(course, like)).T)
        table.append([onto(warp, v, align.steps) for v in course])
        distance.append(warp.distance)
    return np.array(table), np.array(distance)


def _compared(point: str, unit: str, keys: Sequence[str], table: Floats) -> Compared:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # steps at which no frame has a value
        count = np.isfinite(table).sum(axis=0)
        deviation = np.where(count > 1, np.nanstd(table, axis=0), np.nan)
        return Compared(
            point=point,
            unit=unit,
            lines=[Line(frame=k, values=_list(t)) for k, t in zip(keys, table, strict=True)],
            mean=_list(np.nanmean(table, axis=0)),
            low=_list(np.nanmin(table, axis=0)),
            high=_list(np.nanmax(table, axis=0)),
            deviation=_list(deviation),
        )


def _list(values: Floats) -> list[float | None]:
    return [None if not np.isfinite(v) else float(v) for v in values]
