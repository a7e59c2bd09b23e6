"""One connection to a Modbus TCP device: requests, replies, and how it ends."""

import asyncio
import enum
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Self

import numpy as np
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from lineshaft.core.errors import LinkLost, Refused
from lineshaft.core.quality import Quality
from lineshaft.drivers.modbus.plan import Block
from lineshaft.drivers.modbus.registers import BIT_TABLES, Bits, ModbusPoint, Table, Type, Words

SILENT_MAX = 3
"""Requests in a row without an answer after which the device counts as gone."""

HEAD = 7
"""Bytes before the function code: transaction, protocol, length, unit."""
BODY_MAX = 254
EXCEPTION_SIZE = 2
READS = (1, 2, 3, 4)
WRITES = {5: 5, 6: 5, 15: 5, 16: 5, 22: 7}
"""Size of the answer to each function that writes."""


class Fault(enum.Enum):
    """Why a request brought no values: the exception codes of Modbus, and silence."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    ACKNOWLEDGE = 5
    BUSY = 6
    NEGATIVE_ACKNOWLEDGE = 7
    MEMORY_PARITY = 8
    GATEWAY_PATH = 10
    GATEWAY_TARGET = 11
    SILENCE = 256
    """No answer within the time."""
    SHORT = 257
    """An answer that holds other than what was asked for."""
    OTHER = 258
    """An exception code that the standard does not know."""

    @property
    def quality(self) -> Quality:
        """The status code that its points get."""
        return _QUALITY[self]

    @property
    def text(self) -> str:
        """What it means, for people."""
        return _TEXT[self]

    @property
    def may_be_one(self) -> bool:
        """Whether a single address of many may be the cause."""
        return self in (Fault.ILLEGAL_ADDRESS, Fault.ILLEGAL_VALUE, Fault.SILENCE)

    @property
    def lasts(self) -> bool:
        """Whether asking again soon is of no use."""
        return self in (Fault.ILLEGAL_FUNCTION, Fault.ILLEGAL_ADDRESS, Fault.ILLEGAL_VALUE)


_QUALITY = {
    Fault.ILLEGAL_FUNCTION: Quality.BAD_NOT_SUPPORTED,
    Fault.ILLEGAL_ADDRESS: Quality.BAD_NODE_ID_UNKNOWN,
    Fault.ILLEGAL_VALUE: Quality.BAD_NODE_ID_INVALID,
    Fault.DEVICE_FAILURE: Quality.BAD_DEVICE_FAILURE,
    Fault.ACKNOWLEDGE: Quality.BAD_NO_DATA,
    Fault.BUSY: Quality.BAD_NO_DATA,
    Fault.NEGATIVE_ACKNOWLEDGE: Quality.BAD_NO_DATA,
    Fault.MEMORY_PARITY: Quality.BAD_DEVICE_FAILURE,
    Fault.GATEWAY_PATH: Quality.BAD_NO_COMMUNICATION,
    Fault.GATEWAY_TARGET: Quality.BAD_NO_COMMUNICATION,
    Fault.SILENCE: Quality.BAD_TIMEOUT,
    Fault.SHORT: Quality.BAD_DECODING_ERROR,
    Fault.OTHER: Quality.BAD_COMMUNICATION_ERROR,
}
_OF_CODE = {f.value: f for f in Fault}
_TEXT = {
    Fault.ILLEGAL_FUNCTION: "the device does not know this function (exception 1)",
    Fault.ILLEGAL_ADDRESS: "the device has no such address (exception 2)",
    Fault.ILLEGAL_VALUE: "the device does not take this value or length (exception 3)",
    Fault.DEVICE_FAILURE: "the device has failed (exception 4)",
    Fault.ACKNOWLEDGE: "the device needs more time (exception 5)",
    Fault.BUSY: "the device is busy (exception 6)",
    Fault.NEGATIVE_ACKNOWLEDGE: "the device cannot do it (exception 7)",
    Fault.MEMORY_PARITY: "the device's memory is faulty (exception 8)",
    Fault.GATEWAY_PATH: "the gateway has no path to the unit (exception 10)",
    Fault.GATEWAY_TARGET: "the unit behind the gateway does not answer (exception 11)",
    Fault.SILENCE: "no answer within the time",
    Fault.SHORT: "the answer does not hold what was asked for",
    Fault.OTHER: "an exception that the standard does not know",
}


class Link:
    """A connected device; one request at a time, none repeated."""

    def __init__(self, name: str, unit: int, client: AsyncModbusTcpClient) -> None:
        self._name = name
        self._unit = unit
        self._client = client
        self._closed = asyncio.Event()
        self._turn = asyncio.Lock()
        self._silent = 0
        self._cause = "the device closed the connection"
        self.answers = 0
        """Requests that were answered so far."""

    @classmethod
    async def open(cls, name: str, host: str, port: int, unit: int, timeout_s: float) -> Self:
        """Connect.

        Raises:
            LinkLost: nobody answers there.
        """
        # It would write a line for each attempt; the supervisor already tells what is wrong.
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        links: list[Self] = []
        client = AsyncModbusTcpClient(
            host,
            port=port,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_connect=lambda is_up: None if is_up or not links else links[0].end(),
            trace_packet=lambda is_sent, data: data if is_sent else links[0].checked(data),
        )
        link = cls(name, unit, client)
        links.append(link)
        if not await client.connect():
            client.close()
            raise LinkLost(
                f"{name}: {host}:{port} does not take a connection within {timeout_s:g} s",
                remedy="See that the device is on, and that address and port are right.",
            )
        return link

    def end(self) -> None:
        """Note that the connection is gone, and wake up who waits for an answer."""
        self._closed.set()
        waiting = self._client.ctx.response_future
        if not waiting.done():
            waiting.set_exception(ConnectionException(self._cause))
            waiting.exception()  # nobody may be waiting, and that is no fault

    def checked(self, data: bytes) -> bytes:
        """What came, if it is Modbus so far; else nothing, and the link ends."""
        if _is_sound(data):
            return data
        self._cause = f"it answers with {data[:24]!r}, which is no Modbus"
        self.end()
        return b""

    def close(self) -> None:
        """Close the connection; who still waits for an answer is told."""
        self.end()
        self._client.close()

    async def pause(self, until: float) -> None:
        """Wait until the loop's clock says so.

        Raises:
            LinkLost: the connection ended before.
        """
        try:
            async with asyncio.timeout_at(until):
                await self._closed.wait()
        except TimeoutError:
            return
        raise self._lost(self._cause)

    async def read(self, block: Block) -> Words | Bits | Fault:
        """The registers or bits of the block.

        Raises:
            LinkLost: the connection broke, or the device has not answered for too long.
        """
        ask = {
            Table.HOLDING: self._client.read_holding_registers,
            Table.INPUT: self._client.read_input_registers,
            Table.COIL: self._client.read_coils,
            Table.DISCRETE: self._client.read_discrete_inputs,
        }[block.table]
        reply = await self._ask(lambda: ask(block.start, count=block.size, device_id=self._unit))
        if isinstance(reply, Fault):
            return reply
        if block.table in BIT_TABLES:
            bits = np.array(reply.bits[: block.size], dtype=np.bool_)
            return bits if len(bits) == block.size else Fault.SHORT
        words = np.array(reply.registers, dtype=np.uint16)
        return words if len(words) == block.size else Fault.SHORT

    async def write(self, point: ModbusPoint, words: list[int]) -> None:
        """Set the point to what `encode` made of the value.

        Raises:
            Refused: the device said no.
            LinkLost: the link is down, or no answer came.
        """
        at, unit = point.address, self._unit
        client = self._client
        request: Callable[[], Awaitable[ModbusPDU]]
        if point.table is Table.COIL:
            request = partial(client.write_coil, at, bool(words[0]), device_id=unit)
        elif point.of_type is Type.BIT and point.bit is not None:
            # Only the device can set one bit and be sure that no other changes meanwhile.
            bit = 1 << point.bit
            request = partial(
                client.mask_write_register,
                address=at,
                and_mask=0xFFFF ^ bit,
                or_mask=bit if words[0] else 0,
                device_id=unit,
            )
        elif len(words) == 1:
            request = partial(client.write_register, at, words[0], device_id=unit)
        else:
            request = partial(client.write_registers, at, words, device_id=unit)
        reply = await self._ask(request)
        if reply is Fault.SILENCE:
            raise LinkLost(
                f"{self._name}: no answer to writing {point.place}; it may be set or not",
                remedy="Read the point back before writing it again.",
            )
        if isinstance(reply, Fault):
            raise Refused(f"{self._name}: cannot write {point.name} ({point.place}): {reply.text}")

    async def _ask(self, request: Callable[[], Awaitable[Any]]) -> Any | Fault:  # noqa: ANN401
        try:
            # pymodbus has a lock too, but who waits there would not hear that the link ends.
            async with self._turn:
                if self._closed.is_set():
                    raise self._lost(self._cause)
                reply = await request()
        except ConnectionException as error:
            raise self._lost(self._cause) from error
        except ModbusException as error:
            if self._closed.is_set():
                raise self._lost(self._cause) from error
            self._silent += 1
            if self._silent >= SILENT_MAX:
                raise self._lost(f"no answer to {SILENT_MAX} requests in a row") from error
            return Fault.SILENCE
        self._silent = 0
        self.answers += 1
        if reply.isError():
            return _OF_CODE.get(reply.exception_code, Fault.OTHER)
        return reply

    def _lost(self, cause: str) -> LinkLost:
        return LinkLost(
            f"{self._name}: lost the connection: {cause}",
            remedy="It is tried again by itself; see that the device and the network are up.",
        )


def _is_sound(data: bytes) -> bool:
    """Whether the bytes are the whole or the beginning of an answer.

    pymodbus would raise out of the event loop's callback for some that are not.
    """
    if data[2:4].strip(b"\0"):
        return False
    size = int.from_bytes(data[4:6], "big")
    if len(data) < HEAD + 1 or len(data) < HEAD - 1 + size:
        return size <= BODY_MAX
    body = data[HEAD : HEAD - 1 + size]
    if not body or body[0] & 0x80:
        return len(body) == EXCEPTION_SIZE
    if body[0] in READS:
        return len(body) > 1 and body[1] == len(body) - 2
    return len(body) == WRITES.get(body[0])
