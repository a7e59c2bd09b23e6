import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.core.plugin import build
from lineshaft.drivers import Driver
from lineshaft.settings import driver
from lineshaft.twins.plug.interpret import interpret


def one(found):
    """The only table, once it has been seen that its driver takes it."""
    (wanted,) = found.wanted
    if not wanted.needs:
        driver(wanted.table)
    return wanted.table


def told(found, level="error"):
    return {
        f.path.rpartition("properties.")[2]: f.message for f in found.findings if f.level == level
    }


def modbus(machines, *properties, base="modbus+tcp://127.0.0.1:5020", **terms):
    aid = machines.description(machines.interface("Modbus", base, *properties, **terms))
    return interpret(aid, at="hall/m")


# ---- Modbus

HOLDING = {"modv_entity": "HoldingRegister"}
SHORT = HOLDING | {"modv_type": "short"}
WORD = {"modv_entity": "InputRegister", "modv_type": "xsd:unsignedShort"}
TEXT = HOLDING | {"modv_type": "xsd:string"}


@pytest.mark.parametrize(
    ("href", "terms", "wanted"),
    [
        ("/0?quantity=2", HOLDING, ("holding", 0, "float32")),
        ("7", WORD, ("input", 7, "uint16")),
        ("40001?quantity=2", {"modv_function": "3"}, ("holding", 0, "float32")),
        ("40001?quantity=2", {}, ("holding", 0, "float32")),
        ("30008", {"modv_type": "xsd:int"}, ("input", 7, "int32")),
        ("400010?quantity=4", {}, ("holding", 9, "float64")),
        ("40001", SHORT | {"modv_zeroBasedAddressing": "true"}, ("holding", 40001, "int16")),
        ("12", SHORT | {"modv_zeroBasedAddressing": "false"}, ("holding", 11, "int16")),
        ("10001", SHORT, ("holding", 10001, "int16")),
        ("3", {"modv_function": "readCoil"}, ("coil", 3, "bool")),
        ("3", {"modv_function": "2"}, ("discrete", 3, "bool")),
        ("5?quantity=4", TEXT, ("holding", 5, "string")),
    ],
)
def test_modbus_addresses_are_those_on_the_wire(machines, href, terms, wanted):
    table = one(modbus(machines, machines.value("a", forms=machines.form(href, **terms))))
    (point,) = table["points"]
    assert (point["table"], point["address"], point["type"]) == wanted
    assert (table["host"], table["port"], table["unit"]) == ("127.0.0.1", 5020, 1)


def test_a_guess_about_an_address_is_told(machines):
    form = machines.form("40001", modv_type="short")
    found = modbus(machines, machines.value("a", forms=form))
    assert "taken as manuals write it: holding 0" in told(found, "warning")["a.forms"]


@pytest.mark.parametrize(
    ("byte", "word", "order"),
    [("true", "true", "ABCD"), ("true", "false", "CDAB"), ("false", "true", "BADC"),
     ("false", "false", "DCBA")],
)  # fmt: skip
def test_modbus_orders_are_of_the_interface_or_of_the_form(machines, byte, word, order):
    terms = {"modv_mostSignificantByte": byte, "modv_mostSignificantWord": word}
    plain = machines.value("a", forms=machines.form("0?quantity=2"))
    assert one(modbus(machines, plain, **terms))["order"] == order
    own = machines.value("a", forms=machines.form("0?quantity=2", **terms))
    assert one(modbus(machines, own))["points"][0].get("order", "ABCD") == order


def test_units_behind_one_address_become_connections_of_their_own(machines):
    found = modbus(
        machines,
        machines.value("a", forms=machines.form("/3/0?quantity=2", modv_pollingTime="250")),
        machines.value("b", forms=machines.form("/4/0?quantity=2", modv_timeout="3000")),
        base="modbus+tcp://127.0.0.1/3",
    )
    tables = [w.table for w in found.wanted]
    assert [(t["unit"], t["port"], t["name"].rpartition("Modbus")[2]) for t in tables] == [
        (3, 502, ""),
        (4, 502, "-unit-4"),
    ]
    assert tables[0]["points"][0]["poll_s"] == 0.25
    assert tables[1]["timeout_s"] == 3.0
    assert found.points == {
        "Modbus.InteractionMetadata.properties.a": "hall/m/Modbus/a",
        "Modbus.InteractionMetadata.properties.b": "hall/m/Modbus/b",
    }


