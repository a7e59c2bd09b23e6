"""The benchmark chaos in short: devices die at random, nothing acknowledged is lost."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.demo.machines import PLACES
from lineshaft.stores import Store

FILE = Path(__file__).parents[2] / "benchmarks" / "chaos.py"


@pytest.fixture(scope="module")
def chaos() -> ModuleType:
    spec = importlib.util.spec_from_file_location("chaos", FILE)
    module = importlib.util.module_from_spec(spec)
    # Its settings and results are structs, which look up their module.
    sys.modules["chaos"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(180)
async def test_nothing_acknowledged_is_lost_and_all_come_back(chaos: ModuleType, tmp_path: Path):
    result = await chaos.run(tmp_path, 20.0, 5)
    print(chaos.report(result))
    assert result.backs
    assert result.published > 1_000
    assert (result.missing, result.missing_by_broker, result.tap_dropped) == (0, 0, 0)


async def test_a_lost_sample_would_be_seen(chaos: ModuleType, tmp_path: Path):
    store = build(Store, {"kind": "parquet", "name": "s", "path": str(tmp_path)})
    path = f"{PLACES['meter']}/seq"
    async with store.opened():
        await store.append(Batch.of_rows((path, t, 1.0) for t in (10, 30)))
    found = await _open_and_compare(chaos, store, {path: {10, 20, 30}}, {"meter": {10, 25}})
    assert found == (1, 1)


async def _open_and_compare(chaos, store, published, by_broker):
    tap = chaos.Tap()
    tap.keys.update(published)
    result = chaos.Result(seconds=1)
    async with store.opened():
        await chaos.compare(store, tap, by_broker, result)
    assert not result.is_good
    return result.missing, result.missing_by_broker


def test_the_first_and_last_acknowledgements_of_the_broker_do_not_count(
    chaos: ModuleType, tmp_path: Path
):
    ledger = tmp_path / "meter.ledger"
    ledger.write_text("".join(f"{n * 10**9}\n" for n in range(100)))
    assert sorted(chaos._ledger(ledger, 10 * 10**9)) == [n * 10**9 for n in range(10, 94)]
