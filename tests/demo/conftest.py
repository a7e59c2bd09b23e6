"""Device servers as processes of their own."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from lineshaft.demo.device import READY

Start = Callable[..., AbstractAsyncContextManager[asyncio.subprocess.Process]]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def device(tmp_path: Path) -> Start:
    """Starts a device of the demo and waits until it answers."""

    @asynccontextmanager
    async def start(*words: str | int) -> AsyncGenerator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lineshaft.demo.device", *map(str, words)),
            *("--folder", str(tmp_path), "--parent", str(os.getpid())),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            if "broker" not in words:
                assert (await process.stdout.readline()).decode().strip() == READY
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return start