@pytest.mark.parametrize(
    ("href", "terms", "words"),
    [
        ("power", {}, "no address"),
        ("0", {"modv_function": "readDeviceIdentification"}, "no function or entity"),
        ("0", {"modv_type": "xsd:hexBinary"}, "'hexbinary' is not read"),
        ("0?quantity=3", {}, "3 registers of type 'number' say no value"),
        ("/300/1", {}, "unit 300"),
        ("99999", {"modv_entity": "Coil"}, "no address"),
    ],
)
def test_what_modbus_cannot_say_is_a_finding(machines, href, terms, words):
    bad = machines.value("bad", forms=machines.form(href, **terms))
    good = machines.value("good", forms=machines.form("1?quantity=2"))
    found = modbus(machines, bad, good)
    assert words in told(found)["bad.forms"]
    assert [p["name"] for p in one(found)["points"]] == ["good"]


# ---- what all have in common


def test_units_ranges_and_names_are_taken_over(machines):
    form = machines.form("0?quantity=2", modv_type="float")
    found = modbus(
        machines,
        machines.value("t", forms=form, unit="°C", low=-20, high=120, title="Oil"),
        machines.value("v", forms=form, unit="VLT"),
        machines.value("odd", forms=form, unit="parsec per fortnight"),
    )
    points = {p["name"]: p for p in one(found)["points"]}
    assert points["t"]["unit"] == "Cel"
    assert (points["t"]["low"], points["t"]["high"]) == (-20.0, 120.0)
    assert points["t"]["description"] == "Oil"
    assert points["v"]["unit"] == "V"
    assert "unit" not in points["odd"]
    assert "parsec" in points["odd"]["description"]
    assert "parsec" in told(found, "warning")["odd.unit"]


def test_names_are_the_same_each_time_and_differ_between_machines(machines):
    def name(id_):
        face = machines.interface("A b", "opc.tcp://127.0.0.1:1")
        part = machines.value("a", forms=machines.form("i=5"))
        face["value"][2]["value"][0]["value"] = [part]
        return one(interpret(machines.description(face, id_=id_), at="x"))["name"]

    assert name("urn:a") == name("urn:a")
    assert name("urn:a") != name("urn:b")
    assert name("urn:a").endswith("-A_b")


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("bacnet://192.0.2.1", "is not connected; known are"),
        ("modbus+tcp://", "names no host"),
        ("opc.tcp://h:99999", "names no host and port"),
        ("http://[::1", "names no host"),
        ("http://u:p@192.0.2.1/", "with a user"),
    ],
)
def test_an_interface_that_cannot_be_reached_is_a_finding(machines, base, words):
    part = machines.value("a", forms=machines.form("1"))
    found = interpret(machines.description(machines.interface("X", base, part)), at="x")
    assert not found.wanted
    assert any(words in f.message for f in found.findings), found.findings


def test_a_template_describes_no_machine(machines):
    part = machines.value("a", forms=machines.form("1"))
    aid = machines.description(machines.interface("X", "modbus+tcp://h", part))
    assert not interpret(aid | {"kind": "Template"}, at="x").wanted


def test_a_branch_that_is_none_is_refused(machines):
    with pytest.raises(Invalid):
        interpret(machines.description(), at="a//b")


# ---- HTTP


def http(machines, *properties, **more):
    aid = machines.description(
        machines.interface("Web", "http://127.0.0.1:81/api/", *properties, **more)
    )
    return interpret(aid, at="hall/m")


