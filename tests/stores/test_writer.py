"""A defect in the thread that writes is told to everybody, and nobody waits for ever."""

import asyncio

import pytest

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Unavailable
from lineshaft.core.plugin import build
from lineshaft.stores import Store


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_who_waits_is_told_when_the_writer_has_ended(tmp_path, monkeypatch):
    def broken(*_):
        raise ValueError("canary")

    store = build(Store, {"kind": "parquet", "path": str(tmp_path)})
    async with store.opened():
        monkeypatch.setattr("lineshaft.stores.parquet.writer.rows_of", broken)
        async with asyncio.timeout(5):
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await store.append(Batch.of_rows([("a", 1, 1.0)]))
        assert not store.health().ok
        assert "restart" in store.health().problem
