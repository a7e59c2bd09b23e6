"""A blocking call on the event loop fails the test that makes it."""

import pytest
from blockbuster import blockbuster_ctx

from lineshaft.core.batch import Batch, Sample

# pyarrow imports pandas, if there is one, when it makes its first array: not on a loop here.
Batch.of_rows([Sample("warm", 0, 1.0)])


@pytest.fixture(autouse=True)
def _no_blocking_calls():
    # The contract's own look at open sockets reads /proc, which never waits for a disk.
    with blockbuster_ctx() as guard:
        for name in ("os.readlink", "os.scandir", "os.stat"):
            guard.functions[name].can_block_in("lineshaft/testing/drivers.py", "_sockets")
        yield guard
