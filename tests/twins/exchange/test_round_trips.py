"""What comes in goes out, in every form."""

import io
import zipfile
from pathlib import Path

import msgspec
import pytest
from aas_core3_1 import jsonization, verification
from aas_test_engines import file as judge
from basyx.aas import model as basyx
from basyx.aas.adapter import aasx as basyx_aasx
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.twins.exchange import KINDS, packed
from lineshaft.twins.exchange.aasx import holders, names_part, write_aasx
from lineshaft.twins.exchange.jsonfile import write_json
from lineshaft.twins.exchange.reading import read_environment
from lineshaft.twins.exchange.xmlfile import beyond_30, write_xml

TEMPLATES = Path(__file__).parents[4] / "shared" / "reference" / "data" / "templates"
NAMES = sorted(path.name for path in TEMPLATES.glob("*.json")) or ["no templates"]


def template(name: str) -> bytes:
    if not TEMPLATES.exists():
        pytest.skip("the published templates do not stand beside this checkout")
    return (TEMPLATES / name).read_bytes()


def canonical(environment) -> bytes:
    full = {key: environment.get(key, []) for key in KINDS}
    return msgspec.json.encode(full, order="deterministic")


PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300
MANUAL = b"%PDF-1.7\n" + b"turn it off and on again\n" * 1000


def small(**more):
    """An environment of metamodel 3.0 with two files."""
    return {
        "assetAdministrationShells": [
            {
                "modelType": "AssetAdministrationShell",
                "id": "urn:shell:1",
                "idShort": "Press1",
                "assetInformation": {
                    "assetKind": "Instance",
                    "globalAssetId": "urn:asset:1",
                    "defaultThumbnail": {"path": "/aasx/files/p.png", "contentType": "image/png"},
                },
                "submodels": [
                    {
                        "type": "ModelReference",
                        "keys": [{"type": "Submodel", "value": "urn:submodel:1"}],
                    }
                ],
            }
        ],
        "submodels": [
            {
                "modelType": "Submodel",
                "id": "urn:submodel:1",
                "idShort": "Documents",
                "submodelElements": [
                    {
                        "modelType": "File",
                        "idShort": "Manual",
                        "contentType": "application/pdf",
                        "value": "/aasx/files/manual.pdf",
                    },
                    {
                        "modelType": "Blob",
                        "idShort": "Key",
                        "contentType": "application/octet-stream",
                        "value": "AAEC/w==",
                    },
                    {
                        "modelType": "Property",
                        "idShort": "Text",
                        "valueType": "xs:string",
                        "value": 'line one\r\nline <two> & "three"\t',
                    },
                ],
            }
        ],
        "conceptDescriptions": [{"modelType": "ConceptDescription", "id": "urn:concept:1"}],
        **more,
    }


def files():
    return {
        "/aasx/files/p.png": packed(PICTURE, "image/png"),
        "/aasx/files/manual.pdf": packed(MANUAL, "application/pdf"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_published_template_goes_through_every_form_and_stays_equal(name):
    raw = template(name)
    read = read_environment(raw, name)
    assert canonical(read.environment) == canonical(msgspec.json.decode(raw))
    assert not [f for f in read.findings if f.level == "error"]
    as_json = write_json(read.environment)
    as_xml = write_xml(read.environment)
    as_aasx = write_aasx(read.environment)
    as_aasx_of_json = write_aasx(read.environment, json=True)
    for data in (as_json, as_xml, as_aasx, as_aasx_of_json):
        again = read_environment(data, name)
        assert canonical(again.environment) == canonical(read.environment)


@pytest.mark.parametrize("name", NAMES)
def test_findings_of_a_template_are_the_rules_that_it_breaks(name):
    raw = template(name)
    environment = jsonization.environment_from_jsonable(msgspec.json.decode(raw))
    broken = [str(error.cause)[:400] for error in verification.verify(environment)]
    found = read_environment(raw, name).findings
    assert [f.message[:400] for f in found] == broken
    assert {f.level for f in found} <= {"warning"}


@pytest.mark.parametrize("json", [False, True])
def test_a_package_gives_back_its_files_and_its_picture(json):
    data = write_aasx(small(), files(), thumbnail="/aasx/files/p.png", json=json)
    read = read_environment(data, "small.aasx")
    assert read.findings == []
    assert canonical(read.environment) == canonical(small())
    assert {n: (f.data(), f.media_type, f.size) for n, f in read.files.items()} == {
        n: (f.data(), f.media_type, f.size) for n, f in files().items()
    }
    assert read.thumbnail == "/aasx/files/p.png"


def test_a_picture_that_no_shell_names_becomes_that_of_the_only_shell():
    environment = small()
    del environment["assetAdministrationShells"][0]["assetInformation"]["defaultThumbnail"]
    data = write_aasx(environment, files(), thumbnail="/aasx/files/p.png")
    read = read_environment(data, "small.aasx")
    assert canonical(read.environment) == canonical(small())
    assert [f.message for f in read.findings] == [
        "is the picture of the package: taken for that of its shell"
    ]
    environment["assetAdministrationShells"] *= 2
    other = {**environment["assetAdministrationShells"][0], "id": "urn:shell:2"}
    environment["assetAdministrationShells"][1] = other
    data = write_aasx(environment, files(), thumbnail="/aasx/files/p.png")
    read = read_environment(data, "two.aasx")
    assert canonical(read.environment) == canonical(environment)
    assert [f.message for f in read.findings] == [
        "is the picture of the package, and no shell names it"
    ]


def test_the_same_environment_gives_the_same_bytes():
    back_to_front = dict(reversed(files().items()))
    assert write_aasx(small(), files()) == write_aasx(small(), back_to_front)


def test_metamodel_30_can_be_written_and_read():
    written = write_xml(small(), version="3.0")
    assert b"https://admin-shell.io/aas/3/0" in written
    assert b"https://admin-shell.io/aas/3/1" not in written
    read = read_environment(written, "old.xml")
    assert canonical(read.environment) == canonical(small())
    assert [f.level for f in read.findings] == ["warning"]


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ({"modelType": "Capability", "idShort": "a-b"}, "hyphen"),
        ({"modelType": "File", "idShort": "Ff"}, "no contentType"),
        ({"modelType": "Entity", "idShort": "Ee"}, "no entityType"),
        ({"modelType": "RelationshipElement", "idShort": "Rr"}, "no first"),
        (
            {
                "modelType": "SubmodelElementList",
                "idShort": "Ll",
                "typeValueListElement": "Capability",
                "value": [{"modelType": "Capability", "idShort": "Cc"}],
            },
            "items of the list",
        ),
    ],
)
def test_what_metamodel_30_does_not_know_is_named(element, reason):
    environment = small()
    environment["submodels"][0]["submodelElements"].append(element)
    assert reason in beyond_30(environment)
    with pytest.raises(Invalid, match=reason):
        write_xml(environment, version="3.0")
    write_xml(environment)


