"""Bytes that claim to be an Arrow IPC stream."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from lineshaft.core.batch import SCHEMA, Batch
from lineshaft.core.errors import Invalid

ROWS = 1_000_000


def stream(table, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write(table)
    return sink.getvalue().to_pybytes()


def plain():
    points = pa.array(["a/b"] * 100)
    return stream(pa.table({"point": points, "time_ns": [1] * 100, "number": [1.0] * 100}))


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_a_compressed_stream_is_refused_before_it_fills_the_memory(codec):
    zeros = np.zeros(ROWS)
    batch = Batch.of(["a/b"], zeros.astype(np.int32), zeros.astype(np.int64), number=zeros)
    data = stream(pa.Table.from_batches([batch.arrow]), compression=codec)
    assert len(data) < ROWS
    with pytest.raises(Invalid, match="compressed"):
        Batch.from_ipc(data)


def test_a_compressed_dictionary_is_refused():
    names = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array(["a" * 100_000]))
    columns = [names, pa.array([1]), pa.array([1.0]), pa.nulls(1, pa.string())]
    quality = pa.array([0], pa.uint32())
    batch = pa.RecordBatch.from_arrays([*columns, quality], schema=SCHEMA)
    with pytest.raises(Invalid, match="compressed"):
        Batch.from_ipc(stream(pa.Table.from_batches([batch]), compression="zstd"))


def test_rows_that_take_no_bytes_are_refused():
    table = pa.table({n: pa.nulls(ROWS) for n in ("point", "time_ns", "number")})
    with pytest.raises(Invalid, match="bytes a row"):
        Batch.from_ipc(stream(table))


def test_indices_outside_the_dictionary_are_refused():
    names = pa.DictionaryArray.from_arrays(
        pa.array([5] * 9, pa.int32()), pa.array(["a"]), safe=False
    )
    with pytest.raises(Invalid):
        Batch.from_ipc(stream(pa.table({"point": names, "time_ns": [1] * 9, "number": [1.0] * 9})))


HURT = """
import random, sys
from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid
data = bytes.fromhex(sys.stdin.read())
chance = random.Random(1)
refused = 0
for _ in range(1500):
    hurt = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        hurt[chance.randrange(len(hurt))] = chance.randrange(256)
    try:
        Batch.from_ipc(bytes(hurt)).points
    except Invalid:
        refused += 1
print(refused)
"""


def test_no_flipped_byte_brings_the_process_down():
    rich = Batch.of_rows([("a/b", i, float(i), 0) for i in range(50)] + [("a/c", 1, "text", 0)])
    for data in (plain(), rich.to_ipc()):
        # In a process of its own, since without the checks it dies of a segmentation fault.
        done = subprocess.run(
            [sys.executable, "-c", HURT],
            input=data.hex(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) > 100


def test_an_honest_stream_is_read():
    assert len(Batch.from_ipc(plain())) == 100
