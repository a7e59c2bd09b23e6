"""Every engine of records is put through the contract: to exist is to be tested."""

import asyncio

import msgspec
import pytest

from lineshaft.core.plugin import find, kinds, load_example
from lineshaft.testing.questions import QUESTIONS
from lineshaft.testing.records import KEPT_RECORDS, RECORDS


def fields(kind):
    return {f.name for f in msgspec.structs.fields(find("records", kind).Config)}


def factory(kind, folder):
    table = {"path": str(folder / "records.db")} if "path" in fields(kind) else {}
    return lambda: find("records", kind).from_table("records", table)


@pytest.mark.parametrize("kind", kinds("records"))
@pytest.mark.parametrize("check", RECORDS + QUESTIONS, ids=lambda c: c.__name__)
async def test_records(kind, check, tmp_path):
    async with asyncio.timeout(30):
        await check(factory(kind, tmp_path))


@pytest.mark.parametrize("kind", [k for k in kinds("records") if "path" in fields(k)])
@pytest.mark.parametrize("check", KEPT_RECORDS, ids=lambda c: c.__name__)
async def test_records_that_are_kept(kind, check, tmp_path):
    async with asyncio.timeout(30):
        await check(factory(kind, tmp_path))


@pytest.mark.parametrize("kind", kinds("records"))
def test_the_example_loads(kind):
    plugin = find("records", kind)
    plugin.from_table("records", load_example(plugin))
