"""Files that mean harm, or are broken, end in findings or in `Invalid`, within the bounds."""

import contextlib
import io
import re
import struct
import tracemalloc
import zipfile
import zlib
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.twins import exchange
from lineshaft.twins.exchange import Notes, opc, packed
from lineshaft.twins.exchange.aasx import read_aasx, write_aasx
from lineshaft.twins.exchange.jsonfile import write_json
from lineshaft.twins.exchange.opc import Package
from lineshaft.twins.exchange.reading import read_environment
from lineshaft.twins.exchange.xmlfile import write_xml
from lineshaft.twins.model.checking import check

NS = "https://admin-shell.io/aas/3/1"
SUBMODEL = {"modelType": "Submodel", "id": "urn:s:1", "idShort": "Good"}


def submodel(*elements, **more):
    return {**SUBMODEL, "submodelElements": list(elements), **more}


def prop(name="Pp", **more):
    return {"modelType": "Property", "idShort": name, "valueType": "xs:int", **more}


def nested(levels):
    element = prop()
    for _ in range(levels):
        element = {"modelType": "SubmodelElementCollection", "idShort": "Cc", "value": [element]}
    return {"submodels": [submodel(element)]}


def package(extra=(), **changed):
    """A good package as entries, with some added or changed; returns its bytes."""
    good = write_aasx({"submodels": [SUBMODEL]}, {"/aasx/files/a.txt": packed(b"a", "text/plain")})
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(buffer, "w") as target:
        for info in source.infolist():
            content = changed.get(info.filename.rpartition("/")[2].partition(".")[0])
            target.writestr(info, source.read(info) if content is None else content)
        for name, content in extra:
            target.writestr(name, content)
    return buffer.getvalue()


def errors(read):
    return [f"{f.path}: {f.message}" for f in read.findings if f.level == "error"]


# ---- JSON


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"{",
        b"[[[[",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"null",
        b"7",
        b'"text"',
        b"{}",
        b"[1]",
        b'{"submodel": []}',
        b'{"modelType": "Property"}',
        b'{"modelType": ["Submodel"]}',
        b'{"submodels": [{"id": "a\xff"}]}',
        b'{"submodels": [{"id": "\\ud800"}]}',
        b"{'submodels': []}",
        '{"submodels": []}'.encode("utf-16")[:-1],
        b"\x00" * 50,
        b"\xff\xfe",
        b"PK\x03\x04",
    ],
)
def test_what_is_no_environment_is_refused(data):
    with pytest.raises(Invalid) as caught:
        read_environment(data, "bad.json")
    assert "bad.json" in str(caught.value) or "modelType" in str(caught.value)
    assert caught.value.remedy


def test_encodings_besides_utf8_are_mended_where_they_say_so():
    text = write_json({"submodels": [SUBMODEL]}).decode()
    for encoding, findings in (("utf-8-sig", 0), ("utf-16", 1)):
        read = read_environment(text.encode(encoding), "s.json")
        assert read.environment["submodels"] == [SUBMODEL]
        assert len(read.findings) == findings


def test_what_cannot_be_read_is_left_out_alone():
    elements = [
        prop("Good1"),
        prop("Bad1", valueType="xs:nothing"),
        {"modelType": "Nonsense", "idShort": "Bad2"},
        {"idShort": "Bad3"},
        "not an object",
        prop("Good2", colour="red"),
        prop("Good3", value=7),
        {"modelType": "Blob", "idShort": "Blob1", "value": "%%%", "contentType": "a/b"},
        {"modelType": ["Property"], "idShort": "Bad4"},
    ]
    read = read_environment(msgspec.json.encode({"submodels": [submodel(*elements)]}), "s.json")
    kept = read.environment["submodels"][0]["submodelElements"]
    assert [e["idShort"] for e in kept] == ["Good1", "Good2", "Good3", "Blob1"]
    assert kept[1:] == [
        prop("Good2"),
        prop("Good3"),
        {"modelType": "Blob", "idShort": "Blob1", "contentType": "a/b"},
    ]
    assert len(errors(read)) >= 7
    write_xml(read.environment)


def test_nulls_empty_lists_and_forbidden_characters_are_mended():
    raw = submodel(
        prop("Text", valueType="xs:string", value="a\x00b\x1fc"), description=[], kind=None
    )
    raw["modelType"] = {"name": "Submodel"}
    read = read_environment(msgspec.json.encode(raw), "s.json")
    assert read.environment["submodels"] == [
        submodel(prop("Text", valueType="xs:string", value="a\ufffdb\ufffdc"))
    ]
    assert [f.level for f in read.findings] == ["warning"] * 4
    again = read_environment(write_xml(read.environment), "s.xml")
    assert again.environment == read.environment


