"""What reaches far back in time takes no more memory than what does not."""

import pytest
from tests.operations.derived.benches import BEGIN, S, bench

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Point
from lineshaft.operations.derived import history, trial
from lineshaft.operations.derived.definition import Definition
from lineshaft.operations.derived.history import loaded, replay
from lineshaft.operations.derived.trial import preview

POINTS = [Point(path="hall/a"), Point(path="hall/b")]
CENTURY = "avg(a, '366d') + avg(avg(avg(b, '366d'), '366d'), '366d')"


async def filled(made, count: int) -> None:
    rows = [("hall/a", BEGIN + n * S, 1.0) for n in range(count)]
    await made.store.append(Batch.of_rows([*rows, ("hall/b", BEGIN, 1.0)]))


@pytest.mark.parametrize("text", ["avg(a, '366d')", "duration(a > 0.0) > duration('1s')"])
async def test_windows_load_no_more_samples_than_they_keep(text, monkeypatch):
    monkeypatch.setattr(history, "TAIL_ROWS_MAX", 1000)
    async with bench(POINTS) as made:
        await filled(made, 20_000)
        one = made.made(Definition(point="hall/d", expression=text))
        evaluator = await loaded(made.store, one, BEGIN + 20_000 * S)
        kept = len(evaluator.save().inputs["hall/a"].time) // 8
        assert 500 <= kept <= 1001  # and what holds before them


async def test_a_preview_whose_windows_hold_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(trial, "SAMPLES_MAX", 1000)
    async with bench(POINTS) as made:
        await filled(made, 2_000)
        definition = Definition(point="hall/d", expression=CENTURY, every_s=3600.0)
        with pytest.raises(Invalid, match="windows of the expression reach over 2001 samples"):
            await preview(
                made.store, definition, made.names.find, BEGIN + 1999 * S, BEGIN + 2000 * S
            )


async def test_a_span_that_ends_after_all_times_is_refused_and_replayed_to_their_end():
    async with bench(POINTS) as made:
        await filled(made, 10)
        definition = Definition(point="hall/d", expression="a * 2.0")
        for span in ((BEGIN, 2**63 - 1), (-(2**63) + 1, BEGIN + 5 * S)):
            with pytest.raises(Invalid, match="the span lasts from"):
                await preview(made.store, definition, made.names.find, *span)
        one = made.made(definition)
        evaluator = await loaded(made.store, one, BEGIN)
        found = [r async for _, _, r in replay(made.store, one, evaluator, 2**63 - 1)]
        assert sum(len(r.time_ns) for r in found) == 10
