"""A wrong settings file is one error that names file, table, field, what came and the mend."""

import json
import subprocess
import sys

import pytest

from lineshaft.core.errors import SettingsError
from lineshaft.core.settings import Secret
from lineshaft.settings import as_toml, differences, load, load_text, schema

PRESS = """
[[drivers]]
name = "press-7"
kind = "modbus"
host = "127.0.0.1"
at = "acme/hall/press-7"
points = [{ name = "oil", address = 100, type = "float32", unit = "Cel" }]
"""


def test_an_empty_file_runs(tmp_path):
    loaded = load_text("", folder=tmp_path)
    assert not loaded.drivers
    assert loaded.data == tmp_path / "lineshaft-data"


def test_a_ten_line_file_connects_a_machine(tmp_path):
    file = tmp_path / "plant.toml"
    file.write_text(PRESS)
    (driver,) = load(file).drivers
    assert driver.name == "press-7"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[plnt]", ["unknown field `plnt`", "known are:", "drivers"]),
        ("[server]\nport = 70000", ["`int` <= 65535", "$.server.port"]),
        ("drivers = 3", ["$.drivers"]),
        ("a = [", ["not TOML"]),
        ('[store]\nkind = "parqet"', ["unknown kind 'parqet'", "parquet"]),
        (PRESS.replace("modbus", "modbuss"), ["unknown kind 'modbuss'", "modbus"]),
        (PRESS.replace("100", "70000"), ["press-7", "'modbus'", "points[0].address"]),
        (PRESS.replace("host", "hots"), ["press-7", "`hots`"]),
        (PRESS.replace('unit = "Cel"', 'unit = "degC"'), ["press-7", "degC", "Cel"]),
        (PRESS.replace("acme/hall", "acme/the hall"), ["the hall", "press-7"]),
        (PRESS + PRESS, ["press-7", "twice"]),
        (PRESS + PRESS.replace('name = "press-7"', 'name = "other"'), ["other", "press-7/oil"]),
        (PRESS.replace('name = "press-7"', ""), ["name is None"]),
        (PRESS.replace('"press-7"', '"a/b"'), ["a/b"]),
        ('[[writes]]\npoint = "a"\n[[writes]]\npoint = "a"', ["[[writes]]", "twice"]),
        ('[[writes]]\npoint = "a"\nlow = "x"', ["$.writes[0].low"]),
    ],
)
def test_a_wrong_file_names_its_fault(tmp_path, text, names):
    file = tmp_path / "plant.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(file)
    said = f"{caught.value} {caught.value.remedy}"
    assert str(file) in said
    for name in names:
        assert name in said


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match="nothing.toml"):
        load(tmp_path / "nothing.toml")


def test_secrets_come_from_text_environment_or_file_and_are_never_shown(tmp_path, monkeypatch):
    word = "canary-7131"
    (tmp_path / "secret").write_text(word + "\n")
    monkeypatch.setenv("WORD", word)
    for given in (f'"{word}"', '{ env = "WORD" }', f'{{ file = "{tmp_path}/secret" }}'):
        text = f'[[drivers]]\nname = "b"\nkind = "mqtt"\nhost = "h"\npassword = {given}\n'
        text += 'topics = [{ filter = "a/+", at = "x", values = "*" }]'
        (driver,) = load_text(text, folder=tmp_path).drivers
        assert driver.config.password.reveal() == word
        assert word not in repr(driver.config)
        assert word not in str(driver.config.password)
    assert repr(Secret("")) != repr(Secret("x"))


@pytest.mark.parametrize(
    "given", ['{ env = "NOT_SET" }', '{ file = "/nowhere" }', "{ a = 1 }", "3"]
)
def test_a_secret_that_cannot_be_had_is_an_error(tmp_path, given):
    text = f'[[drivers]]\nname = "b"\nkind = "mqtt"\nhost = "h"\npassword = {given}\n'
    with pytest.raises(SettingsError, match="password"):
        load_text(text + 'topics = [{ filter = "a/+" }]', folder=tmp_path)


def test_differences_name_the_tables():
    old = load_text(PRESS, folder=__import__("pathlib").Path("/x")).file
    new = load_text(PRESS.replace("100", "101"), folder=__import__("pathlib").Path("/x")).file
    assert differences(old, new) == {"drivers"}
    assert differences(old, old) == set()


def test_exported_settings_load_again_without_their_secrets(tmp_path):
    table = {
        "plant": {"name": "Hall"},
        "drivers": [
            {
                "name": "b-1",
                "kind": "mqtt",
                "host": "h",
                "password": "canary",
                "topics": [{"filter": "a/+", "at": "x", "values": "*"}],
            }
        ],
    }
    text = as_toml(table)
    assert "canary" not in text
    assert 'env = "B_1_PASSWORD"' in text


def test_the_schema_describes_every_field():
    whole = schema()
    json.dumps(whole)
    silent = [
        f"{name}.{field}"
        for name, part in whole["$defs"].items()
        for field, about in part.get("properties", {}).items()
        if field not in ("kind", "name") and not about.get("description")
    ]
    assert not silent
    assert {"drivers.modbus.Config", "drivers.opcua.Config", "stores.parquet.Config"} <= set(
        whole["$defs"]
    )


def lineshaft(*args, **options):
    command = [sys.executable, "-m", "lineshaft", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def test_check_says_what_the_file_asks_for(tmp_path):
    (tmp_path / "plant.toml").write_text(PRESS)
    done = lineshaft("check", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "press-7: Modbus TCP, 1 points named" in done.stdout


def test_check_refuses_with_a_sentence_and_no_traceback(tmp_path):
    (tmp_path / "plant.toml").write_text(PRESS.replace("modbus", "modbuss"))
    done = lineshaft("check", cwd=tmp_path)
    assert done.returncode == 1
    assert "plant.toml" in done.stderr
    assert "Traceback" not in done.stderr


def test_describe_lists_and_explains(tmp_path):
    assert "drivers:" in lineshaft("describe", cwd=tmp_path).stdout
    page = lineshaft("describe", "drivers", "modbus", cwd=tmp_path).stdout
    assert page.startswith("# modbus")
    assert "`host`" in page


def test_export_prints_what_runs(tmp_path):
    (tmp_path / "plant.toml").write_text(PRESS)
    done = lineshaft("export", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert load_text(done.stdout, folder=tmp_path).drivers[0].name == "press-7"


def test_reload_without_a_plant_says_so(tmp_path):
    (tmp_path / "plant.toml").write_text(PRESS)
    done = lineshaft("reload", cwd=tmp_path)
    assert done.returncode == 1
    assert "no plant runs" in done.stderr
