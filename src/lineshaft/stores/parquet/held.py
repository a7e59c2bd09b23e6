"""The file of a segment while it is written: the index gets in before the footer."""

import zlib

from lineshaft.stores.parquet import footer as footers
from lineshaft.stores.parquet.files import Sink
from lineshaft.stores.parquet.index import Collector


class Held:
    """A file that keeps the footer back, so that the index can stand before it."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._at = 0
        self._parts: list[bytes] | None = None
        self.tail_bytes = self.tail_crc = 0
        """Bytes at the end of the file, and their checksum."""

    def write(self, data: bytes | memoryview) -> int:
        """Hand on what comes, or hold it."""
        if self._parts is None:
            self._sink.write(data)
        else:
            self._parts.append(bytes(data))
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        """Where the next byte goes."""
        return self._at

    def flush(self) -> None:
        """Nothing to do before the end."""

    def close(self) -> None:
        """The one who opened the file closes it."""

    def hold(self) -> None:
        """From now on comes what stands at the end of the file."""
        self._parts = []

    def finish(self, runs: Collector) -> None:
        """Write the index and, behind it, what was held."""
        held = b"".join(self._parts or [])
        length = footers.LENGTH.unpack_from(held, len(held) - footers.TAIL)[0]
        at = len(held) - footers.TAIL - length
        index = runs.packed(held[at : at + length])
        tail = b"".join((held[:at], index, held[at:]))
        self._sink.write(tail)
        self.tail_bytes, self.tail_crc = len(tail), zlib.crc32(tail)
