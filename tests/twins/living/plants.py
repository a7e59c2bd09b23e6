"""A whole plant in a test, and somebody who may do everything in it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.plant import Plant
from lineshaft.settings import load_text

PASSWORD = "a-long-new-password-1"
WAIT_S = 20.0


@asynccontextmanager
async def plant(folder: Path, more: str = "") -> AsyncGenerator[tuple[Plant, httpx.AsyncClient]]:
    """The plant, and a client of its administrator."""
    made = Plant(load_text(f"{more}\n[server]\nport = 0\n", folder=folder))
    up: asyncio.Future = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(made.run(lambda s: up.done() or up.set_result(s)))
        started = await up
        headers = {"X-Requested-With": "lineshaft"}
        async with httpx.AsyncClient(base_url=started.url, headers=headers, timeout=30) as http:
            if started.password:
                login = {"name": "admin", "password": started.password}
                assert (await http.post("/api/v1/session", json=login)).is_success
                change = {"old": started.password, "new": PASSWORD}
                assert (await http.put("/api/v1/password", json=change)).is_success
            login = {"name": "admin", "password": PASSWORD}
            assert (await http.post("/api/v1/session", json=login)).is_success
            yield made, http
        made.stop()
        await running


async def publish(made: Plant, *rows: tuple) -> None:
    """Bring samples in the way a driver does: path and value, now."""
    now = now_ns()
    await made.spine.publish("data.test", Batch.of_rows([(r[0], now, *r[1:]) for r in rows]))


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(WAIT_S):
        while not await condition():
            await asyncio.sleep(0.05)
