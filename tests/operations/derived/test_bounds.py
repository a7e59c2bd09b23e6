"""What reaches far back in time takes no more memory than what does not."""

import threading

import numpy as np
import pytest
from tests.operations.derived.benches import BEGIN, S, bench

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Point
from lineshaft.operations.derived import history, trial
from lineshaft.operations.derived.bank import ALOUD
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


async def test_a_window_of_many_samples_is_worked_out_beside_the_event_loop():
    definition = Definition(point="hall/d", expression="avg(a, '366d')", every_s=0, lateness_s=0)
    async with bench(POINTS) as made, made.running(definition) as engine:
        times = BEGIN + S * np.arange(ALOUD + 2)
        index = np.zeros(len(times), dtype=np.int32)
        await made.store.append(Batch.of(["hall/a"], index, times, number=np.ones(len(times))))
        made.clock.now = int(times[-1])
        await made.publish(("hall/a", int(times[-1]), 1.0))
        await made.settled()
        threads: list[str] = []
        calculation = engine._bank.calculations["hall/d"]
        push = calculation.push

        def heard(*given):
            threads.append(threading.current_thread().name)
            return push(*given)

        calculation.push = heard
        made.clock.now += S
        await made.publish(("hall/a", made.clock.now, 1.0))
        await made.settled()
        assert threads
        assert threading.main_thread().name not in threads
        assert (await made.stored("hall/d"))[-1].value == 1.0
