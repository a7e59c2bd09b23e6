"""The link to an OPC UA server: silence, strangers, users and encryption."""

import asyncio
import contextlib

import pytest
import pytest_asyncio
from asyncua import Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager

from lineshaft.core.errors import LinkLost, Refused
from lineshaft.drivers.opcua import OpcUa
from lineshaft.testing.recorder import Recorder, running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def lost(run):
    with pytest.raises((LinkLost, ExceptionGroup)) as caught:
        async with asyncio.timeout(8):
            await run
    error = caught.value
    while isinstance(error, ExceptionGroup):
        assert error.split(LinkLost)[1] is None, "something else than a lost link"
        error = error.exceptions[0]
    return error


@contextlib.asynccontextmanager
async def cable(url):
    """A TCP proxy to the server that can go silent without closing."""
    port = int(url.rpartition(":")[2].strip("/"))
    flowing = asyncio.Event()
    flowing.set()

    async def carry(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.TaskGroup() as group:
            group.create_task(carry(reader, far_writer))
            group.create_task(carry(far_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"opc.tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flowing
    finally:
        flowing.set()
        server.close()


async def test_a_server_that_goes_silent_is_noticed(guarded):
    async with cable(guarded[0]) as (url, flowing):
        feed = Recorder()
        table = guarded_table(url, username="operator", password="secret")
        device = OpcUa.from_table("m", table)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(lost(device.run(feed)))
            await feed.until(lambda: bool(feed.rows()), "a sample")
            flowing.clear()
            error = await task
    assert "no answer in time" in str(error)


async def test_something_that_is_no_opc_ua_server_is_a_lost_link():
    async def answer(reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"opc.tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    table = {"url": url, "timeout_s": 1, "points": [{"name": "a", "node": "i=1"}]}
    await lost(OpcUa.from_table("m", table).run(Recorder()))
    server.close()


class OneUser(UserManager):
    def get_user(self, iserver, username=None, password=None, certificate=None):
        good = username == "operator" and password == "secret"
        return User(role=UserRole.User) if good else None


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def guarded(tmp_path_factory):
    """A server that wants a user, and offers encryption; yields its URL and our files."""
    folder = tmp_path_factory.mktemp("certificates")
    for name, uri in (
        ("server", "urn:freeopcua:python:server"),
        ("client", "urn:lineshaft:client"),
    ):
        await setup_self_signed_certificate(
            folder / f"{name}.pem", folder / f"{name}.der", uri, "localhost", [], {}
        )
    server = Server(user_manager=OneUser())
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/")
    await server.load_certificate(folder / "server.der")
    await server.load_private_key(folder / "server.pem")
    server.set_security_policy(
        [ua.SecurityPolicyType.NoSecurity, ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt]
    )
    space = await server.register_namespace("urn:guarded")
    await server.nodes.objects.add_variable(ua.NodeId("X", space), "X", 1.5)
    await server.start()
    yield f"opc.tcp://127.0.0.1:{server.bserver.port}/", folder
    await server.stop()


def guarded_table(url, **changes):
    return {"url": url, "points": [{"name": "x", "node": "ns=2;s=X"}]} | changes


@pytest.mark.parametrize(
    "user", [{}, {"username": "operator"}, {"username": "operator", "password": "guess"}]
)
async def test_a_wrong_user_is_refused(guarded, user):
    url, _ = guarded
    with pytest.raises(Refused, match="Bad") as caught:
        await OpcUa.from_table("m", guarded_table(url, **user)).run(Recorder())
    assert "guess" not in str(caught.value)
    assert "username" in caught.value.remedy


@pytest.mark.parametrize("encrypted", [False, True])
async def test_the_right_user_reads_also_encrypted(guarded, encrypted):
    url, folder = guarded
    table = guarded_table(url, username="operator", password="secret")
    if encrypted:
        table |= {
            "security": "Basic256Sha256",
            "certificate": str(folder / "client.der"),
            "private_key": str(folder / "client.pem"),
        }
    feed = Recorder()
    async with running(OpcUa.from_table("m", table), feed):
        await feed.until(lambda: bool(feed.rows()), "a sample")
    assert feed.rows()[0].value == 1.5


async def test_a_missing_certificate_is_refused_with_its_name(guarded):
    url, folder = guarded
    files = {"certificate": str(folder / "none.der"), "private_key": str(folder / "none.pem")}
    table = guarded_table(url, security="Basic256Sha256", **files)
    with pytest.raises(Refused, match=r"none\.der"):
        await OpcUa.from_table("m", table).run(Recorder())


async def test_security_that_the_server_does_not_offer_is_refused(guarded):
    url, folder = guarded
    files = {"certificate": str(folder / "client.der"), "private_key": str(folder / "client.pem")}
    table = guarded_table(url, security="Aes256Sha256RsaPss", **files)
    with pytest.raises(Refused, match="Aes256Sha256RsaPss"):
        await OpcUa.from_table("m", table).run(Recorder())
