"""Time that tests move: a loop that jumps to the next timer instead of waiting for it."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

Test = Callable[..., Coroutine[Any, Any, None]]


class _Selector(selectors.DefaultSelector):
    """Never waits: what would have been waited for is added to `passed_s`."""

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.passed_s += timeout
        elif not ready and timeout is None:
            ready = super().select(None)  # only a thread or a socket can wake us
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.clock = _Selector()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.passed_s


def virtual_time(test: Test) -> Callable[..., None]:
    """Runs an async test in which an hour's sleep takes no time; loop time begins at 0."""

    @wraps(test)
    def run(*args: object, **fixtures: object) -> None:
        # Not asyncio.Runner: it would put the test runner's own loop out of its place.
        loop = _Loop()
        try:
            loop.run_until_complete(test(*args, **fixtures))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    return run