@pytest.mark.parametrize("json", [False, True])
def test_the_official_file_check_accepts_a_package(json):
    data = write_aasx(small(), files(), thumbnail="/aasx/files/p.png", version="3.0", json=json)
    result = judge.check_aasx_file(io.BytesIO(data))
    assert result.ok(), "\n".join(result.to_lines())


@pytest.mark.parametrize("json", [False, True])
def test_the_basyx_sdk_reads_a_package_with_its_files(json):
    data = write_aasx(small(), files(), thumbnail="/aasx/files/p.png", json=json)
    objects, found = basyx.DictIdentifiableStore(), basyx_aasx.DictSupplementaryFileContainer()
    with basyx_aasx.AASXReader(io.BytesIO(data), failsafe=False) as reader:
        ids = reader.read_into(objects, found)
        assert reader.get_thumbnail() == PICTURE
    assert ids == {"urn:shell:1", "urn:submodel:1", "urn:concept:1"}
    read = io.BytesIO()
    found.write_file("/aasx/files/manual.pdf", read)
    assert read.getvalue() == MANUAL


def test_a_package_of_the_basyx_sdk_is_read_with_its_files():
    objects, held = basyx.DictIdentifiableStore(), basyx_aasx.DictSupplementaryFileContainer()
    name = held.add_file("/files/manual.pdf", io.BytesIO(MANUAL), "application/pdf")
    objects.add(
        basyx.Submodel(
            "urn:submodel:1",
            submodel_element=[basyx.File("Manual", content_type="application/pdf", value=name)],
        )
    )
    file = io.BytesIO()
    with basyx_aasx.AASXWriter(file) as writer:
        writer.write_all_aas_objects("/aasx/data.xml", objects, held)
    read = read_environment(file.getvalue(), "basyx.aasx")
    assert read.findings == []
    assert [d["id"] for d in read.environment["submodels"]] == ["urn:submodel:1"]
    assert read.files[name].data() == MANUAL


def test_a_package_in_the_old_form_is_read_and_its_relative_names_are_made_absolute():
    old = write_aasx(small(), files())
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(old)) as source, zipfile.ZipFile(buffer, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            data = data.replace(b"http://admin-shell.io/aasx/", b"http://www.admin-shell.io/aasx/")
            data = data.replace(b"<value>/aasx/files/manual", b"<value>files/manual")
            target.writestr(info, data)
    read = read_environment(buffer.getvalue(), "old.aasx")
    assert canonical(read.environment) == canonical(small())
    assert read.files["/aasx/files/manual.pdf"].data() == MANUAL
    assert {f.level for f in read.findings} == {"warning"}
    assert any("old form" in f.message for f in read.findings)


def test_a_single_identifiable_and_a_list_of_them_are_taken():
    shell, submodel = small()["assetAdministrationShells"][0], small()["submodels"][0]
    one = read_environment(msgspec.json.encode(shell), "one.json").environment
    assert one["assetAdministrationShells"] == [shell]
    two = read_environment(msgspec.json.encode([submodel, shell]), "two.json").environment
    assert (two["assetAdministrationShells"], two["submodels"]) == ([shell], [submodel])
    xml = write_xml({"submodels": [submodel]})
    start, end = xml.index(b"<submodel>"), xml.index(b"</submodels>")
    alone = xml[start:end].replace(
        b"<submodel>", b'<submodel xmlns="https://admin-shell.io/aas/3/1">'
    )
    assert read_environment(alone, "one.xml").environment["submodels"] == [submodel]


def test_the_members_that_name_files_are_found():
    assert [holder[member] for holder, member in holders(small())] != []
    assert sorted(holder[member] for holder, member in holders(small())) == sorted(files())


@given(st.text(max_size=30))
def test_a_name_that_a_part_may_have_comes_back_unchanged(text):
    name = "/aasx/files/" + text
    if not names_part(name):
        return
    environment = small()
    environment["submodels"][0]["submodelElements"][0]["value"] = name
    read = read_environment(write_aasx(environment, {name: packed(b"x", "")}, json=True), "x.aasx")
    assert [(n, f.data()) for n, f in read.files.items()] == [(name, b"x")]