def test_huge_numbers_are_refused_or_left_out():
    text = msgspec.json.encode({"submodels": [submodel(prop(value="NUMBER"))]}).decode()
    for number in ("1e999", "9" * 5000, "-" + "9" * 30, "1.5"):
        try:
            read = read_environment(text.replace('"NUMBER"', number).encode(), "s.json")
        except Invalid:
            continue
        assert "value" not in read.environment["submodels"][0]["submodelElements"][0]
        assert errors(read)


def test_of_two_documents_with_one_identifier_the_first_stays():
    environment = {
        "assetAdministrationShells": [
            {
                "modelType": "AssetAdministrationShell",
                "id": "urn:s:1",
                "assetInformation": {"assetKind": "Type", "globalAssetId": "a"},
            }
        ],
        "submodels": [SUBMODEL, {**SUBMODEL, "id": "urn:s:2"}, {**SUBMODEL, "id": "urn:s:2"}],
    }
    for data in (msgspec.json.encode(environment), write_xml(environment)):
        read = read_environment(data, "s")
        assert [len(v) for v in read.environment.values()] == [1, 1, 0]
        assert len([e for e in errors(read) if "is there twice" in e]) == 2


# ---- depth and size


@pytest.mark.parametrize("write", [msgspec.json.encode, write_xml])
def test_nesting_is_taken_up_to_the_bound_and_refused_beyond(write):
    fits = read_environment(write(nested(95)), "deep")
    assert fits.environment["submodels"] == nested(95)["submodels"]
    assert not errors(fits)
    with pytest.raises(Invalid, match="nested deeper than 200"):
        read_environment(write(nested(200)), "deep")


def test_a_document_beyond_the_number_of_values_is_refused(monkeypatch):
    for module in ("mending", "xmlfile"):
        monkeypatch.setattr(f"lineshaft.twins.exchange.{module}.NODES_MAX", 50)
    environment = {"submodels": [submodel(*[prop(f"P{n}x") for n in range(50)])]}
    for data in (msgspec.json.encode(environment), write_xml(environment)):
        with pytest.raises(Invalid, match="more than 50"):
            read_environment(data, "large")


def test_a_document_of_which_nothing_can_be_read_is_given_up_after_the_bound():
    raw = submodel(*[prop(f"P{n}x", valueType="no") for n in range(exchange.MENDS_MAX + 50)])
    read = read_environment(msgspec.json.encode(raw), "s.json")
    assert read.environment["submodels"] == []
    assert len(read.findings) == exchange.MENDS_MAX + 1


def test_what_is_read_again_is_bounded_over_the_whole_file(monkeypatch):
    monkeypatch.setattr(exchange, "REREAD_NODES_MAX", 100)
    bad = [submodel(prop("Bad", valueType="no"), id=f"urn:s:{n}") for n in range(30)]
    for data in (
        msgspec.json.encode({"submodels": bad}),
        write_xml({"submodels": [submodel(prop(), id=f"urn:s:{n}") for n in range(30)]}).replace(
            b"xs:int", b"xs:no"
        ),
    ):
        read = read_environment(data, "s")
        assert 0 < len(read.environment["submodels"]) < 30
        assert any("too many parts" in e for e in errors(read))


def test_a_long_name_above_many_values_is_not_repeated_in_memory():
    name = "x" * 500_000
    deep = {name: [{"idShort": "y" * 200}] * 3000, **SUBMODEL}
    data = msgspec.json.encode({"submodels": [submodel({**prop(), name: [{}] * 3000}), deep]})
    for work in (
        lambda: read_environment(data, "s.json"),
        lambda: check("Submodel", deep),
    ):
        tracemalloc.start()
        try:
            work()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 64 << 20


def test_findings_are_bounded_and_the_others_counted():
    many = [{"nonsense": None}] * (exchange.FINDINGS_MAX + 500)
    read = read_environment(msgspec.json.encode({"submodels": many}), "s.json")
    assert len(read.findings) == exchange.FINDINGS_MAX + 1
    assert "more findings" in read.findings[-1].message


# ---- XML

