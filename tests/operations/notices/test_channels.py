"""Webhooks, mail and MQTT against real servers on loopback."""

import asyncio
import base64
import hashlib
import hmac
import logging
import shutil
import socket
import subprocess
import threading
import time

import pytest
from msgspec.structs import replace
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from tests.operations.notices.servers import certified, hook, post, silent

from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid, LinkLost, Refused
from lineshaft.core.settings import Secret
from lineshaft.operations.notices.mail import Mail
from lineshaft.operations.notices.mqtt import Mqtt
from lineshaft.operations.notices.outbox import Attachment
from lineshaft.operations.notices.settings import (
    Delivery,
    MqttBroker,
    Recipient,
    Smtp,
    check_notices,
)
from lineshaft.operations.notices.webhook import Webhooks, key_of
from lineshaft.operations.notices.writing import Message

KEY = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
HELLO = Message(
    id="0193-1", made_ns=1_764_590_400_000_000_000, subject="Öl heiß", text="热 90 °C\n"
)


@pytest.fixture
async def webhooks():
    made = Webhooks(20.0, now_ns)
    yield made
    await made.close()


async def test_a_webhook_is_signed_as_standard_webhooks_has_it(webhooks):
    async with hook() as server:
        await webhooks.send(Recipient(name="li", url=server.url, secret=Secret(KEY)), HELLO)
        head, body = server.tried[0]
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
    mark = hmac.new(b"0123456789abcdef01234567", signed, hashlib.sha256).digest()
    assert head["webhook-signature"] == f"v1,{base64.b64encode(mark).decode()}"
    assert head["idempotency-key"] == head["webhook-id"] == "0193-1"


def test_keys_that_are_no_base64_sign_as_they_are():
    assert key_of("plain") == b"plain"
    assert key_of("whsec_not base64") == b"whsec_not base64"


@pytest.mark.parametrize("word", ["500", "429", "401", "404", "302", "cut"])
async def test_what_may_pass_is_tried_later(webhooks, word):
    async with hook(word) as server:
        with pytest.raises(LinkLost, match="^li: "):
            await webhooks.send(Recipient(name="li", url=server.url), HELLO)


async def test_a_server_that_hangs_is_tried_later():
    made = Webhooks(0.2, now_ns)
    async with hook("hang") as server:
        with pytest.raises(LinkLost, match="no answer within 0.2 s"):
            await made.send(Recipient(name="li", url=server.url), HELLO)
    await made.close()


async def test_nobody_there_is_tried_later(webhooks):
    with pytest.raises(LinkLost, match="^li: ConnectError"):
        await webhooks.send(Recipient(name="li", url=f"http://127.0.0.1:{free_port()}/"), HELLO)


@pytest.mark.parametrize("word", ["400", "410", "413", "422"])
async def test_what_will_not_pass_is_refused(webhooks, word):
    async with hook(word) as server:
        with pytest.raises(Refused, match=word):
            await webhooks.send(Recipient(name="li", url=server.url), HELLO)


async def test_mail_keeps_its_identifier_and_all_languages():
    async with post() as server:
        mail = Mail(smtp(server.port))
        await mail.send(Recipient(name="li", mail="li@acme.example"), HELLO)
    (got,) = server.taken
    assert got["Message-ID"] == "<0193-1@acme.example>"
    assert (got["Subject"], got["To"]) == ("Öl heiß", "li@acme.example")
    assert got["From"] == "Lineshaft <plant@acme.example>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got.get_content().strip() == "热 90 °C"


async def test_a_report_goes_with_html_and_attachments():
    report = Message(
        id="1",
        made_ns=HELLO.made_ns,
        subject="Report\r\nBcc: all@acme.example",
        text="see html",
        html="<p>good</p>",
        attachments=(Attachment(name="oee.csv", media_type="text/csv", data=b"a,b\n1,2\n"),),
    )
    async with post() as server:
        with pytest.raises(Refused, match="cannot be mail"):
            await Mail(smtp(server.port)).send(Recipient(name="li", mail="li@a.b"), report)
        clean = replace(report, subject="Report")
        await Mail(smtp(server.port)).send(Recipient(name="li", mail="li@a.b"), clean)
    (got,) = server.taken
    assert got.get_body(("html",)).get_content().strip() == "<p>good</p>"
    (file,) = got.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("oee.csv", "a,b\n1,2\n")


