"""The binary frame in which live values travel: encoded once, read by every client.

Little-endian. A header of 16 bytes: u8 version, u8 kind, u16 reserved, u32 n, f64 time of the
tick in ms. Then f64 time_ms[n], f64 number[n] (NaN for none), u32 id[n], u32 quality[n],
u32 bytes of text, and UTF-8 JSON `{"id": "text"}` of the rows that carry text.
"""

import enum
import struct
from typing import NamedTuple

import msgspec
import numpy as np

from lineshaft.core.batch import Codes, Floats
from lineshaft.core.errors import Invalid

VERSION = 1
_HEAD = struct.Struct("<BBHId")
_SIZE = struct.Struct("<I")
_ROW_BYTES = 24


class FrameKind(enum.IntEnum):
    """What a frame brings."""

    CHANGES = 1
    """What is new since the tick before."""
    SNAPSHOT = 2
    """The last value of every point of the asset."""


class Frame(NamedTuple):
    """A frame, read; all arrays have shape (n,)."""

    kind: FrameKind
    tick_ms: float
    time_ms: Floats
    number: Floats
    id: Codes
    quality: Codes
    text: dict[int, str]


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    texts = msgspec.json.encode({str(k): v for k, v in frame.text.items()}) if frame.text else b""
    return b"".join(
        (
            _HEAD.pack(VERSION, frame.kind, 0, len(frame.id), frame.tick_ms),
            frame.time_ms.astype("<f8", copy=False).tobytes(),
            frame.number.astype("<f8", copy=False).tobytes(),
            frame.id.astype("<u4", copy=False).tobytes(),
            frame.quality.astype("<u4", copy=False).tobytes(),
            _SIZE.pack(len(texts)),
            texts,
        )
    )


def decode(data: bytes) -> Frame:
    """A frame from its bytes.

    Raises:
        Invalid: they are no frame of this version.
    """
    try:
        version, kind, _, n, tick_ms = _HEAD.unpack_from(data)
        at = _HEAD.size + _ROW_BYTES * n
        (size,) = _SIZE.unpack_from(data, at)
        if version != VERSION or len(data) != at + _SIZE.size + size:
            raise Invalid(
                f"frame of version {version} with {len(data)} bytes for {n} rows"
                f" and {size} bytes of text does not add up",
                remedy="Use a client of the server's version.",
            )
        text = msgspec.json.decode(data[at + _SIZE.size :], type=dict[int, str]) if size else {}
        return Frame(
            FrameKind(kind),
            tick_ms,
            *_columns(data, n),
            text,
        )
    except (struct.error, ValueError) as error:
        raise Invalid(f"{len(data)} bytes are not a live frame: {error}") from error


def _columns(data: bytes, n: int) -> tuple[Floats, Floats, Codes, Codes]:
    at = _HEAD.size
    return (
        np.frombuffer(data, dtype="<f8", count=n, offset=at),
        np.frombuffer(data, dtype="<f8", count=n, offset=at + 8 * n),
        np.frombuffer(data, dtype="<u4", count=n, offset=at + 16 * n),
        np.frombuffer(data, dtype="<u4", count=n, offset=at + 20 * n),
    )
