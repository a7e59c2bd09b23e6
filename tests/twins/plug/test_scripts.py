"""Scripts of mappings: what is read is worked out as Lua does, and nothing else is read."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.twins.plug.formulas import TEXT_MAX, worked_out
from lineshaft.twins.plug.scripts import CHARS_MAX, DEPTH_MAX, read_formula

SOURCES = {"t": 250, "on": True, "name": "press", "odd id": 4, "all": '{"a": {"b": 5}, "c": "7"}'}


def value(expression, **sources):
    formula = read_formula(f"function aimc_main(s) return {{ x = {expression} }} end")
    return worked_out(formula, SOURCES | sources).get("x")


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("s.t * 0.1 - 5", 20.0),
        ("2 + 3 * 4 ^ 2 / 2", 26.0),
        ("-2 ^ 2", -4.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("7 // 2 .. '' .. 7 % 4", "33"),
        ("-7 // 2", -4),
        ("7 % -3", -2),
        ("(1 + 2) * 3", 9),
        ("s['odd id']", 4),
        ("s.all.a.b + s.all.c", 12.0),
        ("s.all.a.none", None),
        ("s.none", None),
        ("s.none or 3", 3),
        ("s.on and 'run' or 'stop'", "run"),
        ("not s.on", False),
        ("0 and 'zero is true'", "zero is true"),
        ("1 == 1.0", True),
        ("1 == '1'", False),
        ("true == 1", False),
        ("s.name ~= 'saw'", True),
        ("'a' < 'b'", True),
        ("'10' + 1", 11.0),
        ("10 .. ''", "10"),
        ("10.0 .. ''", "10.0"),
        ("0x1F", 31),
        ("tonumber('x')", None),
        ("tostring(true)", "true"),
        ("math.max(1, s.t, 3) + math.floor(2.7) + math.abs(-1)", 253),
        ("math.floor(math.pi)", 3),
        ("1 / 0", None),
        ("1 + nil", None),
        ("s.on + 1", None),
        ("s.all.a", None),
        ("(-8) ^ 0.5", None),
        ("10 ^ 400", None),
        ("math.sqrt(-1)", None),
        ("math.floor()", None),
        ("'a\\n\\'b'", "a\n'b"),
    ],
)
def test_expressions_are_worth_what_they_are_in_lua(expression, wanted):
    found = value(expression)
    assert found == wanted
    assert isinstance(found, bool) is isinstance(wanted, bool)


def test_names_and_branches():
    formula = read_formula("""
        --[[ what the machine
             does ]]
        function aimc_main(sources)
            local level = "low" ; local t = sources.t -- in tenths
            if t > 200 then
                local t = 0
                level = "high"
            elseif t > 100 then level = "mid"
            else return { level = "none" }
            end
            return { level = level, t = t, ["odd id"] = nil }
        end
    """)
    assert formula.sources == {"t"}
    assert formula.sinks == {"level", "t", "odd id"}
    assert worked_out(formula, {"t": 150})["level"] == "mid"
    assert worked_out(formula, {"t": 5}) == {"level": "none"}
    assert worked_out(formula, {}) == {}


@pytest.mark.parametrize(
    "script",
    [
        "",
        "return { x = 1 }",
        "function main(s) return { x = 1 } end",
        "function aimc_main(s) return { x = 1 } end more",
        "function aimc_main(s) for i = 1, 9 do end return { x = 1 } end",
        "function aimc_main(s) local f = function() end return { x = f } end",
        "function aimc_main(s) y = 1 return { x = y } end",
        "function aimc_main(s) return s end",
        "function aimc_main(s) return { 1 } end",
        "function aimc_main(s) return { x = s } end",
        "function aimc_main(s) return { x = s[1] } end",
        "function aimc_main(s) return { x = os.execute('x') } end",
        "function aimc_main(s) return { x = #s.t } end",
        "function aimc_main(s) return { x = 'open } end",
        "function aimc_main(s) return { x = 1 end",
        f"function aimc_main(s) return {{ x = {'(' * 60}1{')' * 60} }} end",
        f"function aimc_main(s) return {{ x = {'-' * 1} {'not ' * 60} 1 }} end",
        f"function aimc_main(s) return {{ x = 1{'+1' * 60} }} end",
        f"function aimc_main(s) return {{ x = s.a{'.b' * 60} }} end",
        " " * (CHARS_MAX + 1),
    ],
)
def test_what_is_not_read_is_refused(script):
    with pytest.raises(Invalid):
        read_formula(script)


def test_neither_numbers_nor_texts_grow_without_end():
    squares = "x = x * x " * 500
    formula = read_formula(
        f"function aimc_main(s) local x = 3 {squares} return {{ x = x, y = tostring(x) }} end"
    )
    assert worked_out(formula, {}) == {"x": None, "y": None}
    doubled = "x = x .. x " * 60
    formula = read_formula(f"function aimc_main(s) local x = s.n {doubled} return {{ x = x }} end")
    assert len(worked_out(formula, {"n": "ab"})["x"]) == TEXT_MAX


SIGNS = re.split(" ", "+ - * / // % ^ .. == ~= < <= > >= and or")
WORDS = st.sampled_from(
    re.split(
        " ",
        "function aimc_main ( s ) return { x = s.a 1 2.5 'q' .. + - * / // % ^ == ~= < and or not"
        " nil true if then else elseif end local y = y } , ; [ ] math.floor ( tonumber ( . -- \n",
    )
)


@given(st.lists(WORDS, max_size=60), st.booleans())
def test_whatever_words_come_it_is_read_or_refused_and_ends(words, whole):
    script = " ".join(words)
    if whole:
        script = f"function aimc_main(s) {script} end"
    try:
        formula = read_formula(script)
    except Invalid:
        return
    assert msgspec.json.encode(worked_out(formula, SOURCES))


@given(
    st.recursive(
        st.sampled_from(["s.a", "1", "2.5", "nil", "true", "'q'", "'8'"]),
        lambda inner: st.builds(
            lambda a, sign, b: f"({a} {sign} {b})",
            inner,
            st.sampled_from(SIGNS),
            inner,
        ),
        max_leaves=20,
    ),
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=5)),
)
def test_every_expression_ends_with_what_an_element_can_have(expression, a):
    if expression.count("(") > DEPTH_MAX // 2:
        return
    found = value(expression, a=a)
    assert found is None or isinstance(found, bool | int | float | str)
    msgspec.json.encode(found)


@pytest.mark.parametrize(
    ("expression", "sources"),
    [
        ("0x" + "F" * 400, {}),
        ("s.huge", {"huge": 10**400}),
        ("s.p.y", {"p": '{"y": 1' + "0" * 400 + "}"}),
        ("s.p.y", {"p": "[" * 5000}),
        ("s.p.y", {"p": '{"y":' * 5000}),
        ("s.p + 1", {"p": "1_0"}),
        ("s.p + 1", {"p": "nan"}),
    ],
)
def test_what_a_hostile_device_sends_is_no_value_and_takes_no_other_with_it(expression, sources):
    formula = read_formula(f"function aimc_main(s) return {{ x = {expression}, y = 1 }} end")
    assert worked_out(formula, sources) == {"x": None, "y": 1}


def test_a_payload_is_read_once_however_often_a_script_looks_into_it(monkeypatch):
    seen = []
    real = msgspec.json.decode
    monkeypatch.setattr(msgspec.json, "decode", lambda text: seen.append(text) or real(text))
    sinks = ", ".join(f"x{n} = s.p.y" for n in range(100))
    formula = read_formula(f"function aimc_main(s) return {{ {sinks} }} end")
    assert set(worked_out(formula, {"p": '{"y": 7}'}).values()) == {7}
    assert seen == ['{"y": 7}']


def test_a_comment_without_an_end_is_refused():
    with pytest.raises(Invalid, match="has no end"):
        read_formula("function aimc_main(s) return { x = 1 } end " + "--[[\n" * 2000)
