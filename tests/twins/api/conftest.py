import pytest
from tests.twins.api.house import house


@pytest.fixture
async def plant(tmp_path):
    async with house(tmp_path) as made:
        yield made