@pytest.mark.parametrize(("code", "error"), [(451, LinkLost), (550, Refused), (535, LinkLost)])
async def test_a_mail_server_that_says_no_is_asked_again_only_if_it_may_change(code, error):
    async with post(code) as server:
        with pytest.raises(error, match=str(code)):
            await Mail(smtp(server.port)).send(Recipient(name="li", mail="li@a.b"), HELLO)
    assert server.taken == []


async def test_a_mail_server_that_is_away_or_silent_is_tried_later():
    recipient = Recipient(name="li", mail="li@a.b")
    with pytest.raises(LinkLost, match="does not take mail"):
        await Mail(smtp(free_port())).send(recipient, HELLO)
    async with silent() as port:
        with pytest.raises(LinkLost, match="does not take mail"):
            await Mail(smtp(port, timeout_s=0.3)).send(recipient, HELLO)


async def test_mail_is_not_sent_where_encryption_was_asked_for_and_is_not_there():
    async with post() as server:
        wanted = smtp(server.port, encryption="starttls")
        with pytest.raises(LinkLost, match="STARTTLS|does not take mail"):
            await Mail(wanted).send(Recipient(name="li", mail="li@a.b"), HELLO)
        assert server.senders == []


def smtp(port, **more):
    words = {"host": "127.0.0.1", "sender": "plant@acme.example", "encryption": "none"}
    return Smtp(**{**words, "port": port, **more})


