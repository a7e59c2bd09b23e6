"""Questions for frames: filters of the address as predicates of the records."""

import re
from collections.abc import Sequence

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.errors import Invalid
from lineshaft.operations.frames.book import at_or_after
from lineshaft.records import And, Compare, IsNull, Not, Or, Predicate, Prefix, Some

FILTERS_MAX = 10
_FILTER = re.compile(r"([A-Za-z_]\w{0,63})\s*(<=|>=|!=|=|<|>)\s*(.{0,500})", re.ASCII | re.DOTALL)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which frames are asked for."""

    template: str = ""
    asset: str = ""
    """They are on this asset, or below it."""
    kind: str = ""
    start_ns: int | None = None
    """They last until then at least, or are open."""
    stop_ns: int | None = None
    """They begin before."""
    open: bool | None = None
    attributes: tuple[str, ...] = ()
    """Such as `program=O1001` or `mean_load>80`; all must hold."""


def predicate(question: Question, who: Identity) -> Predicate:
    """What the frames must fit, the branches of the identity among it.

    Raises:
        Invalid: a filter on an attribute cannot be read.
    """
    parts: list[Predicate] = [_seen(who)]
    for column in ("template", "kind"):
        value = getattr(question, column)
        if value:
            parts.append(Compare(column=column, op="=", value=value))
    if question.asset:
        parts.append(below(question.asset))
    if question.stop_ns is not None:
        parts.append(Compare(column="start_ns", op="<", value=question.stop_ns))
    if question.start_ns is not None:
        parts.append(at_or_after(question.start_ns))
    if question.open is not None:
        is_open = IsNull(column="end_ns")
        parts.append(is_open if question.open else Not(part=is_open))
    return And(parts=(*parts, *_filters(question.attributes)))


def below(branch: str) -> Predicate:
    """On a branch, or below it."""
    return Or(
        parts=(
            Compare(column="asset", op="=", value=branch),
            Prefix(column="asset", text=f"{branch}/"),
        )
    )


def _seen(who: Identity) -> Predicate:
    if "" in who.branches:
        return And(parts=())
    return Or(parts=tuple(below(b) for b in who.branches))


def _filters(texts: Sequence[str]) -> list[Predicate]:
    if len(texts) > FILTERS_MAX:
        raise Invalid(f"{len(texts)} filters, wanted at most {FILTERS_MAX}")
    found: list[Predicate] = []
    for text in texts:
        read = _FILTER.fullmatch(text.strip())
        if read is None:
            raise Invalid(
                f"filter {text[:80]!r} cannot be read",
                remedy="Write a name, one of = != < <= > >=, and a value: `program=O1001`.",
            )
        name, op, value = read[1], read[2], read[3].strip()
        fits: list[Predicate] = []
        try:
            fits.append(Compare(column="number", op=op, value=float(value)))
        except ValueError:
            if value in ("true", "false"):
                fits.append(Compare(column="number", op=op, value=float(value == "true")))
        fits.append(Compare(column="text", op=op, value=value))
        named = Compare(column="attribute", op="=", value=name)
        found.append(Some(part=And(parts=(named, Or(parts=tuple(fits))))))
    return found
