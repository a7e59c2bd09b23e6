"""An expression tried before it is defined: compiled alone, or evaluated over history."""

from collections.abc import Callable

import msgspec
import numpy as np

from lineshaft.core.clock import to_iso
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.operations.derived.changes import Changes, rows_given
from lineshaft.operations.derived.definition import (
    Compiled,
    Definition,
    Unknown,
    check_definition,
    compiled,
)
from lineshaft.operations.derived.history import loaded, replay
from lineshaft.operations.derived.rows import Columns, samples_of_result, taken, together
from lineshaft.operations.expressions.columns import BAD, UNCERTAIN
from lineshaft.operations.expressions.limits import TICKS_MAX
from lineshaft.operations.expressions.messages import WrongExpression
from lineshaft.operations.expressions.tails import FAR_AHEAD, LONG_AGO, Samples
from lineshaft.stores import Store

SAMPLES_MAX = 5_000_000
"""Samples that one preview may read."""
ROWS_MAX = 5_000
"""Rows that a preview lists."""

Find = Callable[[str], Point | None]


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """Why an expression cannot be compiled."""

    message: str
    remedy: str = ""
    at: int | None = None
    """Where the wrong part begins, counted from 0; null where no part is to blame."""
    end: int | None = None
    """Where it ends; the character there is no part of it."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What an expression is, or why it is none."""

    wrong: Wrong | None = None
    missing: tuple[str, ...] = ()
    """Paths of inputs that nobody knows; it would wait for them."""
    kind: Kind | None = None
    unit: str = ""
    inputs: tuple[str, ...] = ()
    """Paths of what it reads."""
    every_s: float = 0.0
    """Grid on which it is looked at without a sample; 0 for none."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a derived point would have been in a span."""

    kind: Kind
    unit: str
    rows: int
    """Rows in the span; where they are too many to list, some are left out, evenly."""
    good: int
    uncertain: int
    bad: int
    samples: int
    """Samples that were read."""
    times_ns: list[int]
    values: list[float | str | bool | None]
    """Null where the quality is bad, or the number is not finite."""
    qualities: list[int]


def checked(definition: Definition, find: Find) -> Checked:
    """What the definition gives, or what is wrong with it."""
    try:
        made = compiled(check_definition(definition), find)
    except Unknown as error:
        return Checked(missing=error.paths)
    except WrongExpression as error:
        wrong = Wrong(message=str(error), remedy=error.remedy, at=error.at, end=error.end)
        return Checked(wrong=wrong)
    except Invalid as error:
        return Checked(wrong=Wrong(message=str(error), remedy=error.remedy))
    return Checked(
        kind=made.point.kind,
        unit=made.point.unit,
        inputs=made.inputs,
        every_s=made.expression.every_ns / 1e9,
    )


async def preview(
    store: Store, definition: Definition, find: Find, start_ns: int, stop_ns: int
) -> Preview:
    """Evaluate a definition over history; nothing is kept.

    Raises:
        Invalid: it cannot be compiled, or the span holds too much.
    """
    made = compiled(check_definition(definition), find)
    if not LONG_AGO < start_ns < stop_ns < FAR_AHEAD - made.lateness_ns:
        raise Invalid(
            f"the span lasts from {to_iso(start_ns)} to {to_iso(stop_ns)}",
            remedy="Take one between the years 1824 and 2116.",
        )
    begin_ns = start_ns - made.expression.lookback_ns
    samples = await store.count(made.inputs, start_ns, stop_ns)
    windows = await store.count(made.inputs, begin_ns, stop_ns)
    every_ns = made.expression.every_ns
    ticks = (stop_ns - start_ns) // every_ns if every_ns else 0
    if samples > SAMPLES_MAX or ticks > TICKS_MAX:
        raise Invalid(
            f"the span holds {samples} samples and {ticks} times of the grid,"
            f" wanted at most {SAMPLES_MAX} and {TICKS_MAX}",
            remedy="Take a shorter span.",
        )
    if windows > SAMPLES_MAX:
        raise Invalid(
            f"the windows of the expression reach over {windows} samples, wanted at most"
            f" {SAMPLES_MAX}",
            remedy="Take shorter windows.",
        )
    rows = await _rows(store, made, start_ns, stop_ns)
    quality = rows.quality
    listed = taken(rows, _spread(len(quality)))
    return Preview(
        kind=made.point.kind,
        unit=made.point.unit,
        rows=len(quality),
        good=int((quality < UNCERTAIN).sum()),
        uncertain=int(((quality >= UNCERTAIN) & (quality < BAD)).sum()),
        bad=int((quality >= BAD).sum()),
        samples=samples,
        times_ns=listed.time_ns.tolist(),
        values=_values(listed, made.point.kind),
        qualities=listed.quality.tolist(),
    )


async def _rows(store: Store, made: Compiled, start_ns: int, stop_ns: int) -> Samples:
    found: Columns = {}
    evaluator = await loaded(store, made, start_ns)
    changes = Changes() if made.definition.on_change else None
    async for _, _, result in replay(store, made, evaluator, stop_ns):
        rows = rows_given(changes, samples_of_result(result, made.expression.type))
        found[""] = together(found[""], rows) if found else rows
    return found[""]


def _spread(count: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Places of the rows to list: all, or as many as may be, evenly."""
    if count <= ROWS_MAX:
        return np.arange(count)
    return np.linspace(0, count - 1, ROWS_MAX).astype(np.int64)


def _values(rows: Samples, kind: Kind) -> list[float | str | bool | None]:
    if not isinstance(rows.values, np.ndarray):
        return list(rows.values)
    finite = np.isfinite(rows.values)
    plain = rows.values.astype(bool).tolist() if kind is Kind.BOOLEAN else rows.values.tolist()
    return [v if ok else None for v, ok in zip(plain, finite, strict=True)]