BILLION = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
DOCTYPES = {
    "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "lol">{BILLION}]>',
    "quadratic": f'<!DOCTYPE x [<!ENTITY a "{"A" * 50_000}">]>',
    "file": '<!DOCTYPE x [<!ENTITY l11 SYSTEM "file:///etc/passwd">]>',
    "parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>',
    "external": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    "none": "<!DOCTYPE environment>",
}


@pytest.mark.parametrize("name", DOCTYPES)
def test_a_document_type_is_refused_before_any_entity_is_expanded(name):
    data = f'{DOCTYPES[name]}<environment xmlns="{NS}"><x>&l11;</x></environment>'.encode()
    with pytest.raises(Invalid, match="document type"):
        read_environment(data, "x.xml")
    spec = package(data=data)
    assert any("document type" in e for e in errors(read_environment(spec, "x.aasx")))
    hostile = package(**{"": data})
    assert "document type" in str(said_of(hostile))


def said_of(data):
    """What is told of a package that may be refused as a whole."""
    notes = Notes()
    try:
        read_aasx(data, "x.aasx", notes)
    except Invalid as error:
        return [str(error), *[f.message for f in notes.findings()]]
    return [f.message for f in notes.findings() if f.level == "error"]


@pytest.mark.parametrize(
    "data",
    [
        b"<",
        b"<environment>",
        b"<environment/>",
        b'<environment xmlns="http://www.admin-shell.io/aas/2/0"/>',
        f'<submodels xmlns="{NS}"/>'.encode(),
        f'<environment xmlns="{NS}"><submodels></environment>'.encode(),
        f'<?xml version="1.0" encoding="utf-99"?><environment xmlns="{NS}"/>'.encode(),
        f'<?xml version="1.0" encoding="ascii"?><environment xmlns="{NS}">é</environment>'.encode(),
        f'<environment xmlns="{NS}">\x00</environment>'.encode(),
        f'<environment xmlns="{NS}">&nbsp;</environment>'.encode(),
        f'<environment xmlns="{NS}">'.encode() + b"\xff</environment>",
        f'<environment xmlns="{NS}">'.encode() + b"<a>" * 100_000,
    ],
)
def test_what_is_no_environment_in_xml_is_refused(data):
    with pytest.raises(Invalid) as caught:
        read_environment(data, "x.xml")
    assert "x.xml" in str(caught.value)
    assert caught.value.remedy


def test_what_cannot_be_read_in_xml_is_left_out_alone():
    good = write_xml({"submodels": [submodel(prop("Good1"), prop("Good2"))]}).decode()
    bad = good.replace(
        "<submodelElements>",
        "<category/><description/><submodelElements><property><idShort>Bad1</idShort></property>"
        "<nonsense/><blob><idShort>Blob1</idShort><value>%%%</value></blob>"
        "<property colour='red'><idShort>Good3</idShort><valueType>xs:int</valueType>"
        "<foreign xmlns='urn:else'>x</foreign></property>",
    ).replace("<environment", "<!-- no --><environment")
    bad = bad.replace("<submodels>", "<others><a/></others><submodels>")
    read = read_environment(bad.encode(), "x.xml")
    kept = read.environment["submodels"][0]
    assert [e["idShort"] for e in kept["submodelElements"]] == [
        "Blob1",
        "Good3",
        "Good1",
        "Good2",
    ]
    assert "value" not in kept["submodelElements"][0]
    assert len(errors(read)) == 5
    assert sum(f.level == "warning" for f in read.findings) >= 3


def test_other_encodings_of_xml_are_read():
    text = write_xml(
        {"submodels": [submodel(prop("Pp", valueType="xs:string", value="é"))]}
    ).decode()
    for encoding in ("utf-8-sig", "utf-16", "iso-8859-1"):
        data = text.replace("UTF-8", encoding.removesuffix("-sig")).encode(encoding)
        read = read_environment(data, "x.xml")
        assert read.environment["submodels"][0]["submodelElements"][0]["value"] == "é"


# ---- packages


def test_a_bomb_is_left_out_and_was_never_held_in_memory():
    data = package([("aasx/bomb.bin", b"")])
    buffer = io.BytesIO(data)
    with (
        zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as target,
        target.open("aasx/large.bin", "w") as file,
    ):
        for _ in range(64):
            file.write(bytes(1 << 20))
    notes = Notes()
    tracemalloc.start()
    try:
        held = Package(buffer.getvalue(), "bomb", notes)
        assert held.part("/aasx/large.bin") is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
    assert ["200 times" in f.message for f in notes.findings()] == [True]
    assert held.part("/aasx/large.bin") is None
    assert len(notes.findings()) == 1


