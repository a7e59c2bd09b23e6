"""The verbs of twins that need no plant."""

import json
from pathlib import Path

import msgspec
import pytest

from lineshaft.cli import parser
from lineshaft.core.errors import Invalid, Missing
from lineshaft.twins import Json

SUBMODEL: Json = {
    "modelType": "Submodel",
    "id": "urn:data",
    "idShort": "Data",
    "submodelElements": [
        {"modelType": "Property", "idShort": "Speed", "valueType": "xs:int", "value": "5"},
        {"modelType": "SubmodelElementCollection", "idShort": "Motor"},
    ],
}


def run(*words: str) -> int:
    args = parser("twin").parse_args(["twin", *words])
    return int(args.call(args))


@pytest.fixture
def written(tmp_path: Path):
    def write(submodel: Json) -> str:
        path = tmp_path / "it.json"
        path.write_bytes(msgspec.json.encode({"submodels": [submodel]}))
        return str(path)

    return write


def test_a_right_file_is_counted(written, capsys) -> None:
    assert run("check", written(SUBMODEL)) == 0
    assert "1 submodels with 2 elements" in capsys.readouterr().out


def test_what_an_import_would_leave_out_makes_the_check_fail(written, capsys) -> None:
    broken = {"modelType": "Property", "idShort": "Broken", "valueType": "xs:five"}
    odd = SUBMODEL | {"submodelElements": [*SUBMODEL["submodelElements"], broken]}
    assert run("check", written(odd)) == 1
    assert "error: " in capsys.readouterr().out
    assert run("check", "--json", written(odd)) == 1
    assert json.loads(capsys.readouterr().out)[0]["level"] == "error"


def test_warnings_fail_when_asked_to(written, capsys) -> None:
    odd = SUBMODEL | {"idShort": "x"}
    assert run("check", written(odd)) == 0
    assert "warning: " in capsys.readouterr().out
    assert run("check", "--strict", written(odd)) == 1


def test_no_file_and_no_environment_are_told(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"none\.aasx"):
        run("check", str(tmp_path / "none.aasx"))
    (tmp_path / "text.json").write_text("hello")
    with pytest.raises(Invalid) as refusal:
        run("check", str(tmp_path / "text.json"))
    assert refusal.value.remedy
