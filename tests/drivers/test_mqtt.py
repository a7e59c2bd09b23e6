"""MQTT: what payloads become, and that nothing acknowledged is lost; real brokers on loopback."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import json
import os
import shutil
import subprocess
from contextlib import asynccontextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from lineshaft.core.batch import Sample
from lineshaft.core.clock import now_ns, to_iso
from lineshaft.core.errors import LinkLost, Refused, SettingsError
from lineshaft.core.plugin import find
from lineshaft.core.point import Kind
from lineshaft.core.quality import Quality
from lineshaft.drivers.mqtt.bench import await_port, free_port, start_nats
from lineshaft.drivers.mqtt.payload import (
    Columns,
    QualityFormat,
    TimeFormat,
    dig,
    leaves,
    parse_key,
    quality_of,
    time_of,
)
from lineshaft.testing.recorder import Recorder, running

Mqtt = find("drivers", "mqtt")


def load(*topics, **table):
    return Mqtt.from_table("gate", {"host": "127.0.0.1", "topics": list(topics)} | table)


# ---- payloads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON)
def test_each_scalar_is_found_where_its_path_says(value):
    for keys, leaf in leaves(value):
        assert dig(value, keys, "absent") == leaf
        text = "".join(f"[{k}]" if isinstance(k, int) else f'["{k}"]' for k in keys)
        assert parse_key(text) == keys


def test_paths_into_json_are_read_as_they_are_written():
    assert parse_key("a.b[0].c") == ("a", "b", 0, "c")
    assert parse_key('a["odd.key"][2]') == ("a", "odd.key", 2)
    assert parse_key("") == ()
    for wrong in ("a..b", "a[", "a[x]", 'a["b]'):
        with pytest.raises(ValueError, match="no path into JSON"):
            parse_key(wrong)


def test_times_are_read_in_every_format_and_disbelieved_when_absurd():
    now = 1_800_000_000_123_456_789
    assert time_of(to_iso(now), TimeFormat.ISO, now, 1) == now
    assert time_of(now, TimeFormat.NS, now, 1) == now
    assert time_of(now // 1000, TimeFormat.US, now, 1) == now // 1000 * 1000
    assert time_of(1_800_000_000_123, TimeFormat.MS, now, 1) == 1_800_000_000_123_000_000
    assert time_of(1_800_000_000.5, TimeFormat.S, now, 1) == 1_800_000_000_500_000_000
    for absurd in (None, "noon", 0, 10**400, float("inf"), now * 2, True, [1]):
        for how in TimeFormat:
            assert time_of(absurd, how, now, 60) is None


def test_qualities_of_both_opcs_and_words_are_understood():
    ua, classic = QualityFormat.UA, QualityFormat.CLASSIC
    assert quality_of(0, ua) == Quality.GOOD
    assert quality_of(0x800A0000, ua) == Quality.BAD_TIMEOUT
    assert [quality_of(q, classic) >> 30 for q in (192, 64, 0, 8)] == [0, 1, 2, 2]
    assert [quality_of(q, ua) >> 30 for q in ("Good", "bad", True, False)] == [0, 2, 0, 2]
    assert {quality_of(q, ua) for q in (-1, None, "?", 2**40, 1.5)} == {Quality.UNCERTAIN}


def decode(driver, topic, *payloads, feed=None, retained=False):
    """Samples that the payloads make, without a broker."""
    feed = feed or Recorder()
    router = driver._router = driver._router or driver._make_router()
    columns = Columns()
    for payload in payloads:
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        router.decode(topic, raw, columns, feed, is_retained=retained)
    feed.declare(router.points())
    return list(columns.batch().rows()) if len(columns) else []


def test_every_scalar_of_a_payload_becomes_a_point_below_its_topic():
    feed = Recorder()
    driver = load({"filter": "hall/#"}, at="acme")
    value = {"drive": {"speed": 1.5, "on": True}, "axis": [1, 2], "state": "run", "none": None}
    rows = decode(driver, "hall/press 1/data", value, feed=feed)
    at = "acme/hall/press_1/data"
    assert {r.point: r.value for r in rows} == {
        f"{at}/drive/speed": 1.5,
        f"{at}/drive/on": 1.0,
        f"{at}/axis/0": 1.0,
        f"{at}/axis/1": 2.0,
        f"{at}/state": "run",
    }
    assert feed.points[f"{at}/drive/on"].kind is Kind.BOOLEAN
    assert feed.points[f"{at}/state"].kind is Kind.TEXT
    assert feed.points[f"{at}/drive/speed"].address == "hall/press 1/data drive/speed"


def test_chosen_values_come_from_their_keys_with_time_and_quality():
    driver = load(
        {
            "filter": "m/+/data",
            "at": "machines/{2}",
            "time": {"key": "h.ts", "format": "ms"},
            "quality": {"key": "h.q", "format": "classic"},
            "values": [
                {"name": "speed", "key": "v[0].x", "unit": "m/s"},
                {"name": "big", "key": "n", "kind": "integer"},
                {"name": "all", "key": "v", "kind": "json"},
            ],
        }
    )
    ts = now_ns() // 1_000_000
    value = {"h": {"ts": ts, "q": 64}, "v": [{"x": 2}], "n": 2**60 + 1}
    rows = {r.point: r for r in decode(driver, "m/7/data", value)}
    assert rows["machines/7/speed"] == Sample("machines/7/speed", ts * 10**6, 2.0, 0x40000000)
    assert rows["machines/7/big"].value == str(2**60 + 1)
    assert rows["machines/7/all"].value == '[{"x":2}]'


def test_a_time_that_cannot_be_believed_is_replaced_and_told():
    feed = Recorder()
    driver = load({"filter": "a", "time": {"key": "t"}, "values": [{"name": "v", "key": "v"}]})
    for t in ("1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "soon", None):
        (row,) = decode(driver, "a", {"t": t, "v": 1}, feed=feed)
        assert abs(row.time_ns - now_ns()) < 10**9
        assert row.quality == Quality.UNCERTAIN_SUB_NORMAL
    assert "cannot be believed" in feed.troubles["a time"]
    decode(driver, "a", {"t": to_iso(now_ns()), "v": 1}, feed=feed)
    assert feed.troubles["a time"] is None


def test_plain_numbers_and_texts_are_taken_whole():
    number = load({"filter": "#", "payload": "number"})
    values = [r.value for r in decode(number, "a/b", b" 12 ", b"-1.5e3", b"true", b"nan")]
    assert values[:3] == [12.0, -1500.0, 1.0]
    assert values[3] != values[3]
    text = load({"filter": "#", "payload": "text", "at": "x/{1}", "values": [{"name": "t"}]})
    assert [(r.point, r.value) for r in decode(text, "a", "Süd".encode())] == [("x/a/t", "Süd")]


BAD = [b"{", b"\xff\xfe", b"[" * 10_000, b'{"a": NaN}', b'"\\ud800"', b"{} x", b"1" * 300]


@pytest.mark.parametrize("payload", BAD)
def test_a_payload_that_cannot_be_read_is_counted_told_and_forgotten(payload):
    feed = Recorder()
    driver = load({"filter": "#"}, payload_max=20_000 if len(payload) > 300 else 200)
    assert decode(driver, "a/b", payload, feed=feed) == []
    assert feed.losses == {"undecodable": 1}
    assert feed.troubles["a/b"]
    assert decode(driver, "a/b", {"v": 1}, feed=feed)
    assert feed.troubles["a/b"] is None


@given(
    st.binary(max_size=60) | JSON.map(lambda v: json.dumps(v).encode()),
    st.sampled_from(["json", "number", "text"]),
)
def test_no_payload_at_all_makes_it_fall_over(payload, kind):
    feed = Recorder()
    decode(load({"filter": "#", "payload": kind}), "a/b", payload, payload, feed=feed)
    assert set(feed.losses) <= {"undecodable", "empty"}


def test_a_value_of_another_kind_is_bad_and_the_rest_of_the_message_is_not():
    feed = Recorder()
    driver = load({"filter": "#"})
    decode(driver, "a", {"x": 1, "y": 1}, feed=feed)
    rows = {r.point: r for r in decode(driver, "a", {"x": "broken", "y": 2}, feed=feed)}
    assert rows["a/x"].quality == Quality.BAD_TYPE_MISMATCH
    assert (rows["a/y"].value, rows["a/y"].quality) == (2.0, 0)
    assert "'broken' is not of kind number" in feed.troubles["a x"]


def test_points_are_bounded_in_number():
    feed = Recorder()
    driver = load({"filter": "#"}, points_max=3)
    decode(driver, "a", {"b": 1, "c": 2}, feed=feed)
    decode(driver, "d", {"b": 1, "c": 2}, feed=feed)
    decode(driver, "e", *[{"b": 1}] * 5, feed=feed)
    assert len(feed.points) == 3
    assert feed.losses["undecodable"] == 6
    assert "points_max" in feed.troubles["d"]


def test_two_sources_of_one_point_are_not_mixed():
    feed = Recorder()
    driver = load({"filter": "#", "at": "same"})
    decode(driver, "a", {"v": 1}, feed=feed)
    assert decode(driver, "b", {"v": 2}, feed=feed) == []
    assert "fed by topic a already" in feed.troubles["b"]


def test_a_retained_message_is_taken_once_and_its_age_is_uncertain():
    driver = load({"filter": "#"})
    (row,) = decode(driver, "a", {"v": 1}, retained=True)
    assert row.quality == Quality.UNCERTAIN_LAST_USABLE_VALUE
    assert decode(driver, "a", {"v": 1}, retained=True), "not stored yet, so it is not dropped"
    driver._router.stored("a", b'{"v": 1}')
    assert decode(driver, "a", {"v": 1}, retained=True) == []
    assert decode(driver, "a", {"v": 2}, retained=True)


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ({"filter": "a/#/b"}, "is no topic filter"),
        ({"filter": "a+"}, "is no topic filter"),
        ({"filter": "a", "payload": "text", "time": {"key": "t"}}, "need payload json"),
        ({"filter": "a", "values": [{"name": "v", "key": "a..b"}]}, "no path into JSON"),
        ({"filter": "a", "values": [{"name": "v w"}]}, "holds ' '"),
        ({"filter": "a", "qos": 2}, "<= 1"),
        ({"filter": "a", "qoss": 1}, "unknown field `qoss`"),
    ],
)
def test_wrong_settings_name_what_is_wrong(topic, words):
    with pytest.raises(SettingsError, match=words):
        load(topic)


# ---- brokers


def mosquitto_binary():
    """mosquitto, or the reason to skip."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        reason = "mosquitto is not installed (apt install mosquitto)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def start_mosquitto(folder, port, *lines):
    rest = lines or ("allow_anonymous true",)
    first = (f"listener {port} 127.0.0.1", "persistence true", f"persistence_location {folder}/")
    (folder / "conf").write_text("\n".join([*first, "user root", *rest, ""]))
    command = [mosquitto_binary(), "-c", str(folder / "conf")]
    broker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    await_port(broker, port)
    return broker


