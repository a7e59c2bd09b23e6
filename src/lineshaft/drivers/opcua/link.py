"""One session with an OPC UA server, in which nothing runs but the calls that are made.

asyncua brings its own supervisor, watchdog and publish tasks. None of them is started here:
the driver's task group owns every task, and the platform's supervisor does the retrying.
"""

import asyncio
import base64
import logging
import re
import struct
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from asyncua import Client, ua
from asyncua.client.ua_session import UaSession
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties
from asyncua.ua.uaerrors import UaStatusCodeError

from lineshaft.core.errors import Invalid, LinkLost, Refused
from lineshaft.core.settings import Secret

Policy = Literal["none", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"]

REFUSALS = (
    "BadUserAccessDenied",
    "BadIdentity",
    "BadUserSignature",
    "BadCertificate",
    "BadSecurity",
    "BadApplicationSignature",
    "BadRequestTypeInvalid",
    "BadTcpEndpointUrlInvalid",
    "BadServerUriInvalid",
)
"""How the names of status codes begin with which a server turns the settings down."""
CLOSE_S_MAX = 0.8
CHUNK_MAX = 1000
"""Nodes in one call when the server names no limit, or a higher one."""
_NODE = re.compile(r"(?:ns=(\d{1,5});|nsu=([^;]+);)?([isgb])=(.+)", re.DOTALL)

# Its errors reach us as exceptions, and are told once, by the supervisor.
logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)


class _Session(UaSession):  # type: ignore[misc]  # asyncua is not checked
    """asyncua's session without its own publish task."""

    def ensure_publish_loop(self) -> None:
        """Leave it: `feeding` publishes, in tasks that the driver owns."""


class Access:
    """How to reach a server and who to be there."""

    def __init__(
        self,
        url: str,
        *,
        username: str = "",
        password: Secret | str = "",
        security: tuple[Policy, str, str, str] = ("none", "", "", ""),
        timeout_s: float = 4.0,
    ) -> None:
        self.url = url
        self.username = username
        self.password = password if isinstance(password, Secret) else Secret(password)
        self.policy, self.mode, self.certificate, self.private_key = security
        self.timeout_s = timeout_s