def test_http_properties_become_points_nested_ones_with_a_pointer(machines):
    nested = [machines.value("min", "number", key="mi/n"), machines.value("on", "boolean")]
    put = machines.smc(
        "put", machines.prop("href", "limit"), machines.prop("htv_methodName", "PUT")
    )
    get = machines.smc(
        "get", machines.prop("href", "limit"), machines.prop("htv_methodName", "GET")
    )
    field = machines.smc(
        "", machines.prop("htv_fieldName", "X-A"), machines.prop("htv_fieldValue", "1")
    )
    form = machines.form("live")
    form["value"].append(machines.sml("htv_headers", field))
    found = http(
        machines,
        machines.value("live", "object", forms=form, nested=nested),
        machines.value("limit", "integer", forms=machines.smc("forms", put, get)),
        machines.value("word", "string", forms=machines.form("w", contentType="text/plain")),
    )
    points = {p["name"]: p for p in one(found)["points"]}
    assert points["live/min"] == {
        "name": "live/min", "href": "live", "kind": "number", "pointer": "/mi~1n",
        "headers": {"X-A": "1"},
    }  # fmt: skip
    assert points["live/on"]["kind"] == "boolean"
    assert points["limit"]["write"]["method"] == "PUT"
    assert points["word"]["payload"] == "text"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"href": "http://192.0.2.9/x"}, "another host"),
        ({"href": "x", "htv_methodName": "POST"}, "not sent to read"),
        ({"href": "x", "contentType": "application/xml"}, "application/xml"),
    ],
)
def test_what_http_does_not_do_is_a_finding(machines, form, words):
    found = http(machines, machines.value("a", forms=machines.form(**form)))
    assert not found.wanted
    assert words in told(found)["a.forms"]


@pytest.mark.parametrize(
    ("scheme", "terms", "needs"),
    [
        ("basic", {}, ("username", "password")),
        ("bearer", {}, ("token",)),
        ("apikey", {"in": "header", "name": "X-Key"}, ("api_key",)),
        ("apikey", {"in": "query", "name": "X-Key"}, ("api_key",)),
        ("apikey", {"name": "X-Key"}, ("api_key",)),
        ("nosec", {}, ()),
        ("auto", {}, ()),
    ],
)
def test_credentials_are_asked_for_and_never_in_the_table(machines, scheme, terms, needs):
    defined = machines.smc(
        "sc", machines.prop("scheme", scheme), *(machines.prop(k, v) for k, v in terms.items())
    )
    found = http(machines, machines.value("a", forms=machines.form("a")), schemes=[defined])
    (wanted,) = found.wanted
    assert wanted.needs == needs
    assert not set(needs) & set(wanted.table)
    if scheme == "apikey":
        place = terms.get("in", "query")
        assert wanted.table[f"api_key_{place}"] == "X-Key"
    assert all("EndpointMetadata.securityDefinitions.sc" in f.path for f in found.findings)


@pytest.mark.parametrize("scheme", ["digest", "psk", "oauth2", "combo", "apikey"])
def test_a_scheme_that_is_not_supported_keeps_the_interface_out(machines, scheme):
    defined = machines.smc("sc", machines.prop("scheme", scheme), machines.prop("in", "query"))
    found = http(machines, machines.value("a", forms=machines.form("a")), schemes=[defined])
    assert not found.wanted
    assert scheme in found.findings[0].message


def test_only_the_schemes_that_are_named_count(machines):
    sc = [machines.smc("nosec_sc", machines.prop("scheme", "nosec"))]
    face = machines.interface(
        "Web", "http://h/", machines.value("a", forms=machines.form("a")), schemes=sc
    )
    definitions = face["value"][1]["value"][3]
    definitions["value"].append(machines.smc("basic_sc", machines.prop("scheme", "basic")))
    (wanted,) = interpret(machines.description(face), at="x").wanted
    assert not wanted.needs


# ---- MQTT


def mqtt(machines, *properties, base="mqtt://127.0.0.1:1884", **more):
    return interpret(
        machines.description(machines.interface("Broker", base, *properties, **more)), at="hall/m"
    )


