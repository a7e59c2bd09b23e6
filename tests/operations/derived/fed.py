"""A whole plant that feeds itself and says what was acknowledged, to be killed from outside.

`python -m tests.operations.derived.fed FOLDER FIRST`: publishes batches from number FIRST on, and
prints the number of each that was acknowledged. With FIRST below 0 it publishes nothing, waits
until all is calculated, and prints what differs from one evaluation over all samples.
"""

import asyncio
import sys
from pathlib import Path

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.operations.derived.definition import Compiled, compiled
from lineshaft.operations.derived.rows import batch_of, columns_of, samples_of_result
from lineshaft.plant import Plant
from lineshaft.settings import load_text

SETTINGS = """
[server]
port = 0
[[derived]]
point = "hall/sum"
expression = "a + b"
lateness_s = 0.2
[[derived]]
point = "hall/high"
expression = "duration(sum > 40) > duration('300ms')"
every_s = 0.1
lateness_s = 0.2
[[derived]]
point = "hall/average"
expression = "avg(sum, '1s')"
every_s = 0
lateness_s = 0.2
"""
LATE_EVERY, LATE_S = 7, 2
MARGIN_S = 1


def batch(number: int) -> Batch:
    """Two samples; one batch in so many is late."""
    time_ns = now_ns() - (LATE_S * NS_PER_S if number % LATE_EVERY == 0 else 0)
    value = float(number * 37 % 50)
    return Batch.of_rows([("hall/a", time_ns, value), ("hall/b", time_ns, value / 2)])


async def feed(plant: Plant, first: int) -> None:
    number = first
    while True:
        await plant.spine.publish("data.test", batch(number))
        print(number, flush=True)
        number += 1
        await asyncio.sleep(0.01)


async def differences(plant: Plant) -> int:
    """Rows that are not as one evaluation over all samples gives them."""
    engine = plant.operations.engine
    definitions = {d.point: d for d in engine.definitions("derived")}

    def find(path: str):
        return made(path).point if path in definitions else plant.historian.namespace.find(path)

    def made(path: str) -> Compiled:
        return compiled(definitions[path], find)

    wrong = 0
    until = int((await plant.store.last(["hall/a"])).time_ns[0]) - MARGIN_S * NS_PER_S
    for path in definitions:
        one = made(path)
        history = await plant.store.read(one.inputs, 0, 2**62)
        start = engine.state(path).since_ns
        columns = columns_of(history, set(one.inputs))
        result = one.expression.over(columns, start, until)
        wanted = batch_of(path, samples_of_result(result, one.expression.type))
        found = await plant.store.read([path], start, until)
        wrong += len({*map(repr, wanted.rows())} ^ {*map(repr, found.rows())})
        assert len(found) > 10, path
    return wrong


async def calm(plant: Plant) -> None:
    """Wait until nothing is left to do."""
    engine = plant.operations.engine
    points = [d.point for d in engine.definitions("derived")]
    quiet = 0
    while quiet < 5:
        await asyncio.sleep(0.5)
        states = [engine.state(p) for p in points]
        quiet = quiet + 1 if all(s.phase.value == "live" for s in states) else 0


async def main(folder: str, first: int) -> None:
    plant = Plant(load_text(SETTINGS, folder=Path(folder)))
    up = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(plant.run(lambda _: up.set()))
        await up.wait()
        if first >= 0:
            await feed(plant, first)
        await calm(plant)
        print("differences", await differences(plant), flush=True)
        plant.stop()
        await running


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
