import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("machines", Path(__file__).with_name("machines.py"))
_machines = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_machines)


@pytest.fixture(scope="session")
def machines():
    return _machines
