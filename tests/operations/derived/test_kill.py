"""A plant that is killed, again and again, has every derived row when it is back."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def fed(folder: Path, first: int) -> subprocess.Popen:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    command = [sys.executable, "-m", "tests.operations.derived.fed", str(folder), str(first)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )


@pytest.mark.timeout(180)
def test_no_row_is_missing_or_wrong_after_kill_9(tmp_path):
    first = 0
    for _ in range(3):
        with fed(tmp_path, first) as process:
            for _ in range(random.randint(40, 120)):
                first = int(process.stdout.readline()) + 1
            process.kill()
    with fed(tmp_path, -1) as process:
        assert process.stdout.readline() == "differences 0\n"
        assert process.wait() == 0
