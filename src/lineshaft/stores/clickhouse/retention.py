"""Deleting what rules no longer keep: whole partitions where all is old, rows where not."""

from collections.abc import Sequence

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.stores import Retained, Rule
from lineshaft.stores._rules import Rules
from lineshaft.stores.clickhouse.engine import Engine
from lineshaft.stores.clickhouse.reading import Reading
from lineshaft.stores.clickhouse.tables import INT64_MIN
from lineshaft.stores.clickhouse.writer import Writer

BUDGET = "disk budget"
RETENTION = "retention"


def retain(
    engine: Engine,
    writer: Writer,
    reading: Reading,
    rules: Sequence[Rule],
    budget_bytes: int,
    *,
    dry: bool,
) -> Retained:
    """Delete what is too old or too much; on the writer's thread."""
    files: list[str] = []
    reasons: dict[str, int] = {}
    rows = 0
    storage = {s.point: s for s in reading.storage(None)}
    for rule, points in _by_rule(rules, list(storage)):
        cut = now_ns() - round(rule.raw_s * NS_PER_S)
        old = [p for p in points if storage[p].first_ns < cut]
        gone = reading.counts(old, INT64_MIN, cut)
        for point, count in gone.items():
            share = storage[point].bytes * count // max(storage[point].rows, 1)
            reasons[rule.branch] = reasons.get(rule.branch, 0) + share
        rows += sum(gone.values())
        if gone and not dry:
            writer.delete(list(gone), INT64_MIN, cut, RETENTION)
    if budget_bytes:
        taken, freed, lost = _over_budget(engine, writer, reading, budget_bytes, dry=dry)
        files += taken
        rows += lost
        if taken:
            reasons[BUDGET] = freed
    return Retained(files=tuple(files), bytes=sum(reasons.values()), rows=rows, reasons=reasons)


def _by_rule(rules: Sequence[Rule], points: Sequence[str]) -> list[tuple[Rule, list[str]]]:
    """The points that each rule decides on, of those rules that let samples go."""
    known = Rules(rules)
    found: dict[str, list[str]] = {}
    for point in points:
        found.setdefault(known.branch_of(point), []).append(point)
    return [(r, names) for b, names in found.items() if (r := known.rule(b)).raw_s > 0]


def _over_budget(
    engine: Engine, writer: Writer, reading: Reading, budget_bytes: int, *, dry: bool
) -> tuple[list[str], int, int]:
    """Drop the oldest partitions until the rest fits; never the newest one."""
    partitions = reading.partitions()
    total = sum(int(str(p["bytes"])) for p in partitions)
    taken, freed, lost = [], 0, 0
    for one in partitions[:-1]:
        if total - freed <= budget_bytes:
            break
        taken.append(str(one["id"]))
        freed += int(str(one["bytes"]))
        lost += int(str(one["rows"]))
    if taken and not dry:
        writer.drop(taken, lost, BUDGET)
    return taken, freed, lost
