"""What can be written, what it means for quality and units, and how mistakes are shown."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.operations.expressions.test_sql import asked
from tests.operations.expressions.written import NAMES, one_sample

from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions.columns import Column
from lineshaft.operations.expressions.expression import compile_expression
from lineshaft.operations.expressions.limits import DEPTH_MAX, NODES_MAX, TEXT_CHARS_MAX
from lineshaft.operations.expressions.messages import WrongExpression
from lineshaft.operations.expressions.tree import Type

GOOD, UNCERTAIN, BAD = 0, 0x4000_0000, 0x8031_0000
UNITS = {
    "temp": Point(path="hall/temp", unit="Cel"),
    "cold": Point(path="hall/cold", unit="Cel"),
    "hot": Point(path="hall/hot", unit="[degF]"),
    "kelvin": Point(path="hall/kelvin", unit="K"),
    "press": Point(path="hall/press", unit="bar"),
    "vacuum": Point(path="hall/vacuum", unit="mbar"),
    "flow": Point(path="hall/flow", unit="m3/h"),
    "power": Point(path="hall/power", unit="kW"),
    "time_h": Point(path="hall/time_h", unit="h"),
    "length": Point(path="hall/length", unit="m"),
    "level": Point(path="hall/level", unit="%"),
    "bare": Point(path="hall/bare"),
    "state": Point(path="hall/state", kind=Kind.ENUM, names={"0": "stopped", "1": "running"}),
    "text": Point(path="hall/text", kind=Kind.TEXT),
    "on": Point(path="hall/on", kind=Kind.BOOLEAN),
}


def value(written, names=UNITS, unit="", **values):
    """Value and quality for one sample of each input; (value, quality) or only the value."""
    expression = compile_expression(written, names, unit=unit, every_ns=0)
    pairs = {n: v if isinstance(v, tuple) else (v, GOOD) for n, v in values.items()}
    columns = {names[n].path: one_sample(1, *pair) for n, pair in pairs.items()}
    found = expression.over({p.path: columns[p.path] for p in expression.inputs}, 0, 10)
    return found.values[0], int(found.quality[0])


# ---- quality

STATES = [(v, q) for v in (True, False) for q in (GOOD, UNCERTAIN)] + [(True, BAD)]


def both(left, right):
    """`&&` in words: a false side decides, the better of two; else the worse of both."""
    false = [q for v, q in (left, right) if not v and q < BAD]
    if false:
        return False, min(false)
    worst = max(left[1], right[1])
    return worst < BAD, worst


def inverse(state):
    return not state[0], state[1]


@pytest.mark.parametrize(("left", "right"), [*itertools.product(STATES, STATES)])
def test_bad_is_never_false_unless_the_result_does_not_depend_on_it(left, right):
    rows = {"p": [(1, *left)], "q": [(1, *right)]}
    conjunction = both(left, right)
    either = both(inverse(left), inverse(right))
    disjunction = (either[1] < BAD and not either[0], either[1])
    for text, wanted in {"p && q": conjunction, "p || q": disjunction}.items():
        assert value(text, NAMES, p=left, q=right) == wanted
        written = compile_expression(text, NAMES).sql(0, 10, since_ns=0)
        shown = None if wanted[1] >= BAD else wanted[0]
        assert asked(written, rows) == [(1, shown, wanted[1])]


@pytest.mark.parametrize(
    ("text", "quality"),
    [
        ("bare > 5", BAD), ("!(bare > 5)", BAD), ("bare + 1", BAD), ("-bare", BAD),
        ("on ? bare : 1", BAD), ("on ? 1 : bare", GOOD), ("bare in [1, 2]", BAD),
        ("quality(bare) == 'bad'", GOOD), ("has(bare)", GOOD), ("min(bare, 1)", BAD),
        ("bare > 5 ? 1 : 1", BAD), ("on || bare > 5", GOOD), ("level * 2 > 5 && on", UNCERTAIN),
        ("quality(level) == 'uncertain'", GOOD), ("1 / (level - level)", 0x803C_0000),
        ("sqrt(-1 - double(on))", 0x803C_0000), ("pow(10, 400) + level", 0x803C_0000),
    ],
)  # fmt: skip
def test_quality_is_that_of_what_was_used(text, quality):
    found = value(text, on=True, bare=(7.0, BAD), level=(50.0, UNCERTAIN))
    assert found[1] == quality


def test_info_bits_of_a_device_are_not_those_of_what_is_calculated():
    assert value("bare + 1", bare=(1.0, 0x4090_0480)) == (2.0, 0x4090_0000)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_finite_number_is_bad(number):
    assert value("bare > 5", bare=number)[1] == 0x803C_0000


# ---- units


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("press + vacuum", "bar", 2.5), ("vacuum + press", "mbar", 2500.0),
        ("temp - cold", "K", 60.0), ("temp + 5", "Cel", 85.0),
        ("temp - (temp - cold)", "Cel", 20.0),
        ("hot - temp", "K", 20.0), ("kelvin - temp", "K", -53.15),
        ("temp - kelvin / 2", "Cel", -70.0),
        ("flow * time_h", "m3", 20.0), ("power * time_h", "kW.h", 6.0), ("flow / flow", "1", 1.0),
        ("length * length", "m2", 9.0), ("sqrt(length * length)", "m", 3.0),
        ("1 / time_h", "1/h", 0.5), ("pow(length, 3)", "m3", 27.0), ("2 * press", "bar", 4.0),
        ("length / time_h", "m/h", 1.5), ("abs(press)", "bar", 2.0),
        ("max(press, vacuum)", "bar", 2.0),
        ("convert(press, 'kPa')", "kPa", 200.0), ("convert(bare, 'bar')", "bar", 1.0),
        ("on ? vacuum : press", "mbar", 500.0), ("bare * 3", "", 3.0), ("level % 30", "%", 20.0),
        ("convert(temp, '[degF]')", "[degF]", 176.0), ("temp * 2", "", 160.0),
        ("flow * length", "m4/h", 30.0),
    ],
)  # fmt: skip
def test_units_come_out_as_they_are_calculated(text, unit, number):
    expression = compile_expression(text, UNITS)
    assert expression.unit in (unit, unit.removeprefix("1"))
    values = {
        "temp": 80.0, "cold": 20.0, "hot": 212.0, "kelvin": 300.0, "press": 2.0, "vacuum": 500.0,
        "flow": 10.0, "power": 3.0, "time_h": 2.0, "length": 3.0, "level": 50.0, "bare": 1.0,
        "on": True,
    }  # fmt: skip
    assert value(text, **values)[0] == pytest.approx(number)


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("rate(temp, '5m')", "K/s"), ("delta(temp, '5m')", "K"), ("avg(temp, '5m')", "Cel"),
        ("stddev(press, '5m')", "bar"), ("rate(press, '1m')", "bar/s"), ("prev(press)", "bar"),
        ("increase(power * time_h, '1h')", "kW.h"), ("count(temp, '1m')", ""),
        ("rate(bare, '1m')", ""),
    ],
)  # fmt: skip
def test_what_looks_back_has_a_unit_too(text, of):
    assert compile_expression(text, UNITS).unit == of


def test_comparisons_convert():
    assert value("press > vacuum", press=1.0, vacuum=999.0) == (True, GOOD)
    assert value("hot == temp", hot=212.0, temp=100.0)[0]
    assert value("press > convert(100, 'kPa')", press=1.1)[0]
    assert value("kelvin in [temp]", kelvin=273.15, temp=0.0)[0]


def test_a_result_is_given_in_the_unit_that_is_wanted():
    assert value("press + vacuum", unit="kPa", press=2.0, vacuum=500.0) == (250.0, GOOD)
    with pytest.raises(WrongExpression, match="wanted 'Cel'"):
        compile_expression("press", UNITS, unit="Cel")


def test_states_of_an_enum_go_by_their_names():
    assert value("state == 'running'", state=1) == (True, GOOD)
    assert value("state in ['stopped', 'running']", state=0) == (True, GOOD)
    assert value("'running' != state", state=1) == (False, GOOD)


# ---- mistakes


@pytest.mark.parametrize(
    ("text", "shown", "told"),
    [
        ("press + temp", "temp", "'Cel' does not measure the same as 'bar'"),
        ("press + temp > 5", "temp", "does not measure"),
        ("temp + cold", "temp + cold", "two temperatures"),
        ("temp * press", "temp * press", "means nothing"),
        ("tmp > 5", "tmp", "did you mean 'temp'"),
        ("`hall/temp` > 5", "`hall/temp`", "unknown point 'hall/temp'"),
        ("temp > ", "", "the expression ends, wanted a value"),
        ("temp > 5 &", "&", "unexpected '&'"),
        ("temp = 5", "=", "unexpected '='"),
        ("temp > 5 and on", "and", "unknown operator 'and'"),
        ("(temp > 5", "", "wanted ')'"),
        ("temp 5", "5", "wanted an operator or the end"),
        ("temp > 'x'", "temp > 'x'", "a double is compared with a string"),
        ("temp && on", "temp", "this is a double, wanted a bool"),
        ("!temp", "temp", "wanted a bool"),
        ("on + on", "on + on", "bool + bool means nothing"),
        ("on ? 1 : 'x'", "on ? 1 : 'x'", "one way gives a double, the other a string"),
        ("sqr(temp)", "sqr(temp)", "did you mean sqrt"),
        ("sqrt(temp, 2)", "sqrt(temp, 2)", "2 arguments, wanted 1"),
        ("sqrt(press)", "press", "the square root of 'bar'"),
        ("ln(press)", "press", "ln() of 'bar' means nothing"),
        ("avg(temp)", "avg(temp)", "1 arguments"),
        ("avg(temp, 5)", "5", "this is no window"),
        ("avg(temp, '5 m')", "'5 m'", "this is no window"),
        ("avg(temp, '400d')", "'400d'", "this is no window"),
        ("avg(text, '5m')", "text", "this is a string, wanted a double"),
        ("avg(5, '5m') > temp", "5", "this names no point"),
        ("text.matches('(?=a)')", "'(?=a)'", "wrong pattern"),
        ("text.matches(text)", "text", "wanted a text written here"),
        ("text.length > 3", ".length", "values have no field 'length'"),
        ("text[0]", "[", "wanted an operator"),
        ("[1, 2]", "[", "wanted a value"),
        ("temp in temp", "temp", "wanted a list"),
        ("temp == null", "null", "unexpected 'null'"),
        ("b'x' == text", "b'", "bytes"),
        ("text == 'x", "'", "never closed"),
        (r"text == '\q'", r"\q", "unknown escape"),
        (r"text == '\uD800'", r"\u", "unknown escape"),
        ("temp > 5u", "5u", "is not a number"),
        ("temp > 5bar", "5bar", "is not a number"),
        ("temp > 99999999999999999", "99999999999999999", "too large"),
        ("temp > 1e999", "1e999", "too large"),
        ("temp > \u0663", "\u0663", "unexpected"),
        ("duration('\u0665m') > duration(on)", "'\u0665m'", "no length of time"),
        ("state == 'runing'", "'runing'", "has no state 'runing'"),
        ("convert(press, 'psi') > 1", "'psi'", "wrong unit 'psi'"),
        ("duration('5 parsecs') > duration(on)", "'5 parsecs'", "no length of time"),
        ("time() > timestamp('soon') && on", "'soon'", "is not a time"),
        ("time().getHours('Mars') > 5 && on", "'Mars'", "unknown time zone"),
        ("increase(bare, '1h', -1)", "-1", "a number above 0"),
        ("1 > 0", "1 > 0", "names no point"),
        ("", "", "the expression ends"),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_where_it_is(text, shown, told):
    with pytest.raises(WrongExpression) as caught:
        compile_expression(text, UNITS)
    assert told in str(caught.value)
    assert text[caught.value.at : caught.value.end] == shown
    carets = caught.value.shown.splitlines()[-1]
    assert carets.index("^") == min(caught.value.at, 60)


def test_the_line_is_shown_of_a_mistake_further_down():
    with pytest.raises(WrongExpression) as caught:
        compile_expression("temp > 5 &&\n  prss > 3 && // the pump\n  on", UNITS)
    assert caught.value.shown == "  prss > 3 && // the pump\n  ^^^^"


def test_the_type_that_is_wanted_is_asked_for():
    with pytest.raises(WrongExpression, match="wanted a bool"):
        compile_expression("temp + 1", UNITS, wants=Type.BOOL)


# ---- limits


@pytest.mark.parametrize(
    "text",
    [
        "(" * (DEPTH_MAX + 1) + "on" + ")" * (DEPTH_MAX + 1),
        "(" * 9_000,
        "!" * 9_000 + "(" * 9_000,
        "abs(" * 3_000 + "bare",
        "bare > " + " + ".join(["1"] * (DEPTH_MAX + 10)),
        "on && " * NODES_MAX + "on",
        "on ? " * 3_000,
        "x" * (TEXT_CHARS_MAX + 1),
        "[" * 9_000,
        "avg(avg(bare, '24d'), '1h')" + " + avg(avg(bare, '9d'), '9d')" * 3,
    ],
)
def test_what_is_too_large_is_refused(text):
    with pytest.raises(WrongExpression):
        compile_expression(text, UNITS)


def test_long_chains_of_conditions_are_fine():
    chain = " || ".join(f"bare == {n}" for n in range(240))
    assert value(chain, bare=239.0) == (True, GOOD)
    listed = f"bare in [{', '.join(map(str, range(300)))}]"
    assert value(listed, bare=299.0) == (True, GOOD)


def test_a_text_that_would_grow_without_end_is_bad():
    doubled = "text + text + text + text + text + text + text + text"
    assert value(doubled, text="x" * 2_000)[1] == 0x803C_0000


@given(st.text(alphabet="ab()[]{}'\"`.,?:!&|<>=+-*/% \\\n01tempon", max_size=40))
def test_any_text_compiles_or_is_refused_with_its_place(text):
    mistake = None
    try:
        compile_expression(text, UNITS)
    except WrongExpression as error:
        mistake = error
    assert mistake is None or (0 <= mistake.at <= len(text) and mistake.shown)


# ---- ways to name, and columns that are aligned


def test_points_are_named_by_short_names_and_by_paths():
    names = UNITS | {p.path: p for p in UNITS.values()}
    for text in ("temp > 5", "`hall/temp` > 5", "point('hall/temp') > 5"):
        assert [p.path for p in compile_expression(text, names).inputs] == ["hall/temp"]
    both_ways = compile_expression("temp > `hall/temp`", names)
    assert len(both_ways.inputs) == 1


def test_aligned_columns_need_no_times():
    expression = compile_expression("temp > 80 && press < 2.5", UNITS)
    columns = {
        "hall/temp": Column(np.array([90.0, 90.0, 70.0])),
        "hall/press": Column(np.array([2.0, 3.0, 2.0]), np.array([BAD, 0, BAD], np.uint32)),
    }
    found = expression.rows(np.arange(3), columns)
    assert found.data[1:].tolist() == [False, False]
    assert found.codes(3).tolist() == [BAD, 0, 0]
