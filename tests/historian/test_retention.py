"""The plant holds to how long history is kept, and has it on record."""

import pytest

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import SettingsError
from lineshaft.core.event import Event
from lineshaft.core.plugin import build
from lineshaft.core.settings import decode
from lineshaft.historian.retention import Keep, Retention, seconds
from lineshaft.stores import Rule, Store

DAY_NS = 86_400_000_000_000


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("", 0), ("36h", 129_600), ("90d", 7_776_000), ("2w", 1_209_600), ("0.5y", 15_778_800)],
)
def test_durations_are_read(text: str, wanted: float):
    assert seconds(text) == wanted


def test_settings_become_rules():
    keep = decode({"branch": "hall", "raw": "90d", "rollup": "5y"}, Keep)
    assert keep.rule() == Rule(branch="hall", raw_s=7_776_000.0, rollup_s=157_788_000.0)


@pytest.mark.parametrize("text", ["90", "d", "-1d", "90 d", "1m", "90d "])
def test_other_durations_are_refused(text: str):
    with pytest.raises(SettingsError):
        decode({"raw": text}, Keep)


async def test_what_is_too_old_goes_and_that_is_on_record():
    store = build(Store, {"kind": "memory"})
    events: list[Event] = []

    async def note(event: Event) -> None:
        events.append(event)

    async with store.opened():
        now = now_ns()
        await store.append(
            Batch.of_rows([Sample("a", now - 9 * DAY_NS, 1.0), Sample("a", now, 2.0)])
        )
        retention = Retention(store, [Rule(raw_s=86_400.0)], 0, note)
        assert (await retention.enforce()).rows == 1
        assert (await retention.enforce()).rows == 0
        assert (await store.read(["a"], 0, now + 1)).number.tolist() == [2.0]
    (event,) = events
    assert event.kind == "store.retained"
    assert event.data["rows"] == 1
