"""Files of old data become batches."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_MS, NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.historian.files import Mapping, batches, fingerprint, rows_estimate

T0 = 1_700_000_000 * NS_PER_S  # 2023-11-14T22:13:20Z


def read(path, **mapping) -> list[tuple]:
    whole = Batch.concat(list(batches(path, Mapping(**mapping))))
    return [tuple(r) for r in whole.rows()]


def csv(tmp_path, text):
    path = tmp_path / "file.csv"
    path.write_text(text)
    return path


def test_rows_of_a_long_file_become_samples(tmp_path):
    path = csv(tmp_path, "time,point,value\n2023-11-14T22:13:20Z,a/b,1.5\n1700000001,a/c,on\n")
    with pytest.raises(Invalid, match="cannot be read"):
        read(path)
    path = csv(tmp_path, "time,point,value\n2023-11-14T22:13:20Z,a/b,1.5\n"
               "2023-11-14T23:13:20.000000001+01:00,a/c,on\n")  # fmt: skip
    assert read(path) == [("a/b", T0, 1.5, 0), ("a/c", T0 + 1, "on", 0)]


def test_columns_of_a_wide_file_become_points_and_empty_cells_nothing(tmp_path):
    path = csv(tmp_path, "time,oil temp,state\n1700000000,1,run\n1700000001,,stop\n1700000002,3,\n")
    assert read(path, at="acme") == [
        ("acme/oil_temp", T0, 1.0, 0),
        ("acme/oil_temp", T0 + 2 * NS_PER_S, 3.0, 0),
        ("acme/state", T0, "run", 0),
        ("acme/state", T0 + NS_PER_S, "stop", 0),
    ]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("1700000000", {}),
        ("1700000000.0", {}),
        ("1700000000000", {}),
        ("1700000000000000", {}),
        ("1700000000000000000", {}),
        ("1700000000", {"time_format": "s"}),
        ("2023-11-14 22:13:20", {}),
        ("2023-11-14T22:13:20Z", {"time_format": "iso"}),
        ("2023-11-15 06:13:20", {"zone": "Asia/Shanghai"}),
        ("14.11.2023 22:13:20", {"time_format": "%d.%m.%Y %H:%M:%S"}),
    ],
)
def test_times_are_understood_in_many_spellings(tmp_path, text, options):
    path = csv(tmp_path, f"time,x\n{text},1\n")
    assert read(path, **options) == [("x", T0, 1.0, 0)]


def test_values_keep_what_they_are(tmp_path):
    big = 2**60 + 1
    cells = ["1e3", "-.5", "true", "FALSE", "nan", "+7", "Infinity", str(big), "7 bar"]
    rows = "".join(f"{1_700_000_000 + i},{c}\n" for i, c in enumerate(cells))
    values = [r[2] for r in read(csv(tmp_path, "time,x\n" + rows))]
    assert values[:4] == [1000.0, -0.5, 1.0, 0.0]
    assert np.isnan(values[4])
    assert values[5:] == [7.0, float("inf"), str(big), "7 bar"]


def test_german_files_are_read(tmp_path):
    path = csv(tmp_path, "Zeit;Druck\n14.11.2023 22:13:20;1,5\n")
    wanted = {"separator": ";", "decimal": ",", "time": "Zeit", "time_format": "%d.%m.%Y %H:%M:%S"}
    assert read(path, **wanted) == [("Druck", T0, 1.5, 0)]


def test_a_column_that_turns_to_text_far_down_is_no_trouble(tmp_path):
    rows = "".join(f"{1_700_000_000 + i},{i}\n" for i in range(300_000))
    path = csv(tmp_path, "time,x\n" + rows + "1700999999,broken\n")
    parts = list(batches(path, Mapping()))
    assert sum(map(len, parts)) == 300_001
    assert max(map(len, parts)) <= 50_000
    assert list(parts[-1].rows())[-1].value == "broken"


def test_parquet_of_every_common_type_is_read(tmp_path):
    path = tmp_path / "f.parquet"
    table = pa.table(
        {
            "time": pa.array([T0 // NS_PER_MS], pa.timestamp("ms")),
            "f": pa.array([1.5], pa.float32()),
            "i": pa.array([7], pa.int16()),
            "big": pa.array([2**60 + 1], pa.int64()),
            "b": [True],
            "s": pa.array(["x"]).dictionary_encode(),
            "none": pa.nulls(1),
        }
    )
    parquet.write_table(table, path)
    assert read(path) == [
        ("f", T0, 1.5, 0), ("i", T0, 7.0, 0), ("big", T0, str(2**60 + 1), 0),
        ("b", T0, 1.0, 0), ("s", T0, "x", 0),
    ]  # fmt: skip


def test_a_quality_column_is_kept_and_lets_bad_rows_be_empty(tmp_path):
    path = csv(tmp_path, f"time,point,value,q\n1700000000,a,1,0\n1700000001,a,,{0x80000000}\n")
    assert read(path, quality="q") == [("a", T0, 1.0, 0), ("a", T0 + NS_PER_S, None, 0x80000000)]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("zeit,x\n1,2\n", {}, "no column 'time'"),
        ("time,point,x\n1,a,2\n", {}, "none 'value'"),
        ("time,point,value\n1,a b,2\n", {}, "a b"),
        ("time,x\nsoon,2\n", {}, "cannot be read"),
        ("time,x\n,2\n", {}, "no time"),
        ("time,x\n9300000000000,2\n", {"time_format": "ms"}, "too far"),
        ("time,x\nnan,2\n", {}, "too far"),
        ("time,x\n1,2,3\n", {}, "cannot be read"),
        ("", {}, "cannot be read"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, text, options, says):
    with pytest.raises(Invalid, match=says):
        read(csv(tmp_path, text), **options)


@given(st.lists(st.tuples(st.integers(0, 9 * 10**12), st.floats(allow_nan=False)), max_size=50))
def test_a_written_file_reads_back_the_same(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("f") / "x.csv"
    path.write_text("time,point,value\n" + "".join(f"{t},p,{v!r}\n" for t, v in rows))
    found = read(path, time_format="ms")
    assert found == [("p", t * NS_PER_MS, v, 0) for t, v in rows]


def test_the_fingerprint_changes_with_file_and_mapping(tmp_path):
    path = csv(tmp_path, "time,x\n1,2\n")
    one = fingerprint(path, Mapping())
    assert one == fingerprint(path, Mapping())
    assert one != fingerprint(path, Mapping(at="a"))
    assert rows_estimate(path, Mapping()) == 1
    path.write_text("time,x\n1,3\n")
    assert one != fingerprint(path, Mapping())
