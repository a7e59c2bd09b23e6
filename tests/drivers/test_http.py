import asyncio
import contextlib
import datetime as dt
import http.server
import ipaddress
import json
import ssl
import threading

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.clock import NS_PER_S, from_iso, now_ns
from lineshaft.core.errors import Invalid, LinkLost, Refused, SettingsError
from lineshaft.core.point import Kind
from lineshaft.core.quality import Quality, is_bad
from lineshaft.drivers.http import Http
from lineshaft.drivers.http.points import HttpPoint, HttpWrite, body_for, dig, extract
from lineshaft.testing.recorder import Recorder, running

HOUR_NS = 3600 * NS_PER_S


def driver(url, points, **more):
    return Http.from_table(
        "m", {"base_url": url, "at": "hall/m", "poll_s": 0.02, "points": points} | more
    )


class Foreign(http.server.BaseHTTPRequestHandler):
    """A server that others wrote, with the answers of the test."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        status, headers, body = self.server.answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def foreign():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as server:
        server.daemon_threads = True
        server.seen, server.answers = [], {}
        server.url = f"http://127.0.0.1:{server.server_port}/api/"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def says(server, path, content, status=200, **headers):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    server.answers[f"/api/{path}"] = (status, headers, body)


async def test_points_of_one_address_come_with_one_request(foreign):
    says(foreign, "live", {"power": {"w": [1, 2500]}, "wh": 12_000, "on": True, "who": "a"})
    points = [
        {"name": "power", "href": "live", "pointer": "/power/w/1", "unit": "W"},
        {"name": "energy", "href": "live", "pointer": "/wh", "scale": 0.001, "unit": "kW.h"},
        {"name": "on", "href": "live", "pointer": "/on", "kind": "boolean"},
        {"name": "who", "href": "live", "pointer": "/who", "kind": "text"},
        {"name": "all", "href": "live", "kind": "json"},
    ]
    feed = Recorder()
    async with running(driver(foreign.url, points, poll_s=60), feed):
        await feed.until(lambda: len(feed.rows()) == 5, "a sample of each")
    found = {r.point.removeprefix("hall/m/"): r.value for r in feed.rows()}
    assert found["power"] == 2500
    assert found["energy"] == 12.0
    assert found["on"] == 1
    assert found["who"] == "a"
    assert json.loads(found["all"])["wh"] == 12_000
    assert len(foreign.seen) == 1


async def test_what_is_wrong_with_one_point_is_told_and_disturbs_no_other(foreign):
    says(foreign, "live", {"a": 1, "word": "x", "none": None})
    says(foreign, "broken", b"{")
    says(foreign, "moved", {}, status=302, Location="http://192.0.2.1/")
    says(foreign, "large", b"1" * 5000)
    points = [
        {"name": "good", "href": "live", "pointer": "/a"},
        {"name": "word", "href": "live", "pointer": "/word"},
        {"name": "none", "href": "live", "pointer": "/none"},
        {"name": "nowhere", "href": "live", "pointer": "/b/0"},
        {"name": "broken", "href": "broken"},
        {"name": "moved", "href": "moved"},
        {"name": "large", "href": "large"},
        {"name": "gone", "href": "gone"},
    ]
    feed = Recorder()
    async with running(driver(foreign.url, points, body_max=4000), feed):
        await feed.until(lambda: len(feed.rows()) >= 8, "a sample of each")
    found = {r.point.removeprefix("hall/m/"): r for r in feed.rows()}
    assert (found["good"].value, found["good"].quality) == (1, 0)
    assert {n: r.quality for n, r in found.items() if is_bad(r.quality)} == {
        "word": Quality.BAD_TYPE_MISMATCH,
        "none": Quality.BAD_NO_DATA,
        "nowhere": Quality.BAD_NODE_ID_UNKNOWN,
        "broken": Quality.BAD_DECODING_ERROR,
        "moved": Quality.BAD_CONFIGURATION_ERROR,
        "large": Quality.BAD_DECODING_ERROR,
        "gone": Quality.BAD_NODE_ID_UNKNOWN,
    }
    assert "redirects are not followed" in feed.troubles["GET moved"]
    assert "4000 bytes" in feed.troubles["GET large"]
    assert set(feed.troubles) == {
        "GET live#/word", "GET live#/b/0", "GET broken", "GET moved", "GET large", "GET gone"
    }  # fmt: skip


async def test_a_trouble_ends_when_the_device_is_well_again(foreign):
    says(foreign, "live", b"oops")
    feed = Recorder()
    async with running(driver(foreign.url, [{"name": "a", "href": "live"}]), feed):
        await feed.until(lambda: bool(feed.troubles.get("GET live")), "the trouble")
        says(foreign, "live", 7)
        await feed.until(lambda: feed.troubles["GET live"] is None, "the end of it")
        await feed.until(lambda: feed.of("hall/m/a")[-1].value == 7, "the value")


async def test_packed_answers_are_not_unpacked(foreign):
    says(foreign, "live", b"\x1f\x8b", **{"Content-Encoding": "gzip"})
    feed = Recorder()
    async with running(driver(foreign.url, [{"name": "a", "href": "live"}]), feed):
        await feed.until(lambda: "packed" in (feed.troubles.get("GET live") or ""), "the trouble")
    assert foreign.seen[0][1]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("more", "header", "value"),
    [
        ({"username": "u", "password": "p"}, "Authorization", "Basic dTpw"),
        ({"token": "t"}, "Authorization", "Bearer t"),
        ({"api_key": "k"}, "X-API-Key", "k"),
        ({"headers": {"X-Site": "7"}}, "X-Site", "7"),
    ],
)
async def test_credentials_go_with_each_request(foreign, more, header, value):
    says(foreign, "live", 1)
    feed = Recorder()
    async with running(driver(foreign.url, [{"name": "a", "href": "live"}], **more), feed):
        await feed.until(lambda: bool(feed.rows()), "a sample")
    assert foreign.seen[0][1][header] == value


async def test_a_key_in_the_query_goes_with_each_request_and_into_no_message(foreign, caplog):
    caplog.set_level("DEBUG")
    says(foreign, "live", 1)
    feed = Recorder()
    points = [{"name": "a", "href": "live?unit=W"}, {"name": "b", "href": "gone"}]
    more = {"api_key": "k/&=1", "api_key_query": "key", "api_key_header": "X-Key"}
    async with running(driver(foreign.url, points, **more), feed):
        await feed.until(lambda: bool(feed.troubles.get("GET gone")), "the trouble")
    asked = dict(foreign.seen)
    assert any(path.endswith("live?unit=W&key=k%2F%26%3D1") for path in asked), asked
    assert not any("X-Key" in headers for headers in asked.values())
    assert "key=" not in str(feed.troubles)
    assert "k%2F" not in caplog.text


async def test_who_is_denied_everywhere_is_parked(foreign):
    says(foreign, "live", {}, status=401)
    with pytest.raises(Refused, match=r"401 .*"):
        await driver(foreign.url, [{"name": "a", "href": "live"}]).run(Recorder())


def certificate(folder):
    """A certificate for 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "meter")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.fromtimestamp(now_ns() // NS_PER_S, dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(encoding))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, form, plain))


async def test_https_is_read_when_its_certificate_is_trusted_and_refused_when_not(
    foreign, tmp_path
):
    def secure():
        certificate(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
        foreign.socket = context.wrap_socket(foreign.socket, server_side=True)

    await asyncio.to_thread(secure)
    says(foreign, "live", 7)
    url = foreign.url.replace("http:", "https:")
    points = [{"name": "a", "href": "live"}]
    feed = Recorder()
    async with running(driver(url, points, tls={"ca": f"{tmp_path}/cert.pem"}), feed):
        await feed.until(lambda: bool(feed.rows()), "a sample")
    assert feed.rows()[0].value == 7
    with pytest.raises(Refused, match="CERTIFICATE_VERIFY_FAILED"):
        await driver(url, points).run(Recorder())
    with pytest.raises(Refused, match="cannot be used"):
        await driver(url, points, tls={"ca": f"{tmp_path}/none.pem"}).run(Recorder())


async def test_a_silent_device_is_lost(foreign):
    async def never(reader, writer):
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    with pytest.raises(LinkLost, match="no answer within"):
        await driver(url, [{"name": "a"}], timeout_s=0.05).run(Recorder())
    server.close()


async def test_the_time_is_the_answers_own_when_it_can_be_believed(foreign):
    then = now_ns() - HOUR_NS
    says(foreign, "live", {"v": 1, "ms": then // 1_000_000, "late": "2001-13-01", "v2": 2})
    points = [
        {"name": "a", "href": "live", "pointer": "/v", "time": {"pointer": "/ms", "format": "ms"}},
        {"name": "b", "href": "live", "pointer": "/v2", "time": {"pointer": "/late"}},
    ]
    feed = Recorder()
    async with running(driver(foreign.url, points), feed):
        await feed.until(lambda: len(feed.rows()) >= 2, "samples")
    assert feed.of("hall/m/a")[0].time_ns == then // 1_000_000 * 1_000_000
    doubtful = feed.of("hall/m/b")[0]
    assert doubtful.quality == Quality.UNCERTAIN_SUB_NORMAL
    assert abs(doubtful.time_ns - now_ns()) < HOUR_NS


async def test_a_point_may_be_read_with_post_and_written(foreign):
    points = [
        {"name": "echo", "href": "echo", "method": "POST", "body": "[5]", "pointer": "/0"},
        {
            "name": "limit",
            "href": "live",
            "scale": 0.1,
            "write": {"method": "POST", "href": "set", "body": '{"v": $value}'},
        },
    ]
    says(foreign, "live", 30)
    feed = Recorder()
    async with running(driver(foreign.url, points), feed) as device:
        await feed.until(lambda: len(feed.rows()) >= 2, "samples")
        await device.write("hall/m/limit", 2.5)
        with pytest.raises(Refused, match="read-only"):
            await device.write("hall/m/echo", 2)
    assert feed.of("hall/m/echo")[0].value == 5
    assert feed.of("hall/m/limit")[0].value == 3
    assert ("/api/set", b'{"v": 25.0}') in foreign.seen


async def test_what_the_device_does_not_take_is_refused():
    async with Http.bench() as bench:
        point = HttpPoint(
            name="set_point", href="set_point", pointer="/value", write=HttpWrite(body="[$value]")
        )
        settings = msgspec.structs.replace(bench.settings, points=[point])
        feed = Recorder()
        async with running(Http("m", settings), feed) as device:
            await feed.until(lambda: bool(feed.rows()), "a sample")
            with pytest.raises(Refused, match="answered with 400"):
                await device.write("bench/set_point", 5)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"href": "http://192.0.2.9/x"}, "another host"),
        ({"href": "//192.0.2.9/x"}, "another host"),
        ({"href": "https://127.0.0.1/x"}, "another host"),
        ({"pointer": "a"}, "no JSON pointer"),
        ({"payload": "text", "pointer": "/a"}, "need payload json"),
        ({"body": "x"}, "a GET has no body"),
        ({"kind": "text", "scale": 2.0}, "neither scale nor offset"),
        ({"write": {"body": "5"}}, "has no \\$value"),
        ({"unit": "parsec/fortnight"}, "parsec"),
    ],
)
def test_settings_that_cannot_be_are_refused(table, words):
    with pytest.raises(SettingsError, match=words):
        driver("http://127.0.0.1/api/", [{"name": "a"} | table])


