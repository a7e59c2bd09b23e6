"""What tests need of the system is installed by `./do test`."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_package_that_a_test_asks_for_is_one_that_do_installs():
    wanted = set()
    for file in (ROOT / "tests").rglob("*.py"):
        wanted |= set(re.findall(r"apt(?:-get)? install ([\w.+-]+)", file.read_text("utf-8")))
    installed = (ROOT / "do").read_text("utf-8")
    assert wanted
    assert not {w for w in wanted if f'"{w}"' not in installed}