# ---- MQTT


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def mosquitto(tmp_path):
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    port = free_port()
    (tmp_path / "conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    broker = subprocess.Popen(
        [found, "-c", str(tmp_path / "conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while broker.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield port
    broker.kill()
    broker.wait()


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_mqtt_carries_the_identifier_and_comes_back_after_a_break(mosquitto, version):
    got, there = [], asyncio.Event()
    loop = asyncio.get_running_loop()
    client = Client(
        CallbackAPIVersion.VERSION2, client_id="night", protocol=MQTTProtocolVersion.MQTTv5
    )

    def message(client, data, message):
        got.append(message)
        loop.call_soon_threadsafe(there.set)

    client.on_message = message
    client.on_connect = lambda c, *_: c.subscribe("notices/#", qos=1)
    client.on_subscribe = lambda *_: loop.call_soon_threadsafe(there.set)
    client.connect("127.0.0.1", mosquitto)
    client.loop_start()
    channel = Mqtt(MqttBroker(host="127.0.0.1", port=mosquitto, version=version), 5.0)
    to = Recipient(name="night", topic="notices/night")
    try:
        async with asyncio.timeout(20):
            await there.wait()
            await channel.send(to, HELLO)
            channel._session._client.socket().shutdown(socket.SHUT_RDWR)
            with pytest.raises(LinkLost):
                await channel.send(to, HELLO)
            await channel.send(to, HELLO)
            while len(got) < 2:
                there.clear()
                await there.wait()
    finally:
        await channel.close()
        client.disconnect()
        client.loop_stop()
    assert b'"id":"0193-1"' in got[0].payload
    if version == "5":
        assert got[0].properties.UserProperty == [("id", "0193-1")]


async def test_a_broker_that_is_away_is_tried_later():
    channel = Mqtt(MqttBroker(host="127.0.0.1", port=free_port()), 1.0)
    with pytest.raises(LinkLost):
        await channel.send(Recipient(name="night", topic="n"), HELLO)
    await channel.close()


async def test_secrets_stand_in_no_log_and_no_error(webhooks, caplog):
    caplog.set_level(logging.DEBUG)
    async with hook("500") as server:
        to = Recipient(name="li", url=server.url, secret=Secret("word-of-honour"))
        with pytest.raises(LinkLost) as error:
            await webhooks.send(to, HELLO)
    said = f"{caplog.text} {error.value} {to!r}"
    assert "word-of-honour" not in said
    assert "inside" not in f"{error.value} {to.address}"
    assert to.address == server.url.partition("/hook")[0]


# ---- encryption, and servers that mean no good


async def test_a_webhook_with_a_certificate_of_its_own_is_taken_only_when_that_is_trusted(tmp_path):
    tls = await asyncio.to_thread(certified, tmp_path)
    async with hook(tls=tls) as server:
        li = Recipient(name="li", url=server.url)
        strange = Webhooks(20.0, now_ns)
        with pytest.raises(LinkLost, match="certificate"):
            await strange.send(li, HELLO)
        assert server.tried == []
        trusting = Webhooks(20.0, now_ns, str(tmp_path / "cert.pem"))
        await trusting.send(li, HELLO)
        assert [m["id"] for m in server.taken] == ["0193-1"]
        # Trust is in the certificate and the name that it is for.
        named = replace(li, url=server.url.replace("127.0.0.1", "localhost"))
        with pytest.raises(LinkLost, match="ertificate|Connect"):
            await trusting.send(named, HELLO)
        for made in (strange, trusting):
            await made.close()


@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_mail_goes_encrypted_and_not_to_a_server_that_is_not_trusted(tmp_path, way):
    tls = await asyncio.to_thread(certified, tmp_path)
    li = Recipient(name="li", mail="li@a.b")
    async with post(**{way: tls}) as server:
        with pytest.raises(LinkLost, match="certificate"):
            await Mail(smtp(server.port, encryption=way)).send(li, HELLO)
        assert server.senders == []
        trusting = smtp(server.port, encryption=way, ca=str(tmp_path / "cert.pem"))
        await Mail(trusting).send(li, HELLO)
        assert [m["Message-ID"] for m in server.taken] == ["<0193-1@acme.example>"]
        assert server.secured == (way == "starttls")


async def test_a_mail_server_that_never_ends_its_answer_is_left_and_keeps_no_thread():
    before = {t.name for t in threading.enumerate()}
    async with post() as server:
        server.hangs = True
        mail = Mail(smtp(server.port, timeout_s=0.2))
        with pytest.raises(LinkLost, match="takes too long"):
            await mail.send(Recipient(name="li", mail="li@a.b"), HELLO)
        assert len(server.taken) == 0
        await mail.close()
        async with asyncio.timeout(20):
            while {t.name for t in threading.enumerate() if t.name.startswith("mail")} - before:
                await asyncio.sleep(0.01)


async def test_names_that_cannot_be_looked_up_or_written_are_told(webhooks):
    long = Recipient(name="li", url=f"http://{'a' * 70}.example/")
    with pytest.raises(LinkLost, match="^li: "):
        await webhooks.send(long, HELLO)
    async with post() as server:
        odd = smtp(server.port, user="öl", password=Secret("heiß"))
        with pytest.raises(LinkLost, match="^li: the mail server"):
            await Mail(odd).send(Recipient(name="li", mail="li@a.b"), HELLO)


def test_a_file_without_certificates_is_refused(tmp_path):
    (tmp_path / "empty.pem").write_text("nothing")
    for file in ("empty.pem", "none.pem"):
        with pytest.raises(Invalid, match="holds no certificates"):
            check_notices([], [], Delivery(ca=str(tmp_path / file)))


@pytest.mark.parametrize("name", ["a.csv\r\nBcc: all@acme.example", 'a"; x="b.csv'])
async def test_no_name_of_a_file_adds_a_header(name):
    file = Attachment(name=name, media_type="text/csv", data=b"a")
    async with post() as server:
        try:
            report = replace(HELLO, attachments=(file,))
            await Mail(smtp(server.port)).send(Recipient(name="li", mail="li@a.b"), report)
        except Refused:
            return
    (got,) = server.taken
    (kept,) = got.iter_attachments()
    assert [k for k in (*got.keys(), *kept.keys()) if k.lower() == "bcc"] == []
    assert kept.get_content_type() == "text/csv"