def test_mqtt_properties_of_one_topic_are_read_together(machines):
    nested = [machines.value("speed", "number"), machines.value("mode", "string", key="m")]
    found = mqtt(
        machines,
        machines.value(
            "state", "object", forms=machines.form("/press/state", mqv_qos="0"), nested=nested
        ),
        machines.value(
            "raw",
            "number",
            forms=machines.form(
                "press/raw", contentType="text/plain", mqv_controlPacket="subscribe"
            ),
        ),
    )
    table = one(found)
    state, raw = table["topics"]
    assert (state["filter"], state["qos"], state["payload"]) == ("press/state", 0, "json")
    assert [(v["name"], v["key"]) for v in state["values"]] == [
        ("state/speed", '["speed"]'),
        ("state/mode", '["m"]'),
    ]
    assert (raw["filter"], raw["qos"], raw["payload"]) == ("press/raw", 1, "number")
    assert (table["host"], table["port"]) == ("127.0.0.1", 1884)


def test_mqtts_is_encrypted_and_a_whole_address_may_be_given(machines):
    table = one(
        mqtt(machines, machines.value("a", forms=machines.form("mqtts://h/x/y")), base="mqtts://h")
    )
    assert (table["port"], table["tls"]) == (8883, {})
    assert table["topics"][0]["filter"] == "x/y"


def test_a_form_that_publishes_sets_the_point(machines):
    read = machines.smc(
        "r", machines.prop("href", "s"), machines.prop("mqv_controlPacket", "subscribe")
    )
    write = machines.smc(
        "w", machines.prop("href", "s/set"), machines.prop("mqv_controlPacket", "publish")
    )
    both = machines.value("a", forms=machines.smc("forms", write, read))
    only = machines.value("b", forms=machines.form("t", mqv_controlPacket="publish"))
    found = mqtt(machines, both, only)
    assert one(found)["topics"][0]["values"][0]["command"] == "s/set"
    assert "no form subscribes" in told(found)["b.forms"]


def test_the_only_member_of_an_object_is_set_through_it(machines):
    def both(*terms):
        forms = [machines.smc(n, *(machines.prop(k, v) for k, v in t)) for n, t in terms]
        return machines.smc("forms", *forms)

    nested = [machines.value("v", "number", key="va$lue")]
    mqtt_forms = both(
        ("r", [("href", "s"), ("mqv_controlPacket", "subscribe")]),
        ("w", [("href", "s/set"), ("mqv_controlPacket", "publish")]),
    )
    table = one(mqtt(machines, machines.value("a", "object", forms=mqtt_forms, nested=nested)))
    (told_,) = table["topics"][0]["values"]
    assert (told_["command"], told_["command_key"]) == ("s/set", "va$lue")
    web_forms = both(
        ("r", [("href", "s"), ("htv_methodName", "GET")]),
        ("w", [("href", "s"), ("htv_methodName", "PUT")]),
    )
    table = one(http(machines, machines.value("a", "object", forms=web_forms, nested=nested)))
    assert table["points"][0]["write"]["body"] == r'{"va\u0024lue": $value}'
    pair = [*nested, machines.value("w", "number")]
    table = one(http(machines, machines.value("a", "object", forms=web_forms, nested=pair)))
    assert not any("write" in p for p in table["points"])


@pytest.mark.parametrize("href", ["a/+/b", "#", ""])
def test_topics_with_wildcards_are_no_property(machines, href):
    found = mqtt(machines, machines.value("a", forms=machines.form(href or "/")))
    assert "no topic of one value" in told(found)["a.forms"]


# ---- OPC UA


@pytest.mark.parametrize(
    ("href", "node"),
    [
        ("ns=2;s=Machine.Speed", "ns=2;s=Machine.Speed"),
        ("/?id=ns=2;i=5", "ns=2;i=5"),
        ("opc.tcp://h:4840/?nodeId=nsu%3Durn%3Aa%3Bs%3DB", "nsu=urn:a;s=B"),
        ("i=2258", "i=2258"),
    ],
)
def test_opcua_nodes_are_read_from_hrefs(machines, href, node):
    face = machines.interface(
        "Ua", "opc.tcp://h:4840", machines.value("a", forms=machines.form(href))
    )
    table = one(interpret(machines.description(face), at="x"))
    assert table["points"][0]["node"] == node
    assert table["url"] == "opc.tcp://h:4840"