def test_a_base_address_holds_no_secret():
    with pytest.raises(SettingsError, match="holds a user"):
        driver("http://u:p@127.0.0.1/", [{"name": "a"}])


@pytest.mark.parametrize(
    ("point", "value", "body"),
    [
        ({}, 2.5, b"2.5"),
        ({"kind": Kind.INTEGER}, 3.0, b"3"),
        ({"kind": Kind.BOOLEAN}, 1, b"true"),
        ({"kind": Kind.TEXT}, 'a "b"', b'"a \\"b\\""'),
        ({"kind": Kind.TEXT, "payload": "text"}, "a b", b"a b"),
        ({"kind": Kind.JSON}, "[1]", b"[1]"),
        ({"scale": 0.1, "kind": Kind.INTEGER}, 2.5, b"25"),
    ],
)
def test_values_are_sent_as_the_device_writes_them(point, value, body):
    made = msgspec.convert(
        {"name": "a", "write": {}} | {k: getattr(v, "value", v) for k, v in point.items()},
        HttpPoint,
    )
    assert body_for(made, value) == body


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Kind.NUMBER, "1"), (Kind.NUMBER, float("nan")), (Kind.INTEGER, 1.5), (Kind.BOOLEAN, 2)],
)
def test_values_of_another_kind_are_not_sent(kind, value):
    with pytest.raises(Invalid):
        body_for(HttpPoint(name="a", kind=kind, write=HttpWrite()), value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.data())
def test_a_pointer_leads_to_what_it_names(value, data):
    pointer, here = "", value
    while isinstance(here, dict | list) and here and data.draw(st.booleans()):
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = data.draw(st.sampled_from(keys))
        pointer += "/" + str(key).replace("~", "~0").replace("/", "~1")
        here = here[key]
    assert dig(value, pointer) is here


@given(st.binary(max_size=200), st.sampled_from(list(Kind)), st.sampled_from(["", "/a", "/0"]))
def test_no_answer_breaks_the_reading(body, kind, pointer):
    sample, problem = extract(HttpPoint(name="a", kind=kind, pointer=pointer), "p", body, 60)
    assert (sample.value is None) == is_bad(sample.quality)
    assert problem or sample.value is not None or sample.quality == Quality.BAD_NO_DATA


def test_a_time_of_the_answer_is_read_in_each_form():
    point = msgspec.convert({"name": "a", "pointer": "/v", "time": {"pointer": "/t"}}, HttpPoint)
    body = b'{"v": 1, "t": "2026-01-02T03:04:05Z"}'
    assert extract(point, "p", body, 60)[0].time_ns == from_iso("2026-01-02T03:04:05Z")
