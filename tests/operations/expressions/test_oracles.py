"""The language beside two others that speak CEL.

What ours deviates in, on purpose (docs/decisions/0095): integer literals are doubles, so the drawn
CEL has `1.0` where ours has `1`; a result that is not finite is bad, as CEL's integers make an
error of a division by zero; `%` takes doubles; `x in [y]` is `x == y`, so that an element that is
bad counts only where it matters; functions of numbers need no `math.` before them.
"""

import datetime as dt
import functools
import math

import cel as rust
import pytest
from cel_expr_python import cel as google
from cel_expr_python.ext import ext_math
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.operations.expressions.written import (
    FLAGS,
    NAMES,
    NUMBERS,
    TEXTS,
    anything,
    literal,
    numbers,
    one_sample,
    words,
)

from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions.expression import compile_expression

ERROR = object()
values_drawn = st.fixed_dictionaries(
    {
        **dict.fromkeys(NUMBERS, numbers),
        **dict.fromkeys(FLAGS, st.booleans()),
        **dict.fromkeys(TEXTS, words),
    }
)
KINDS = {
    **dict.fromkeys(NUMBERS, google.Type.DOUBLE),
    **dict.fromkeys(FLAGS, google.Type.BOOL),
    **dict.fromkeys(TEXTS, google.Type.STRING),
}


@functools.cache
def environment():
    return google.NewEnv(variables=KINDS, extensions=[ext_math.ExtMath()])


def by_google(text, values):
    found = environment().compile(text).eval(data=values)
    return ERROR if found.type().name() == "ERROR" else found.plain_value()


def by_rust(text, values):
    try:
        return rust.evaluate(text, values)
    except (ValueError, RuntimeError, TypeError, ArithmeticError):
        return ERROR


def by_ours(text, values):
    # A text that names no point is none of ours: the name is there, and changes nothing.
    expression = compile_expression(f"p || !p ? {text} : {text}", NAMES)
    columns = {f"hall/{name}": one_sample(1, value) for name, value in values.items()}
    inputs = {p.path: columns[p.path] for p in expression.inputs}
    found = expression.over(inputs, 0, 10)
    return ERROR if found.quality[0] >= 0x8000_0000 else found.values[0]


@settings(max_examples=150)
@given(anything(), values_drawn)
def test_expressions_give_what_the_reference_gives(written, values):
    theirs, ours = by_google(written.cel, values), by_ours(written.ours, values)
    if ours is not ERROR:
        assert theirs is not ERROR
        assert ours == theirs
    elif theirs is not ERROR:
        inner = [by_google(text, values) for text in written.numbers]
        assert any(x is not ERROR and not math.isfinite(x) for x in inner)


@settings(max_examples=100)
@given(anything().filter(lambda w: w.plain), values_drawn)
def test_expressions_give_what_a_second_engine_gives(written, values):
    theirs, ours = by_rust(written.cel, values), by_ours(written.ours, values)
    if ours is not ERROR:
        assert theirs is not ERROR
        assert ours == theirs
    elif theirs is not ERROR:
        inner = [by_google(text, values) for text in written.numbers]
        assert any(x is not ERROR and not math.isfinite(x) for x in inner)


@given(st.integers(-(2**53), 2**53), st.integers(-(2**53), 2**53))
def test_remainders_are_those_of_integers(left, right):
    assume(right)
    values = {"a": float(left), "b": float(right)}
    reference = environment().compile("double(int(a) % int(b))").eval(data=values).plain_value()
    expression = compile_expression("a % b", NAMES)
    columns = {f"hall/{n}": one_sample(1, v) for n, v in values.items()}
    assert expression.over(columns, 0, 10).values[0] == reference


@given(st.text(max_size=8).filter(lambda t: not any(0xD800 <= ord(c) <= 0xDFFF for c in t)))
def test_texts_are_read_as_the_reference_reads_them(text):
    written = literal(text).replace("\r", "\\r").replace("\0", "\\000")
    theirs = environment().compile(f"s + {written}").eval(data={"s": ""}).plain_value()
    expression = compile_expression(f"s + {written}", NAMES)
    assert expression.over({"hall/s": one_sample(1, "")}, 0, 10).values[0] == theirs == text


ESCAPES = [
    r"'\a\b\f\n\r\t\v\\\?\"\'\`'", r"'\x41\X42\103\u00e4\U0001F600'", r"r'\n\d'", 'R"\\q"',
    "'''a'b\nc'''", '"""x"y"""', r"r'''\ '''", "''", '""', "'// no comment'", "'a' // comment",
]  # fmt: skip


@pytest.mark.parametrize("written", ESCAPES)
def test_literals_are_those_of_the_reference(written):
    theirs = environment().compile(f"s + {written}").eval(data={"s": "x"}).plain_value()
    expression = compile_expression(f"s + {written}", NAMES)
    assert expression.over({"hall/s": one_sample(1, "x")}, 0, 10).values[0] == theirs


EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
moments = st.integers(0, 66 * 365 * 86_400).map(lambda s: EPOCH + dt.timedelta(seconds=s))
SPELLED = ["1s", "90m", "-1.5s", "1h30m5s", "250ms", "1us", "0", ".5s", "1.s", "+2s", "1000000ns"]
FIELDS = [
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfYear", "getDayOfWeek",
    "getHours", "getMinutes", "getSeconds",
]  # fmt: skip
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
CLOCK = {"a": Point(path="hall/a")}


def at(moment: dt.datetime) -> int:
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 10**9 + delta.microseconds * 1000


@given(moments, st.sampled_from(FIELDS), st.sampled_from(ZONES))
def test_clocks_on_the_wall_show_what_those_of_the_reference_show(moment, field, zone):
    env = google.NewEnv(variables={"t": google.Type.TIMESTAMP})
    theirs = env.compile(f"t.{field}('{zone}')").eval(data={"t": moment}).plain_value()
    expression = compile_expression(f"a == a ? time().{field}('{zone}') : 0", CLOCK, every_ns=0)
    assert expression.over({"hall/a": one_sample(at(moment), 1.0)}, -(2**62), 2**62).values[
        0
    ] == pytest.approx(theirs, abs=0)


@given(moments, st.sampled_from(SPELLED), st.sampled_from(["+", "-"]), moments)
def test_times_are_calculated_with_as_the_reference_does(moment, spelled, sign, other):
    env = google.NewEnv(variables={"t": google.Type.TIMESTAMP})
    other_text = other.isoformat().replace("+00:00", "Z")
    text = f"{{t}} {sign} duration('{spelled}') < timestamp('{other_text}')"
    theirs = env.compile(text.format(t="t")).eval(data={"t": moment}).plain_value()
    ours = compile_expression(f"(a == a) && ({text.format(t='time()')})", CLOCK, every_ns=0)
    assert ours.over({"hall/a": one_sample(at(moment), 1.0)}, -(2**62), 2**62).values[0] == theirs


@pytest.mark.parametrize("spelled", SPELLED)
@pytest.mark.parametrize("field", ["getHours", "getMinutes", "getSeconds"])
def test_durations_are_counted_as_the_reference_counts_them(spelled, field):
    text = f"duration('{spelled}').{field}()"
    theirs = google.NewEnv().compile(text).eval().plain_value()
    ours = compile_expression(f"a == a ? {text} : 0", CLOCK)
    assert ours.over({"hall/a": one_sample(1, 1.0)}, 0, 10).values[0] == theirs


def test_points_of_every_kind_have_a_type():
    for kind in Kind:
        compile_expression("quality(x) == 'good'", {"x": Point(path="x", kind=kind)})
