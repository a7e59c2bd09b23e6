import asyncio
import importlib.util
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from lineshaft.plant import Plant
from lineshaft.settings import load

_spec = importlib.util.spec_from_file_location("machines", Path(__file__).with_name("machines.py"))
_machines = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_machines)


@pytest.fixture(scope="session")
def machines():
    return _machines


PASSWORD = "a long enough password"


@asynccontextmanager
async def _running(path):
    plant = Plant(await asyncio.to_thread(load, path))
    up = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(plant.run(lambda s: up.done() or up.set_result(s)))
        await asyncio.wait([task, up], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        started = up.result()
        headers = {"X-Requested-With": "lineshaft"}
        async with httpx.AsyncClient(base_url=started.url, headers=headers, timeout=30) as client:
            old = started.password or PASSWORD
            login = {"name": "admin", "password": old}
            done = await client.post("/api/v1/session", json=login)
            assert done.status_code == 200, done.text
            if started.password:
                change = {"old": old, "new": PASSWORD}
                done = await client.put("/api/v1/password", json=change)
                assert done.status_code == 204, done.text
            yield plant, client
        plant.stop()


@pytest.fixture
def running():
    """A plant from its settings file, and a client that is logged in as its administrator."""
    return _running
