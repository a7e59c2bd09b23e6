"""Every spine is put through the contract: to exist is to be tested."""

import asyncio

import pytest

from lineshaft.core.plugin import find, kinds
from lineshaft.testing.spines import SPINE


@pytest.mark.parametrize("kind", kinds("spines"))
@pytest.mark.parametrize("check", SPINE, ids=lambda c: c.__name__)
async def test_spine(kind, check):
    async with asyncio.timeout(10):
        await check(find("spines", kind).from_table("spine", {}))