@asynccontextmanager
async def broker(kind, folder, *lines):
    """A broker of that kind; yields its port."""
    port = free_port()
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    if kind == "nats":
        process = await asyncio.to_thread(start_nats, folder, port)
    else:
        process = await asyncio.to_thread(start_mosquitto, folder, port, *lines)
    try:
        yield port
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


def publish(port, messages, qos=1, retain=False):
    """Send all messages from a client of its own and wait until the broker has them."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="device")
    client.max_inflight_messages = 1000
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = [client.publish(topic, json.dumps(v), qos=qos, retain=retain) for topic, v in messages]
    for info in sent:
        info.wait_for_publish(20)
        assert info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS
    client.disconnect()
    client.loop_stop()


def tell(port, messages, **how):
    return asyncio.to_thread(publish, port, list(messages), **how)


BROKERS = [("nats", "3.1.1"), ("mosquitto", "3.1.1"), ("mosquitto", "5")]


def counter(**more):
    return {"filter": "count/+", "at": "{1}/{2}", **more}


def counted(feed):
    return {int(r.value) for r in feed.rows() if r.point == "count/up/n"}


async def ready(feed):
    await feed.until(lambda: bool(feed.links), "the link")


@pytest.mark.parametrize(("kind", "version"), BROKERS)
async def test_what_the_store_has_not_confirmed_comes_again_and_nothing_is_lost(
    kind, version, tmp_path
):
    async with broker(kind, tmp_path) as port:
        driver = load(counter(), port=port, version=version)
        feed = Recorder()
        async with running(driver, feed):
            await ready(feed)
            await tell(port, [("count/up", {"n": i}) for i in range(10)])
            await feed.until(lambda: counted(feed) == set(range(10)), "the first ten")
            feed.hold()
            await tell(port, [("count/up", {"n": i}) for i in range(10, 30)])
            await feed.until(lambda: feed.in_flight > 0, "an emit that hangs")
        assert counted(feed) == set(range(10))
        await tell(port, [("count/up", {"n": i}) for i in range(30, 40)])
        second = Recorder()
        again = load(counter(), port=port, version=version)
        async with running(again, second):
            await second.until(lambda: counted(second) >= set(range(10, 40)), "all the rest")
        third = Recorder()
        async with running(again, third):
            await ready(third)
            await tell(port, [("count/up", {"n": 99})])
            await third.until(lambda: 99 in counted(third), "the last")
        assert counted(third) == {99}, "what was confirmed does not come again"


async def test_a_message_that_cannot_be_read_is_not_sent_for_ever(tmp_path):
    async with broker("nats", tmp_path) as port:
        feed = Recorder()
        driver = load(counter(payload="number"), port=port)
        async with running(driver, feed):
            await ready(feed)
            await tell(port, [("count/up", "no number"), ("count/up", 7)])
            await feed.until(lambda: bool(feed.rows()), "the good one")
        again = Recorder()
        async with running(driver, again):
            await ready(again)
            await tell(port, [("count/up", 8)])
            await again.until(lambda: bool(again.rows()), "the next one")
    assert feed.losses["undecodable"] == 1
    assert [r.value for r in again.rows()] == [8.0]
    assert not again.losses


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_flood_waits_in_the_broker_and_not_in_memory(qos, tmp_path):
    async with broker("nats", tmp_path) as port:
        feed = Recorder()
        driver = load(counter(qos=qos), port=port, inflight_max=50)
        async with running(driver, feed):
            await ready(feed)
            feed.hold()
            await tell(port, [("count/up", {"n": i}) for i in range(500)])
            await feed.until(lambda: feed.in_flight > 0, "an emit that hangs")
            await asyncio.sleep(0.2)
            assert len(driver._session._inbox) <= 50
            assert feed.peak == 1
            feed.release()
            await feed.until(lambda: counted(feed) == set(range(500)), "all of the flood")


async def test_a_retained_message_does_not_come_again_with_each_connection(tmp_path):
    for kind, version in BROKERS:
        async with broker(kind, tmp_path / f"{kind}{version[0]}") as port:
            await tell(port, [("count/up", {"n": 1})], retain=True)
            driver, feed = load(counter(), port=port, version=version), Recorder()
            async with running(driver, feed):
                await feed.until(lambda f=feed: counted(f) == {1}, "the retained one")
            again = Recorder()
            async with running(driver, again):
                await ready(again)
                await tell(port, [("count/up", {"n": 2})])
                await again.until(lambda f=again: 2 in counted(f), "a new one")
            assert counted(again) == {2}


async def test_a_written_value_is_published_and_proven_by_the_next_state(tmp_path):
    plain = {"name": "n", "key": "n", "command": "set/{2}"}
    async with broker("mosquitto", tmp_path) as port:
        driver, feed = load(counter(values=[plain]), port=port, timeout_s=0.5), Recorder()
        async with running(driver, feed):
            await ready(feed)
            with pytest.raises(Refused, match="no message has been seen yet"):
                await driver.write("count/up/n", 5)
            await tell(port, [("count/up", {"n": 1})])
            await feed.until(lambda: counted(feed) == {1}, "the state")
            await driver.write("count/up/n", 5)
            with pytest.raises(Refused, match="no message of count/up/n came within"):
                await driver.read("count/up/n")
            await driver.write("count/up/n", 6)
            await tell(port, [("count/up", {"n": 1}), ("count/up", {"n": 6})])
            assert (await driver.read("count/up/n")).value == 6
            await driver.write("count/up/n", 7)
            await tell(port, [("count/up", {"n": 6})])
            assert (await driver.read("count/up/n")).value == 6, "the device did not obey"


def make_password(file):
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        mosquitto_binary()  # skips, for it comes with the same package
    file.write_text("")
    subprocess.run([tool, "-b", str(file), "gate", "word"], check=True, capture_output=True)


async def test_wrong_credentials_are_refused_and_right_ones_are_not(tmp_path):
    passwords = tmp_path / "passwords"
    await asyncio.to_thread(make_password, passwords)
    lines = ("allow_anonymous false", f"password_file {passwords}")
    async with broker("mosquitto", tmp_path / "m", *lines) as port:
        for version in ("3.1.1", "5"):
            who = {"port": port, "version": version, "username": "gate"}
            with pytest.raises(Refused, match="does not let us in"):
                await load(counter(), **who, password="wrong").run(Recorder())
            feed = Recorder()
            async with running(load(counter(), **who, password="word"), feed):
                await ready(feed)


def certificate(folder):
    """A certificate for 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    now = dt.datetime.fromtimestamp(now_ns() / 1e9, dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, plain))