def test_opcua_browse_paths_are_taken_where_no_node_is_named(machines):
    form = machines.form("/", uav_browsePath="/0:Objects/2:Press/2:Speed")
    face = machines.interface("Ua", "opc.tcp://h:4840", machines.value("a", forms=form))
    table = one(interpret(machines.description(face), at="x"))
    assert table["points"][0]["node"] == "/0:Objects/2:Press/2:Speed"


def test_opcua_security_is_in_the_table_and_its_files_are_asked_for(machines):
    channel = machines.smc(
        "ch", machines.prop("scheme", "ua_channelsec"),
        machines.prop("uav_securityMode", "SignAndEncrypt"),
        machines.prop("uav_securityPolicy", "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"),
    )  # fmt: skip
    user = machines.smc(
        "au", machines.prop("scheme", "ua_authentication"),
        machines.prop("uav_userIdentityToken", "UserName"),
    )  # fmt: skip
    face = machines.interface(
        "Ua",
        "opc.tcp://h",
        machines.value("a", forms=machines.form("i=1")),
        schemes=[channel, user],
    )
    (wanted,) = interpret(machines.description(face), at="x").wanted
    assert wanted.needs == ("certificate", "private_key", "username", "password")
    assert (wanted.table["security"], wanted.table["mode"]) == ("Basic256Sha256", "SignAndEncrypt")


# ---- mappings


SINK = [("SubmodelElementCollection", "Live"), ("SubmodelElementList", "Axes"), ("Property", "0")]


def test_sources_and_sinks_become_bindings_and_rhythms(machines):
    face = machines.interface(
        "Modbus", "modbus+tcp://h", machines.value("a", forms=machines.form("0?quantity=2"))
    )
    aid = machines.description(face)
    pair = (machines.source_keys("Modbus", "a"), SINK)
    for made, poll_s in (
        (machines.mapping(pair, poll_s=0.5), 0.5),
        (machines.relations(pair), None),
    ):
        found = interpret(aid, [made], at="hall/m")
        (binding,) = found.bindings
        assert (binding.submodel, binding.path, binding.point) == (
            machines.DATA, "Live.Axes[0]", "hall/m/Modbus/a"
        )  # fmt: skip
        assert one(found)["points"][0].get("poll_s") == poll_s
        assert not told(found)


def test_mappings_that_cannot_be_followed_are_findings(machines):
    aid = machines.description(
        machines.interface(
            "Modbus", "modbus+tcp://h", machines.value("a", forms=machines.form("0?quantity=2"))
        )
    )
    good, lost = machines.source_keys("Modbus", "a"), machines.source_keys("Modbus", "none")
    for script, words in (
        ("function", "of Lua"),
        ("function aimc_main(s) while true do end end", "'while' is not read"),
        ("function aimc_main(s) return { other = s.v0 } end", "do not agree"),
        ("function aimc_main(s) return { v0 = s.none } end", "no source has the id 'none'"),
        ("function aimc_main(s) return { v0 = os.time() } end", "'os.time' is not read"),
    ):
        lua = machines.mapping((good, SINK), transformation=b64(script))
        found = interpret(aid, [lua], at="x")
        assert not found.bindings
        assert any(words in f.message for f in found.findings), found.findings
    odd = machines.mapping((good, SINK), transformation="???")
    assert any("base64" in f.message for f in interpret(aid, [odd], at="x").findings)
    found = interpret(aid, [machines.mapping((lost, SINK))], at="x")
    assert not found.bindings
    assert "is not read" in found.findings[-1].message
    found = interpret(aid, [machines.mapping((good, SINK), (good, SINK))], at="x")
    assert len(found.bindings) == 1
    assert "another source already" in found.findings[-1].message


def b64(script):
    return base64.b64encode(script.encode()).decode()