def test_a_package_unpacks_to_no_more_than_the_bound(monkeypatch):
    monkeypatch.setattr(opc, "UNPACKED_BYTES_MAX", 3_000_000)
    noise = bytes(range(256)) * 4000
    names = [f"aasx/files/{n}.bin" for n in range(5)]
    notes = Notes()
    held = Package(package([(name, noise) for name in names]), "large", notes)
    taken = [held.part(f"/{name}") for name in names]
    assert [part is not None for part in taken] == [True, True, False, False, False]
    assert taken[0].data() == noise


def test_an_entry_that_lies_about_its_size_does_not_get_through():
    data = bytearray(package([("aasx/lie.bin", b"x" * 100)]))
    at = data.rfind(b"PK\x01\x02", 0, data.rfind(b"aasx/lie.bin"))
    struct.pack_into("<I", data, at + 24, 7)
    notes = Notes()
    assert Package(bytes(data), "lie", notes).part("/aasx/lie.bin") is None
    assert "damaged" in notes.findings()[0].message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../../etc/passwd", "leads out"),
        ("aasx/../../x", "leads out"),
        ("aasx/%2e%2e/%2e%2e/x", "leads out"),
        ("..\\..\\x", "leads out"),
        ("/etc/passwd", "absolute"),
        ("C:/windows/x", "absolute"),
        ("AASX/files/A.txt", "twice"),
    ],
)
def test_a_name_that_is_not_inside_the_package_is_left_out(name, said):
    read = read_environment(package([(name, b"x")]), "x.aasx")
    assert [said in e for e in errors(read)] == [True]
    assert set(read.files) == {"/aasx/files/a.txt"}
    assert read.files["/aasx/files/a.txt"].data() == b"a"


def test_links_encrypted_entries_and_other_methods_are_left_out():
    link = zipfile.ZipInfo("aasx/link")
    link.external_attr = 0o120777 << 16
    assert any("symbolic" in e for e in errors(read_environment(package([(link, "/etc/x")]), "x")))
    packed_otherwise = zipfile.ZipInfo("aasx/other")
    packed_otherwise.compress_type = zipfile.ZIP_LZMA
    buffer = io.BytesIO(package())
    with zipfile.ZipFile(buffer, "a") as target:
        target.writestr(packed_otherwise, b"x" * 100)
    read = read_environment(buffer.getvalue(), "x")
    assert any("another method" in e for e in errors(read))
    encrypted = bytearray(package())
    at = encrypted.find(b"PK\x01\x02")
    encrypted[at + 8] |= 1
    assert any("encrypted" in e for e in said_of(bytes(encrypted)))


def test_a_directory_beyond_the_bounds_is_refused_before_it_is_read(monkeypatch):
    data = bytearray(package())
    at = data.rfind(b"PK\x05\x06")
    for size in (1 << 30, 0xFFFFFFFF):
        struct.pack_into("<I", data, at + 12, size)
        with pytest.raises(Invalid, match="directory"):
            read_environment(bytes(data), "x.aasx")
    for moved, size in ((1, 100), (0, 1 << 40), (0, 0xFFFFFFFF)):
        with pytest.raises(Invalid, match="ZIP64" if moved else "directory"):
            read_environment(in_zip64(package(), size=size, moved=moved), "x.aasx")
    plain = package()
    at = plain.rfind(b"PK\x05\x06")
    with pytest.raises(Invalid, match="ZIP64"):
        read_environment(plain[:at] + b"PK\x06\x07" + bytes(16) + plain[at:], "x.aasx")
    monkeypatch.setattr(opc, "ENTRIES_MAX", 3)
    with pytest.raises(Invalid, match="entries"):
        read_environment(package(), "x.aasx")


def in_zip64(data, *, size=None, moved=0):
    """The package with an end record in ZIP64 before the old one, which says nothing any more."""
    at = data.rfind(b"PK\x05\x06")
    count, length, start = struct.unpack_from("<HII", data, at + 10)
    length = length if size is None else size
    record = struct.pack(
        "<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, length, start
    )
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at + moved, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:at] + record + locator + end


def test_a_package_in_zip64_is_read_like_any_other():
    assert said_of(in_zip64(package())) == said_of(package())
    one, other = (read_environment(d, "x.aasx") for d in (package(), in_zip64(package())))
    assert one.environment == other.environment
    assert one.files.keys() == other.files.keys()


