"""Arrow IPC streams from strangers: read so that no bytes can bring the process down."""

import struct

import pyarrow as pa

from lineshaft.core.errors import Invalid

ROW_BYTES_MIN = 4
"""Bytes that a row takes at least: fewer are a trick that would fill the memory."""
_DICTIONARY, _ROWS = 2, 3
_HEADER_TYPE, _HEADER = 1, 2
_DICTIONARY_DATA, _COMPRESSION = 1, 3
"""Places of fields in the tables of Arrow's `Message.fbs`."""
_REMEDY = "Send what `pyarrow.ipc.new_stream` writes."


def read_stream(data: bytes) -> pa.Table:
    """The table in an uncompressed Arrow IPC stream, with every offset and index checked.

    Raises:
        Invalid: the bytes are no such stream, or would take far more memory than they are long.
    """
    try:
        for message in pa.ipc.MessageReader.open_stream(data):
            if _is_compressed(message.metadata.to_pybytes()):
                raise Invalid(
                    f"the Arrow IPC stream of {len(data)} bytes is compressed, wanted a plain one",
                    remedy="Write it without the option `compression`.",
                )
        table = pa.ipc.open_stream(data).read_all()
        # Arrow believes the lengths and offsets it reads, and crashes on wrong ones.
        table.validate(full=True)
    except (pa.ArrowException, OSError, EOFError, ValueError, struct.error) as error:
        raise Invalid(
            f"{len(data)} bytes are not an Arrow IPC stream: {error}", remedy=_REMEDY
        ) from error
    if table.num_rows * ROW_BYTES_MIN > len(data):
        raise Invalid(
            f"{len(data)} bytes say that they are {table.num_rows} rows,"
            f" wanted at least {ROW_BYTES_MIN} bytes a row",
            remedy=_REMEDY,
        )
    return table


def _is_compressed(metadata: bytes) -> bool:
    """Whether the body of a message is: a few bytes could grow to more than there is memory."""
    message: int = struct.unpack_from("<I", metadata, 0)[0]
    kind = _field(metadata, message, _HEADER_TYPE)
    header = _table(metadata, message, _HEADER)
    if not kind or not header or metadata[kind] not in (_DICTIONARY, _ROWS):
        return False
    if metadata[kind] == _DICTIONARY:
        header = _table(metadata, header, _DICTIONARY_DATA)
    return bool(header and _field(metadata, header, _COMPRESSION))


def _field(data: bytes, table: int, field: int) -> int:
    """Where a field of a flatbuffer's table stands; 0 when it is left out."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    (size,) = struct.unpack_from("<H", data, vtable)
    at = 4 + 2 * field
    place: int = struct.unpack_from("<H", data, vtable + at)[0] if at < size else 0
    return table + place if place else 0


def _table(data: bytes, table: int, field: int) -> int:
    """Where the table that a field refers to stands; 0 when it is left out."""
    place = _field(data, table, field)
    return place + int(struct.unpack_from("<I", data, place)[0]) if place else 0
