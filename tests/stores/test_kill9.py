"""The stress script, for a few rounds."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMITS = ("--rounds", "15", "--seconds", "30")


def test_killed_at_random_moments_the_store_loses_and_doubles_nothing():
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "kill9.py", "--json", *LIMITS],
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
        env={"PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert figures["rounds"] > 1
    assert figures["acknowledged"] > 0
    assert figures["lost"] == figures["stale"] == figures["doubled"] == figures["foreign"] == 0
