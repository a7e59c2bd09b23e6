import pytest

from lineshaft.core import units
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind
from lineshaft.core.units import (
    check_unit,
    convert,
    find_unit,
    from_symbol,
    from_unece,
    symbol,
    table,
    to_unece,
    unit_id,
)
from lineshaft.drivers import PointSettings


def test_no_code_stands_twice_in_the_table():
    codes = [code for unit in table().values() for code in unit.unece]
    assert len(codes) == len(set(codes))
    assert len(table()) > 120


@pytest.mark.parametrize("ucum", table())
def test_pint_understands_each_unit_of_the_table(ucum):
    assert units._registry().Quantity(1.0, table()[ucum].pint).magnitude == 1.0


@pytest.mark.parametrize(
    ("value", "source", "target", "wanted"),
    [
        (25.0, "Cel", "K", 298.15),
        (212.0, "[degF]", "Cel", 100.0),
        (1.0, "bar", "kPa", 100.0),
        (100.0, "[psi]", "bar", 6.894757),
        (60.0, "L/min", "m3/h", 3.6),
        (1.0, "kW.h", "MJ", 3.6),
        (60.0, "{rev}/min", "{rev}/s", 1.0),
        (50.0, "%", "1", 0.5),
        (120.0, "{pieces}/h", "{pieces}/min", 2.0),
        (1.0, "kJ/kg", "J/g", 1.0),
        (10.0, "m[H2O]", "bar", 0.980665),
        (1.0, "kvar", "var", 1000.0),
    ],
)
def test_values_convert_as_by_hand(value, source, target, wanted):
    assert convert(value, source, target) == pytest.approx(wanted)


def test_converting_between_kinds_is_refused():
    with pytest.raises(Invalid, match="'bar' cannot be converted to 'Cel'"):
        convert(1.0, "bar", "Cel")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("degC", "did you mean 'Cel'"),
        ("°C", "did you mean 'Cel'"),
        ("rpm", "{rev}/min"),
        ("kWh", "kW.h"),
        ("BAR", "'bar'"),
        ("kpa", "'kPa'"),
        ("m3/hh", "'m3/h'"),
        ("nonsense-unit", "wanted a UCUM code"),
    ],
)
def test_a_wrong_unit_is_told_with_what_was_meant(wrong, meant):
    with pytest.raises(Invalid) as caught:
        check_unit(wrong)
    assert f"wrong unit {wrong!r}" in str(caught.value)
    assert meant in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "code", ["", "Cel", "kJ/kg", "N.m2", "{pieces}", "{pieces}/h", "m-1", "MN.m", "mJ/m2"]
)
def test_units_and_what_is_put_together_from_them_pass(code):
    assert check_unit(code) == code


@pytest.mark.parametrize(
    "bad", ["/", "Cel/", "bar//s", ".", "{}", "Cel Cel", "m9999", "m22", "kCel"]
)
def test_fragments_do_not_pass(bad):
    with pytest.raises(Invalid):
        check_unit(bad)


@pytest.mark.parametrize(("other", "ours"), [("l/min", "L/min"), ("ml", "mL"), ("1/min", "/min")])
def test_other_spellings_of_ucum_become_ours(other, ours):
    assert check_unit(other) == ours


@pytest.mark.parametrize(
    ("code", "number", "ucum"),
    [
        ("CEL", 4408652, "Cel"),
        ("BAR", 4342098, "bar"),
        ("KWT", 4937556, "kW"),
        ("4P", 13392, "N/m"),
        ("P1", 20529, "%"),
        ("M46", 5059638, "{rev}/min"),
        ("KTM", 4936781, "km"),
    ],
)
def test_codes_of_unece_and_unit_identifiers_are_known(code, number, ucum):
    assert from_unece(code) == from_unece(number) == ucum


@pytest.mark.parametrize("number", [-1, 0, 1, 2**31, 2**40])
def test_an_unknown_unit_identifier_is_no_unit(number):
    assert from_unece(number) == ""


def test_units_go_to_unece_and_back():
    for ucum, unit in table().items():
        if unit.unece:
            assert from_unece(to_unece(ucum)) == ucum
            assert from_unece(unit_id(ucum)) == ucum
    assert unit_id("um/s") == -1


@pytest.mark.parametrize(
    ("shown", "ucum"), [("°C", "Cel"), ("l/min", "L/min"), ("psi", "[psi]"), ("??", ""), ("", "")]
)
def test_what_a_device_shows_is_understood(shown, ucum):
    assert from_symbol(shown) == ucum


def test_people_read_symbols():
    assert symbol("Cel") == "°C"
    assert symbol("{pieces}/h") == "pieces/h"
    assert symbol("N.m2") == "N·m²"
    assert symbol("who knows") == "who knows"
    assert find_unit("who knows") is None


def test_a_wrong_unit_in_settings_is_an_error():
    with pytest.raises(Invalid, match="'degC', did you mean 'Cel'"):
        PointSettings(name="t", unit="degC").point("a", kind=Kind.NUMBER, source="s", address="1")
