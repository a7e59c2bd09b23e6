"""A records file in a folder of the test's own."""

import pytest

from lineshaft.core.plugin import build
from lineshaft.records import Records


@pytest.fixture
def path(tmp_path):
    return tmp_path / "records.db"


@pytest.fixture
def make(path):
    """Each call gives a new object on the same file."""
    return lambda: build(Records, {"kind": "sqlite", "path": str(path)})
