"""Runs checks against ClickHouse in this process, one after another, and tells how each ended.

python clickhouse_check.py FOLDER

A process holds one folder of chdb, and never gives it back: so this is not done by pytest itself.
"""

import asyncio
import inspect
import json
import sys
import traceback
from pathlib import Path

import clickhouse_connect

from lineshaft.core.plugin import build
from lineshaft.stores import Store
from lineshaft.testing.stores import STORE

sys.path.insert(0, str(Path(__file__).parent))
import clickhouse_checks


class Making:
    """Makes stores in one engine; a fresh one has a database of its own."""

    def __init__(self, folder: str, name: str) -> None:
        self.folder = folder
        self.name = name
        self.made = 0

    def fresh(self, **more) -> Store:
        self.made += 1
        return self.again(**more)

    def again(self, **more) -> Store:
        table = {
            "path": self.folder,
            "database": f"{self.name} {self.made}",
            "pace_s": 0,
            "partition_days": 1,
        }
        return build(Store, {"kind": "clickhouse", "readers": 2, **table, **more})


def main() -> None:
    """Every check, or those named; those that open a store again come first."""
    held = []
    checks = (*STORE, *clickhouse_checks.CHECKS)
    for check in sorted(checks, key=lambda c: ".again(" not in inspect.getsource(c)):
        name = check.__name__
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        if ".again(" not in inspect.getsource(check) and not held:
            # The engine need not start anew for each of the others.
            held.append(clickhouse_connect.get_client(dsn=f"chdb://{sys.argv[1]}"))
        try:
            asyncio.run(asyncio.wait_for(check(Making(sys.argv[1], name)), 200))
            said = ""
        except Exception:  # noqa: BLE001 - told to the test
            said = traceback.format_exc()
        print(json.dumps([name, said]), flush=True)


if __name__ == "__main__":
    main()