def test_a_truncated_package_is_refused_or_told_wherever_it_ends():
    whole = package()
    for end in range(0, len(whole), 37):
        assert said_of(whole[:end])


def test_missing_targets_wrong_types_and_lost_pieces_are_told():
    no_types = package(**{"[Content_Types]": b"<no"})
    read = read_environment(no_types, "x.aasx")
    assert len(read.environment["submodels"]) == 1
    assert errors(read)
    as_json = package(data=write_json({"submodels": [SUBMODEL]}))
    read = read_environment(as_json, "x.aasx")
    assert read.environment["submodels"] == [SUBMODEL]
    assert any("declared as" in f.message for f in read.findings)
    lost = submodel({"modelType": "File", "idShort": "Ff", "value": "gone.pdf"})
    read = read_environment(package(data=write_json({"submodels": [lost]})), "x.aasx")
    assert any("is not in the package" in f.message for f in read.findings)
    assert read.environment["submodels"] == [lost]


@given(st.data())
def test_a_package_with_bytes_changed_is_refused_or_read(data):
    whole = bytearray(package())
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Invalid):
        read_environment(bytes(whole), "x.aasx")


LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
NAMES = st.sampled_from(
    (
        *("id", "idShort", "modelType", "value", "valueType", "submodelElements", "keys", "x"),
        *("semanticId", "type", "description", "language", "text", "first", "statements"),
        *("annotations", "typeValueListElement", "qualifiers", "refersTo", "inputVariables"),
        *("embeddedDataSpecifications", "dataSpecificationContent"),
    )
)
WORDS = st.sampled_from(
    (
        *("Submodel", "Property", "SubmodelElementCollection", "SubmodelElementList", "Entity"),
        *("Blob", "File", "xs:int", "xs:string", "ModelReference", "Operation"),
        *("AnnotatedRelationshipElement", "MultiLanguageProperty", "en"),
    )
)
JSON = st.recursive(
    LEAF | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


@given(st.dictionaries(NAMES, JSON, max_size=6))
def test_whatever_the_object_it_is_mended_to_what_can_be_written_or_left_out(raw):
    raw = {**raw, "modelType": "Submodel", "id": "x"}
    read = read_environment(msgspec.json.encode({"submodels": [raw]}), "s.json")
    again = read_environment(write_xml(read.environment), "s.xml")
    assert not errors(again)
    assert len(again.environment["submodels"]) == len(read.environment["submodels"])


WHOLE = write_xml(
    {
        "submodels": [
            submodel(
                prop(
                    semanticId={
                        "type": "ExternalReference",
                        "keys": [{"type": "GlobalReference", "value": "x"}],
                    }
                ),
                {"modelType": "Blob", "idShort": "Bb", "value": "AAAA", "contentType": "a/b"},
                {
                    "modelType": "MultiLanguageProperty",
                    "idShort": "Mm",
                    "value": [{"language": "en", "text": "x"}],
                },
                {
                    "modelType": "Operation",
                    "idShort": "Oo",
                    "inputVariables": [{"value": prop()}],
                },
            )
        ]
    }
)
TAGS = sorted(set(re.findall(rb"<(\w+)>", WHOLE)))


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from([*TAGS, b"x", b""])), max_size=6))
def test_whatever_the_elements_they_are_mended_to_what_can_be_written_or_left_out(changes):
    root = ElementTree.fromstring(WHOLE)
    for at, tag in changes:
        elements = list(root.iter())[1:]
        element = elements[at % len(elements)]
        if tag:
            element.tag = f"{{{NS}}}{tag.decode()}"
        else:
            element.clear()
    read = read_environment(ElementTree.tostring(root), "x.xml")
    again = read_environment(write_xml(read.environment), "x.xml")
    assert not errors(again)
    assert again.environment == read.environment


@given(st.binary(max_size=200), st.sampled_from([b"PK\x03\x04", b"<", b"{", b""]))
def test_whatever_the_bytes_they_are_refused(data, start):
    with pytest.raises(Invalid):
        read_environment(start + data, "noise")


def test_compressed_noise_in_a_part_of_the_package_is_named():
    data = bytearray(package())
    at = data.find(zlib.compress(b"a", wbits=-15), data.find(b"aasx/files/a.txt"))
    data[at : at + 3] = b"\xff\xff\xff"
    assert any("/aasx/files/a.txt" in e for e in errors(read_environment(bytes(data), "x.aasx")))