class Link:
    """An open session; made by `open`, ended by `close`."""

    def __init__(self, name: str, access: Access) -> None:
        self.name = name
        self.access = access
        self.client = Client(access.url, timeout=access.timeout_s)
        self.client.application_uri = "urn:lineshaft:client"
        self.client.name = self.client.description = "Lineshaft"
        self.client.session_timeout = 60_000
        self.session = _Session(self.client.uaclient)
        self.client.uaclient.session = self.session
        self.namespaces: list[str] = []
        self.chunks: dict[str, int] = {}
        """Nodes that the server takes in one call of a service, by its name."""

    async def open(self) -> None:
        """Connect and activate the session.

        Raises:
            LinkLost: nothing answers, or not in time.
            Refused: the server turns down the security or the user.
        """
        with self.told("cannot connect"):
            async with asyncio.timeout(2 * self.access.timeout_s):
                with cancelled_plainly():
                    await self._connect()

    async def _connect(self) -> None:
        await self._secure()
        await self.client.connect_socket()
        await self.client.send_hello()
        await self.client.open_secure_channel()
        await self.client.create_session()
        await self.client.activate_session(
            username=self.access.username or None,
            password=self.access.password.reveal() or None,
        )
        await self._learn()

    async def _secure(self) -> None:
        access = self.access
        if access.policy == "none":
            return
        try:
            files = [
                CertProperties(
                    await asyncio.to_thread(Path(file).read_bytes), Path(file).suffix[1:]
                )
                for file in (access.certificate, access.private_key)
            ]
        except OSError as error:
            raise Refused(
                f"{self.name}: cannot read the client's certificate or key: {error}",
                remedy="Set `certificate` and `private_key` to files in PEM or DER form.",
            ) from error
        await self.client.set_security(
            getattr(security_policies, f"SecurityPolicy{access.policy}"),
            *files,
            mode=ua.MessageSecurityMode[access.mode],
        )

    async def _learn(self) -> None:
        """Read what the server says about itself: namespaces and limits."""
        limits = {
            "read": ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
            "browse": ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
            "monitor": (
                ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall
            ),
        }
        found = [
            await self._read([(ua.NodeId(i), ua.AttributeIds.Value)])
            for i in (ua.ObjectIds.Server_NamespaceArray, *limits.values())
        ]
        namespaces, *values = (f[0].Value.Value if f[0].Value else None for f in found)
        self.namespaces = list(namespaces or [])
        for service, value in zip(limits, values, strict=True):
            self.chunks[service] = min(int(value or CHUNK_MAX), CHUNK_MAX)

    async def close(self) -> None:
        """End the session, without waiting long for a server that does not answer."""
        with suppress(OSError, TimeoutError, ua.UaError):
            async with asyncio.timeout(CLOSE_S_MAX):
                with cancelled_plainly():
                    await self.client.close_session()
                    await self.client.close_secure_channel()
        self.client.disconnect_socket()

    @contextmanager
    def told(self, doing: str) -> Iterator[None]:
        """Turn what asyncua and the network raise into what the supervisor understands."""
        try:
            with cancelled_plainly():
                yield
        except UaStatusCodeError as error:
            code = ua.StatusCode(error.code)
            words = f"{self.name}: {doing}: {self.access.url} says {code.name} ({code.doc})"
            if code.name.startswith(REFUSALS):
                raise Refused(
                    words, remedy="Check `username`, `password`, `security` and certificates."
                ) from error
            raise LinkLost(words) from error
        except (OSError, TimeoutError) as error:
            cause = str(error) or "no answer in time"
            raise LinkLost(f"{self.name}: {doing}: {self.access.url}: {cause}") from error
        except ua.UaError as error:
            if "endpoint" in str(error):
                raise Refused(
                    f"{self.name}: {self.access.url} offers no endpoint with security"
                    f" {self.access.policy!r} {self.access.mode}",
                    remedy="Set `security` and `mode` to what the server offers.",
                ) from error
            raise LinkLost(f"{self.name}: {doing}: {error}") from error
        except (ValueError, struct.error) as error:
            raise LinkLost(f"{self.name}: {doing}: the answer makes no sense: {error}") from error

    def node(self, text: str) -> ua.NodeId:
        """The node identifier that the text names, its namespace URI looked up.

        Raises:
            Refused: the server does not know the namespace.
        """
        index, uri, kind, identifier = split_node(text)
        if uri and uri not in self.namespaces:
            raise Refused(f"{self.name}: the server has no namespace {uri!r}")
        space = self.namespaces.index(uri) if uri else int(index or 0)
        if kind == "i":
            return ua.NodeId(int(identifier), space)
        if kind == "g":
            return ua.NodeId(uuid.UUID(identifier), space)
        if kind == "b":
            return ua.NodeId(base64.b64decode(identifier), space, ua.NodeIdType.ByteString)
        return ua.NodeId(identifier, space, ua.NodeIdType.String)

    async def read(self, wanted: Sequence[tuple[ua.NodeId, ua.AttributeIds]]) -> list[ua.DataValue]:
        """One value for each attribute wanted, with both times."""
        found: list[ua.DataValue] = []
        with self.told("cannot read"):
            for part in _parts(wanted, self.chunks["read"]):
                found += await self._read(part)
        return found

    async def _read(
        self, wanted: Sequence[tuple[ua.NodeId, ua.AttributeIds]]
    ) -> list[ua.DataValue]:
        params = ua.ReadParameters()
        params.MaxAge = 0
        params.TimestampsToReturn = ua.TimestampsToReturn.Both
        params.NodesToRead = [ua.ReadValueId(NodeId=n, AttributeId=a) for n, a in wanted]
        return await self.session.read(params)  # type: ignore[no-any-return]

    async def references(
        self,
        nodes: Sequence[ua.NodeId],
        reference: int,
        *,
        backward: bool = False,
        variables_and_objects: bool = False,
    ) -> list[list[ua.ReferenceDescription]]:
        """What each node refers to by `reference` or a kind of it."""
        found: list[list[ua.ReferenceDescription]] = []
        with self.told("cannot browse"):
            for part in _parts(nodes, self.chunks["browse"]):
                params = ua.BrowseParameters()
                params.RequestedMaxReferencesPerNode = 0
                params.NodesToBrowse = [
                    ua.BrowseDescription(
                        NodeId=node,
                        BrowseDirection=ua.BrowseDirection(int(backward)),
                        ReferenceTypeId=ua.NodeId(reference),
                        IncludeSubtypes=True,
                        NodeClassMask=3 if variables_and_objects else 0,
                        ResultMask=63,
                    )
                    for node in part
                ]
                results = await self.session.browse(params)
                found += [await self._rest(result) for result in results]
        return found

    async def _rest(self, result: ua.BrowseResult) -> list[ua.ReferenceDescription]:
        """The references of a result, with those that the server gives only when asked again."""
        found = list(result.References or [])
        while result.ContinuationPoint:
            params = ua.BrowseNextParameters()
            params.ContinuationPoints = [result.ContinuationPoint]
            params.ReleaseContinuationPoints = False
            (result,) = await self.session.browse_next(params)
            found += result.References or []
        return found

    async def watch(self, period_s: float, answer_s_max: float) -> None:
        """Ask the server now and then whether it is there, until it is not.

        Raises:
            LinkLost: it did not answer, or the connection is gone.
        """
        state = [(ua.NodeId(ua.ObjectIds.Server_ServerStatus_State), ua.AttributeIds.Value)]
        while True:
            await asyncio.sleep(period_s)
            with self.told("link lost"):
                async with asyncio.timeout(answer_s_max):
                    with cancelled_plainly():
                        await self._read(state)

    async def renew(self) -> None:
        """Renew the keys of the channel each time three quarters of their life are over."""
        while True:
            await asyncio.sleep(self.client.secure_channel_timeout * 0.75 / 1000)
            with self.told("cannot renew the secure channel"):
                await self.client.open_secure_channel(renew=True)
                self.client.uaclient.revolve_security_token()


@contextmanager
def cancelled_plainly() -> Iterator[None]:
    """Make a cancellation one that task groups and timeouts of Python 3.11 know.

    asyncua waits through a library whose cancellation, when it meets an answer, is of a
    class of its own; both compare classes exactly, and would take it for a failure.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        if type(error) is asyncio.CancelledError:
            raise
        raise asyncio.CancelledError(*error.args) from None


def split_node(text: str) -> tuple[str, str, str, str]:
    """Namespace index, namespace URI, type and identifier of `ns=2;s=Name`, as written.

    Raises:
        Invalid: the text names no node.
    """
    found = _NODE.fullmatch(text)
    try:
        if found and found[3] == "i":
            int(found[4])
        if found and found[3] == "g":
            uuid.UUID(found[4])
        if found and found[3] == "b":
            base64.b64decode(found[4], validate=True)
    except ValueError:
        found = None
    if not found:
        raise Invalid(
            f"{text!r} names no node",
            remedy="Write it as ns=2;s=Press.Temperature, ns=2;i=1042 or nsu=urn:maker;s=Name.",
        )
    return found[1] or "", found[2] or "", found[3], found[4]


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[i : i + size] for i in range(0, len(items), max(size, 1)))
