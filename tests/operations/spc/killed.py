"""A whole plant that a broker feeds, to be killed from outside: prints `up` once it runs.

`python -m tests.operations.spc.killed FOLDER PORT`: PORT is that of the broker.
"""

import asyncio
import sys
from pathlib import Path

from lineshaft.gather.device import State
from lineshaft.plant import Plant
from lineshaft.settings import load_text

POINT = "acme/press/force"


def settings(port: int) -> str:
    """A plant with two charts over a point that comes by MQTT."""
    return f"""
[server]
port = 0
[[drivers]]
name = "press"
kind = "mqtt"
host = "127.0.0.1"
port = {port}
at = "acme"
[[drivers.topics]]
filter = "press"
time = {{ key = "t", format = "ns" }}
values = [{{ name = "force", key = "force" }}]
[[charts]]
name = "single"
point = "{POINT}"
rules = "nelson"
phases = [{{ centre = 100.0, sigma = 1.0 }}]
[[charts]]
name = "grouped"
point = "{POINT}"
kind = "xbar-r"
size = 5
phases = [{{ centre = 100.0, sigma = 1.0 }}]
"""


async def main(folder: str, port: int) -> None:
    """Run until killed."""
    plant = Plant(load_text(settings(port), folder=Path(folder)))
    async with asyncio.TaskGroup() as group:
        group.create_task(plant.run(lambda _: None))
        # Before the first link the broker knows of no session to keep messages for.
        while all(d.state is not State.CONNECTED for d in plant.devices.all()):
            await asyncio.sleep(0.05)
        print("up", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