def test_a_script_binds_its_sinks_to_what_it_looks_at(machines):
    forms = machines.form("0?quantity=2")
    face = machines.interface(
        "Modbus", "modbus+tcp://h", *(machines.value(n, forms=forms) for n in "ab")
    )
    pairs = [(machines.source_keys("Modbus", n), [*SINK[:1], ("Property", n)]) for n in "ab"]
    script = "function aimc_main(s) return { v0 = s.v0 + s.v1, v1 = s.v1 } end"
    made = machines.mapping(*pairs, poll_s=0.5, transformation=b64(script))
    found = interpret(machines.description(face), [made], at="hall/m")
    assert not told(found)
    inputs = (("v0", "hall/m/Modbus/a"), ("v1", "hall/m/Modbus/b"))
    assert [(b.path, b.sink, b.inputs) for b in found.bindings] == [
        ("Live.a", "v0", inputs),
        ("Live.b", "v1", inputs),
    ]
    assert [p["poll_s"] for p in one(found)["points"]] == [0.5, 0.5]


def test_mappings_of_other_machines_are_left_alone(machines):
    aid = machines.description(id_="urn:other")
    made = machines.mapping((machines.source_keys("Modbus", "a"), SINK))
    found = interpret(aid, [made], at="x")
    assert not found.bindings
    assert not found.findings


# ---- whatever comes


def test_what_ends_behind_the_last_address_is_no_point(machines):
    for href, fits in (
        ("65532?quantity=4", True),
        ("65535?quantity=4", False),
        ("65535", True),
        (f"7?quantity={'9' * 5000}", True),
    ):
        part = machines.value("a", "number", forms=machines.form(href))
        face = machines.interface("I", "modbus+tcp://h:1/2", part)
        found = interpret(machines.description(face), at="a")
        points = [p for w in found.wanted for p in w.table["points"]]
        assert bool(points) is fits, href
        if not fits:
            assert any("behind the last" in f.message for f in found.findings)


@given(st.data())
@settings(max_examples=150)
def test_nothing_that_is_read_breaks_it_and_every_table_is_one(machines, data):
    words = st.sampled_from(
        ["", "0", "1", "40001?quantity=2", "/9/9", "a/b", "ns=2;s=x", "?id=i=1", "http://h/", "%00",
         "//x", "[", "65535?quantity=4", "true", "float", "object", "xsd:string", "integer", "é+#"]
    ) | st.text(max_size=8)  # fmt: skip
    base = st.sampled_from(
        ["http://h/", "https://h:1", "modbus+tcp://h:1/2", "mqtt://h/a", "mqtts://h", "opc.tcp://h:1/x",
         "http://[", "modbus+tcp://h:x", "opc.tcp:///"]
    )  # fmt: skip
    terms = st.dictionaries(
        st.sampled_from(
            ["modv_type", "modv_function", "modv_entity", "modv_zeroBasedAddressing", "mqv_qos",
             "modv_pollingTime", "contentType", "htv_methodName", "mqv_controlPacket", "op",
             "uav_browsePath"]
        ), words, max_size=4,
    )  # fmt: skip
    properties = [
        machines.value(
            data.draw(words),
            data.draw(words),
            forms=machines.form(data.draw(words), **data.draw(terms)),
            unit=data.draw(words),
            key=data.draw(words),
        )
        for _ in range(data.draw(st.integers(1, 3)))
    ]  # fmt: skip
    aid = machines.description(machines.interface("I", data.draw(base), *properties))
    for wanted in interpret(aid, at="a").wanted:
        if not wanted.needs:
            build(Driver, json.loads(json.dumps(wanted.table)))


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["value", "keys", "idShort", "modelType", "semanticId", "first", "min"]),
        inner, max_size=4,
    ),
    max_leaves=20,
))  # fmt: skip
@settings(deadline=None)
def test_elements_of_any_shape_are_read_without_harm(machines, odd):
    part = machines.value("a", forms=machines.form("0?quantity=2"))
    part["value"].append({"modelType": "Property", "idShort": "unit", "value": odd})
    part["value"].append({"modelType": "Range", "idShort": "min_max", "min": odd, "max": odd})
    part["description"] = odd
    face = machines.interface("Modbus", "modbus+tcp://h", part)
    made = machines.mapping(([("SubmodelElementCollection", "x")], SINK))
    made["submodelElements"][0]["value"][0]["value"][0]["value"][0]["value"][0]["value"] = odd
    interpret(machines.description(face), [made], at="a")
