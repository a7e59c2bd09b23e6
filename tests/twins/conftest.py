from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "data"


def reference(name: str) -> Path:
    """A file or folder of the published specifications; the test is skipped where it is not."""
    path = REFERENCE / name
    if not path.exists():
        pytest.skip(f"the published {name} does not stand beside this checkout")
    return path
