"""One connection to an MQTT broker on the event loop, without a thread of its own.

paho reads and writes when the loop says that the socket is ready. Reading pauses while too
much waits to be stored, so a flood is held back in the broker and not in our memory.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from lineshaft.core.errors import LineshaftError, LinkLost, Refused
from lineshaft.core.flow import Channel, Full
from lineshaft.core.settings import Secret, Settings

BYTES_MAX = 16 * 1024 * 1024
"""Payload bytes that may wait to be stored before reading pauses."""
TICK_S = 1.0
PASSING = ("Server unavailable", "Server busy", "Connection rate exceeded", "Quota exceeded")
"""Refusals that may be over soon."""


class Tls(Settings, frozen=True, kw_only=True):
    """How the link is encrypted and who must prove what."""

    ca: str = ""
    """File with the certificates to trust; when empty, those of the system."""
    cert: str = ""
    """File with our own certificate, if the broker asks for one."""
    key: str = ""
    """File with its private key."""


class Address(Settings, frozen=True, kw_only=True):
    """Where the broker is and who we are to it."""

    host: str
    port: int
    client_id: str
    version: str
    keepalive_s: int
    timeout_s: float
    username: str
    password: Secret
    tls: Tls | None
    inflight_max: int
    payload_max: int
    session_s: int


class Session:
    """A connection with a session that the broker keeps: QoS 1 waits there while we are away."""

    def __init__(self, name: str, address: Address) -> None:
        self._name = name
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._inbox = Channel[MQTTMessage](
            f"{name} inbox", size_max=address.inflight_max, full=Full.WAIT
        )
        self._bytes = 0
        self._open: set[int] = set()
        """Numbers of the messages that the broker waits to see confirmed."""
        self.overflow = 0
        """Messages that found no room; reading pauses before, so there are none."""
        self._wake = asyncio.Event()
        self._error: LineshaftError | None = None
        self._is_paused = False
        self._connack: asyncio.Future[None] = self._loop.create_future()
        self._suback: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._published: dict[int, asyncio.Future[ReasonCode]] = {}
        self._tick: asyncio.TimerHandle | None = None
        self._client = self._make()

    # ---- the beginning and the end

    def _make(self) -> Client:
        address = self._address
        is_5 = address.version == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=address.client_id,
            clean_session=None if is_5 else False,
            protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = address.timeout_s
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_socket_close = self._on_socket_close
        # Until the loop has the socket nothing is sent: a call that was cancelled meanwhile must
        # not push its successor, which has the same name, out of the broker.
        client.on_socket_register_write = lambda *_: None
        if address.username:
            client.username_pw_set(address.username, address.password.reveal() or None)
        return client

    async def open(self) -> None:
        """Connect and wait for the broker's answer.

        Raises:
            LinkLost: nobody answers there.
            Refused: the broker does not let us in.
        """
        address = self._address
        where = f"{address.host}:{address.port}"
        try:
            await asyncio.to_thread(self._connect)
        except ssl.SSLCertVerificationError as error:
            raise Refused(
                f"{self._name}: the certificate of {where} is not to be trusted: {error}",
                remedy="Set `tls.ca` to the certificate of who signed it.",
            ) from error
        except OSError as error:
            raise LinkLost(
                f"{self._name}: {where} does not take a connection: {error}",
                remedy="See that the broker is on, and that address and port are right.",
            ) from error
        sock = self._client.socket()
        if sock is None:
            raise LinkLost(f"{self._name}: {where} closed the connection at once")
        self._client.on_socket_register_write = self._on_register_write
        self._client.on_socket_unregister_write = self._on_unregister_write
        self._loop.add_reader(sock, self._on_readable)
        if self._client.want_write():
            self._loop.add_writer(sock, self._client.loop_write)
        self._tick = self._loop.call_later(TICK_S, self._on_tick)
        await self._answer(self._connack, "the connection")

    def _connect(self) -> None:
        """Open the socket; blocks, so it runs in a thread."""
        address = self._address
        if address.tls is not None:
            self._client.tls_set_context(_context(self._name, address.tls))
        keep = {}
        if address.version == "5":
            properties = Properties(PacketTypes.CONNECT)
            properties.ReceiveMaximum = min(address.inflight_max, 65_535)
            properties.SessionExpiryInterval = address.session_s
            # Room for the topic and the header beside the payload.
            properties.MaximumPacketSize = address.payload_max + 70_000
            keep = {"clean_start": False, "properties": properties}
        self._client.connect(address.host, address.port, keepalive=address.keepalive_s, **keep)
        if self._error is not None:
            # Nobody waits for this thread any more, so nobody else closes what it opened.
            self._loop.call_soon_threadsafe(self._drop)

    def close(self) -> None:
        """Say goodbye and close; the broker keeps the session."""
        if self._tick is not None:
            self._tick.cancel()
        self._end(LinkLost(f"{self._name}: closed"))
        if self._client.is_connected():
            self._client.disconnect()
            self._client.loop_write()
        self._drop()

    def _drop(self) -> None:
        sock = self._client.socket()
        # paho closes once more when it is collected, perhaps when there is no loop any more.
        self._client.on_socket_close = None
        if sock is not None and sock.fileno() >= 0:
            self._on_socket_close(self._client, None, sock)
            sock.close()

    # ---- what the driver asks for

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> list[str]:
        """Ask for topics with their QoS; returns the filters that the broker refuses."""
        if self._address.version == "5":
            # 1: retained messages come when the subscription is new, not with each reconnect.
            wanted = [(f, SubscribeOptions(qos=q, retainHandling=1)) for f, q in filters]
            self._client.subscribe(wanted)
        else:
            self._client.subscribe(list(filters))
        codes = await self._answer(self._suback, "the subscription")
        return [f for (f, _), code in zip(filters, codes, strict=True) if code.is_failure]

    async def take(self, count_max: int) -> list[MQTTMessage]:
        """What waits, oldest first, at most so many; waits for one.

        Raises:
            LinkLost: the connection is gone, and nothing waits any more.
        """
        while True:
            taken: list[MQTTMessage] = []
            while len(taken) < count_max and (message := self._inbox.get_nowait()) is not None:
                taken.append(message)
                self._bytes -= len(message.payload)
            if taken:
                self._resume()
                return taken
            if self._error is not None:
                raise self._error
            self._wake.clear()
            await self._wake.wait()

    def confirm(self, messages: Sequence[MQTTMessage]) -> None:
        """Tell the broker that these are safe, in the order they came."""
        if self._error is None:
            for message in messages:
                if message.qos:
                    self._open.discard(message.mid)
                    self._client.ack(message.mid, message.qos)

    async def publish(
        self, topic: str, payload: bytes, words: Mapping[str, str] | None = None
    ) -> None:
        """Send with QoS 1; returns once the broker has it.

        With MQTT 5, `words` are its user properties; 3.1.1 has none.

        Raises:
            LinkLost: the link is down, or the broker does not answer.
            Refused: the broker does not take it.
        """
        if self._error is not None:
            raise self._error
        answer: asyncio.Future[ReasonCode] = self._loop.create_future()
        properties = None
        if words and self._address.version == "5":
            properties = Properties(PacketTypes.PUBLISH)
            properties.UserProperty = list(words.items())
        info = self._client.publish(topic, payload, qos=1, properties=properties)
        self._published[info.mid] = answer
        try:
            code = await self._answer(answer, f"a message to {topic}")
        finally:
            self._published.pop(info.mid, None)
        if code.is_failure:
            raise Refused(f"{self._name}: the broker does not take a message to {topic}: {code}")

    async def _answer(self, answer: "asyncio.Future[Any]", what: str) -> Any:  # noqa: ANN401
        try:
            async with asyncio.timeout(self._address.timeout_s):
                return await answer
        except TimeoutError as error:
            raise LinkLost(
                f"{self._name}: no answer to {what} within {self._address.timeout_s:g} s"
            ) from error

    # ---- what the loop says

    def _on_readable(self) -> None:
        """Read until the socket is empty or enough waits."""
        while not self._is_paused:
            before = len(self._inbox)
            if self._client.loop_read() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if len(self._inbox) >= self._address.inflight_max or self._bytes >= BYTES_MAX:
                sock = self._client.socket()
                if sock is not None:
                    self._loop.remove_reader(sock)
                    self._is_paused = True
            # What TLS has read ahead does not make the socket readable again.
            elif len(self._inbox) == before and not _has_more(self._client.socket()):
                return

    def _resume(self) -> None:
        sock = self._client.socket()
        if self._is_paused and sock is not None:
            self._is_paused = False
            self._loop.add_reader(sock, self._on_readable)
            self._loop.call_soon(self._on_readable)

    def _on_tick(self) -> None:
        """Keep the link alive. Not while paused: the answer to a ping could not be read."""
        if not self._is_paused:
            self._client.loop_misc()
        if self._error is None:
            self._tick = self._loop.call_later(TICK_S, self._on_tick)

    def _on_register_write(self, client: Client, data: object, sock: Any) -> None:  # noqa: ANN401
        self._loop.add_writer(sock, client.loop_write)

    def _on_unregister_write(self, client: Client, data: object, sock: Any) -> None:  # noqa: ANN401
        self._loop.remove_writer(sock)

    def _on_socket_close(self, client: Client, data: object, sock: Any) -> None:  # noqa: ANN401
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)

    # ---- what the broker says

    def _on_connect(
        self, client: Client, data: object, flags: object, code: ReasonCode, rest: object
    ) -> None:
        if not code.is_failure:
            self._connack.set_result(None)
            return
        text = f"{self._name}: the broker does not let us in: {code}"
        if str(code) in PASSING:
            self._end(LinkLost(text))
        else:
            self._end(Refused(text, remedy="Check `username`, `password` and `client_id`."))

    def _on_disconnect(
        self, client: Client, data: object, flags: object, code: ReasonCode, rest: object
    ) -> None:
        self._end(
            LinkLost(
                f"{self._name}: lost the connection to the broker: {code}",
                remedy="It is tried again by itself; see that the broker is up, and that no"
                f" other client calls itself {self._address.client_id!r}.",
            )
        )

    def _on_subscribe(
        self, client: Client, data: object, mid: int, codes: list[ReasonCode], rest: object
    ) -> None:
        if not self._suback.done():
            self._suback.set_result(codes)

    def _on_publish(
        self, client: Client, data: object, mid: int, code: ReasonCode, rest: object
    ) -> None:
        answer = self._published.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(code)

    def _on_message(self, client: Client, data: object, message: MQTTMessage) -> None:
        # Some brokers send again what is not confirmed soon: it waits here already.
        if message.qos and message.mid in self._open:
            return
        if self._inbox.put_nowait(message):
            self._bytes += len(message.payload)
            self._wake.set()
            if message.qos:
                self._open.add(message.mid)
        else:
            self.overflow += 1

    def _end(self, error: LineshaftError) -> None:
        """Note why the link is gone, once, and tell everybody who waits."""
        if self._error is not None:
            return
        self._error = error
        self._wake.set()
        waiting: list[asyncio.Future[Any]] = [self._connack, self._suback]
        for answer in waiting + list(self._published.values()):
            if not answer.done():
                answer.set_exception(error)
                answer.exception()  # nobody may be waiting, and that is no fault


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _has_more(sock: Any) -> bool:  # noqa: ANN401 - a socket, or one of paho's wrappers
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


def _context(name: str, tls: Tls) -> ssl.SSLContext:
    for file in (tls.ca, tls.cert, tls.key):
        if file and not Path(file).is_file():
            raise Refused(f"{name}: tls: there is no file {file}")
    try:
        context = ssl.create_default_context(cafile=tls.ca or None)
        context.sslsocket_class = _Socket
        if tls.cert:
            context.load_cert_chain(tls.cert, tls.key or None)
    except ssl.SSLError as error:
        raise Refused(f"{name}: tls: the certificates cannot be loaded: {error}") from error
    return context
