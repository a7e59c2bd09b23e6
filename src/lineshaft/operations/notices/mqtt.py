"""MQTT: each message is published with QoS 1 to the topic of its recipient."""

import asyncio

from lineshaft.core.errors import LineshaftError, LinkLost, Refused
from lineshaft.drivers.mqtt.session import Address, Session, Tls
from lineshaft.operations.notices.settings import MqttBroker, Recipient
from lineshaft.operations.notices.writing import Message

PAYLOAD_MAX = 1_048_576
"""Bytes of a message; notices are far smaller."""
SESSION_S = 0
"""Nothing is subscribed to, so the broker need not remember us."""


class Mqtt:
    """One connection to the broker, opened when it is first needed and after each break."""

    def __init__(self, config: MqttBroker, timeout_s: float) -> None:
        self._config, self._timeout_s = config, timeout_s
        self._session: Session | None = None
        self._turn = asyncio.Lock()

    async def send(self, recipient: Recipient, message: Message) -> None:
        """Publish it; returns once the broker has it.

        Raises:
            LinkLost: the broker is away.
            Refused: it does not take messages to that topic.
        """
        session = await self._opened()
        try:
            await session.publish(recipient.topic, message.payload(), {"id": message.id})
        except LineshaftError:
            self._drop(session)
            raise

    async def _opened(self) -> Session:
        async with self._turn:
            if self._session is None:
                session = Session("notices", self._address())
                try:
                    await session.open()
                    self._session = session
                except Refused as error:  # mended settings, or accounts of the broker, do help
                    raise LinkLost(str(error), remedy=error.remedy) from error
                finally:
                    if self._session is not session:
                        session.close()
            return self._session

    def _drop(self, session: Session) -> None:
        if self._session is session:
            self._session = None
        session.close()

    async def close(self) -> None:
        """Say goodbye to the broker."""
        if self._session is not None:
            self._drop(self._session)

    def _address(self) -> Address:
        config = self._config
        return Address(
            host=config.host,
            port=config.port,
            client_id=config.client_id,
            version=config.version,
            keepalive_s=config.keepalive_s,
            timeout_s=self._timeout_s,
            username=config.username,
            password=config.password,
            tls=Tls(ca=config.ca) if config.tls else None,
            inflight_max=1,
            payload_max=PAYLOAD_MAX,
            session_s=SESSION_S,
        )
