"""The made-up past: as long as promised, not too much, and joined to the live values."""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lineshaft.core.clock import NS_PER_S, from_iso
from lineshaft.demo import history
from lineshaft.demo.hall import Deed
from lineshaft.demo.history import DAYS, days, rows_of, write
from lineshaft.demo.machines import PLACES, SPECS, Factory
from lineshaft.demo.world import first_midnight

STOP = from_iso("2026-03-10T05:17:23Z")
ROWS_MAX = 5_000_000


@pytest.fixture
def factory(tmp_path: Path) -> Factory:
    return Factory(3, first_midnight(STOP), tmp_path / "logbook.jsonl")


def test_the_days_follow_each_other_without_gap_up_to_the_live_values():
    spans = days(STOP)
    assert len(spans) == DAYS
    assert spans[0][1] == STOP
    assert [s[0] for s in spans[:-1]] == [s[1] for s in spans[1:]]


def test_fourteen_days_are_not_too_many_rows_and_every_point_has_some(factory: Factory):
    start, stop = days(STOP)[3]
    rows = list(rows_of(factory, start, stop))
    assert sum(len(r.time_ns) for r in rows) * DAYS <= ROWS_MAX
    wanted = {f"{PLACES[m]}/{s.name}" for m in PLACES for s in SPECS[m] if s.name != "seq"}
    assert {r.path for r in rows if len(r.time_ns) >= 24} == wanted


def test_files_hold_numbers_or_texts_and_the_last_day_comes_first(factory: Factory, tmp_path: Path):
    last, before, texts = write(factory, tmp_path / "history", STOP, 3)
    assert [p.stem for p in (last, before, texts)] == ["last-day", "before", "texts"]
    tables = [pq.read_table(p) for p in (last, before, texts)]
    spans = days(STOP, 3)
    for table, (start, stop) in zip(
        tables, [spans[0], (spans[2][0], spans[1][1]), (spans[2][0], STOP)], strict=True
    ):
        times = table["time"].cast(pa.int64()).to_numpy()
        assert table.column_names == ["point", "time", "value"]
        assert (times >= start).all()
        assert (times < stop).all()
    assert tables[0].num_rows > 50_000
    assert pa.types.is_float64(tables[1]["value"].type)
    assert pa.types.is_string(tables[2]["value"].type)
    assert {p.rpartition("/")[2] for p in tables[2]["point"].to_pylist()} == {"program"}


def test_counters_go_on_from_history_to_live(factory: Factory):
    start, stop = days(STOP)[0]
    path = f"{PLACES['packing']}/cartons"
    (told,) = (r for r in rows_of(factory, start, stop) if r.path == path)
    live = factory.values("packing", np.array([STOP + NS_PER_S]))["cartons"][0]
    assert 0 <= live - told.value[-1] <= 24 * 2


def test_the_process_prints_each_file_and_leaves_out_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    deed = Deed(seed=3, epoch_ns=first_midnight(STOP), ports={})
    (tmp_path / "factory.json").write_bytes(msgspec.json.encode(deed))
    arguments = ["--folder", str(tmp_path), "--stop", str(STOP), "--days", "1"]
    history.main(arguments)
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [p.stem for p in paths] == ["last-day", "texts"]
    written = [p.stat().st_mtime_ns for p in paths]
    history.main(arguments)
    assert [p.stat().st_mtime_ns for p in paths] == written
