"""A plant as a process: signals, the file with its number, reading the settings again."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable

import msgspec

from lineshaft.core.errors import LineshaftError
from lineshaft.plant import Plant, Started, one_error
from lineshaft.settings import Loaded

log = logging.getLogger(__name__)


async def run(loaded: Loaded, up: Callable[[Started], None] = lambda _: None) -> None:
    """Run a plant until SIGINT or SIGTERM; SIGHUP reads the settings again."""
    plant = Plant(loaded)
    loop = asyncio.get_running_loop()
    hangup = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, plant.stop)

    async def heed() -> None:
        while True:
            await hangup.wait()
            hangup.clear()
            try:
                done = await plant.reload()
                log.info("settings reloaded", extra=msgspec.to_builtins(done))
            except LineshaftError as error:
                log.error("settings not reloaded: %s %s", error, error.remedy)  # noqa: TRY400 - the sentence says it all

    pid_file = loaded.data / "lineshaft.pid"

    def told(started: Started) -> None:
        try:
            pid_file.write_text(f"{os.getpid()}\n")
        except OSError as error:
            log.warning("`lineshaft reload` will not find this plant", extra={"cause": str(error)})
        up(started)

    try:
        async with one_error(), asyncio.TaskGroup() as group:
            task = group.create_task(heed(), name="reload")
            await plant.run(told)
            task.cancel()
    finally:
        await asyncio.to_thread(pid_file.unlink, missing_ok=True)