async def test_a_link_under_tls_carries_data_and_a_strange_certificate_is_refused(tmp_path):
    await asyncio.to_thread(certificate, tmp_path)
    files = (f"certfile {tmp_path}/cert.pem", f"keyfile {tmp_path}/key.pem")
    async with broker("mosquitto", tmp_path, *files, "allow_anonymous true") as port:
        with pytest.raises(Refused, match="is not to be trusted"):
            await load(counter(), port=port, tls={}).run(Recorder())
        with pytest.raises(Refused, match="there is no file"):
            await load(counter(), port=port, tls={"ca": f"{tmp_path}/none"}).run(Recorder())
        feed = Recorder()
        trusting = {"ca": f"{tmp_path}/cert.pem"}
        topic = counter(
            values=[{"name": "n", "key": "n", "command": "count/{2}", "command_key": "n"}]
        )
        driver = load(topic, {"filter": "count/up"}, port=port, tls=trusting)
        async with running(driver, feed):
            await ready(feed)
            for n in range(300):
                await driver.write("count/up/n", n)
            await feed.until(lambda: counted(feed) == set(range(300)), "what was written")


async def test_a_broker_of_another_version_is_a_lost_link_and_not_a_crash(tmp_path):
    async with broker("nats", tmp_path) as port:
        with pytest.raises((LinkLost, Refused)):
            await load(counter(), port=port, version="5", timeout_s=2).run(Recorder())


async def test_a_server_that_speaks_no_mqtt_is_a_lost_link():
    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError):
            await reader.read(10)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LinkLost):
            await load(counter(), port=port, timeout_s=2).run(Recorder())
