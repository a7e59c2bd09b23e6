"""Expressions for tests to draw: in our spelling, and in CEL's, where integers are integers."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions.tails import Samples

NUMBERS = ("a", "b", "c")
FLAGS = ("p", "q")
TEXTS = ("s", "u")
NAMES = {
    **{n: Point(path=f"hall/{n}") for n in NUMBERS},
    **{n: Point(path=f"hall/{n}", kind=Kind.BOOLEAN) for n in FLAGS},
    **{n: Point(path=f"hall/{n}", kind=Kind.TEXT) for n in TEXTS},
}
"""Short names to points; the path is `hall/<name>`."""

numbers = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 1e300, 1e-5, 3.0, 7.25]) | st.floats(
    allow_nan=False, allow_infinity=False
)
words = st.text("abRUN ä\n'\"\\", max_size=5)
PATTERNS = ("a", "^R", "N$", "[ab]+", "a|ä", "(RUN)?", "^$", ".")


class Written(NamedTuple):
    """One expression in two spellings."""

    ours: str
    cel: str
    numbers: tuple[str, ...] = ()
    """CEL of every part that is a number: if one of them is not finite, ours may be bad."""
    plain: bool = True
    """Whether it needs no library of functions."""


def joined(ours: str, cel: str, *parts: Written, number: bool = False, plain: bool = True):
    cel = cel.format(*(p.cel for p in parts))
    inner = tuple(n for p in parts for n in p.numbers)
    return Written(
        ours.format(*(p.ours for p in parts)),
        cel,
        (*inner, cel) if number else inner,
        plain and all(p.plain for p in parts),
    )


def both(text: str, *, number: bool = False) -> Written:
    return Written(text, text, (text,) if number else ())


def literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def number_leaf():
    written = numbers.map(lambda x: both(f"({x!r})", number=True))
    whole = st.integers(-9, 9).map(lambda n: Written(f"({n})", f"({n}.0)", (f"({n}.0)",)))
    return st.sampled_from([both(n, number=True) for n in NUMBERS]) | written | whole


def flag_leaf():
    error = Written("(1 / 0 > 0)", "(1 / 0 > 0)")
    return st.sampled_from([both(n) for n in (*FLAGS, "true", "false")] + [error])


def text_leaf():
    return st.sampled_from([both(n) for n in TEXTS]) | words.map(lambda w: both(literal(w)))


def number_of(n, f, s):
    infix = [joined_of(f"({{}} {op} {{}})", n, n, number=True) for op in "+-*/"]
    math = {
        "abs": "math.abs", "ceil": "math.ceil", "floor": "math.floor", "round": "math.round",
        "trunc": "math.trunc", "sign": "math.sign", "sqrt": "math.sqrt",
    }  # fmt: skip
    calls = [
        st.tuples(n).map(
            lambda p, o=o, c=c: joined(f"{o}({{}})", f"{c}({{}})", *p, number=True, plain=False)
        )
        for o, c in math.items()
    ]
    extremes = [
        st.tuples(n, n).map(
            lambda p, o=o, c=c: joined(
                f"{o}({{}}, {{}})", f"{c}({{}}, {{}})", *p, number=True, plain=False
            )
        )
        for o, c in {"min": "math.least", "max": "math.greatest"}.items()
    ]
    return st.one_of(
        *infix,
        *calls,
        *extremes,
        joined_of("(-{})", n, number=True),
        joined_of("({} ? {} : {})", f, n, n, number=True),
        s.map(lambda p: joined("size({})", "double(size({}))", p, number=True, plain=False)),
        s.map(lambda p: joined("{}.size()", "double({}.size())", p, number=True, plain=False)),
    )  # fmt: skip


def flag_of(n, f, s):
    relations = ("==", "!=", "<", "<=", ">", ">=")
    compared = [joined_of(f"({{}} {op} {{}})", x, x) for op in relations for x in (n, s)]
    methods = [joined_of(f"{{}}.{m}({{}})", s, s) for m in ("contains", "startsWith", "endsWith")]
    listed = st.lists(number_leaf(), max_size=4)
    return st.one_of(
        *compared,
        *methods,
        joined_of("({} && {})", f, f),
        joined_of("({} || {})", f, f),
        joined_of("(!{})", f),
        joined_of("({} ? {} : {})", f, f, f),
        joined_of("({} == {})", f, f),
        st.tuples(number_leaf(), listed).map(
            lambda p: joined(
                f"({{}} in [{', '.join(i.ours for i in p[1])}])",
                f"({{}} in [{', '.join(i.cel for i in p[1])}])",
                p[0],
            )
        ),
        st.tuples(s, st.sampled_from(PATTERNS)).map(
            lambda p: joined(f"{{}}.matches('{p[1]}')", f"{{}}.matches('{p[1]}')", p[0])
        ),
    )


def text_of(n, f, s):
    return joined_of("({} + {})", s, s) | joined_of("({} ? {} : {})", f, s, s)


def joined_of(text: str, *parts, number: bool = False):
    return st.tuples(*parts).map(lambda p: joined(text, text, *p, number=number))


@st.composite
def number(draw, depth=3):
    """An expression that gives a number; parts of it are drawn likewise."""
    return draw(_grown(depth, number_leaf, number_of))


@st.composite
def flag(draw, depth=3):
    """One that gives a boolean."""
    return draw(_grown(depth, flag_leaf, flag_of))


@st.composite
def text(draw, depth=3):
    """One that gives a text."""
    return draw(_grown(depth, text_leaf, text_of))


def _grown(depth, leaf, grown):
    if not depth:
        return leaf()
    return leaf() | grown(number(depth - 1), flag(depth - 1), text(depth - 1))


@st.composite
def anything(draw):
    """An expression of any type."""
    return draw(flag() | number() | text())


def one_sample(time_ns, value, quality=0) -> Samples:
    values = [value] if isinstance(value, str) else np.array([float(value)])
    return Samples(np.array([time_ns]), values, np.array([quality], dtype=np.uint32))
