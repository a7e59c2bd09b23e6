"""The guide names every function, and what it shows compiles."""

import re
from pathlib import Path

import pytest

from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions.calls import FUNCTIONS
from lineshaft.operations.expressions.expression import compile_expression

GUIDE = Path(__file__).parents[3] / "docs/guide/expressions.md"
NAMES = {
    "temp": Point(path="hall/temp", unit="Cel"),
    "pressure": Point(path="hall/pressure", unit="bar"),
    "flow": Point(path="hall/flow", unit="L/min"),
    "speed": Point(path="hall/speed"),
    "pieces": Point(path="hall/pieces", kind=Kind.INTEGER),
    "state": Point(path="hall/state", kind=Kind.ENUM, names={"1": "running"}),
    "site/hall/press/state": Point(path="site/hall/press/state", kind=Kind.TEXT),
}
SHOWN = re.findall(r"```cel\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)[0].splitlines()


@pytest.mark.parametrize("text", SHOWN)
def test_what_the_guide_shows_compiles(text):
    compile_expression(text, NAMES)


def test_the_guide_names_every_function():
    words = set(re.findall(r"\w+", GUIDE.read_text("utf-8")))
    assert not set(FUNCTIONS) - words


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_how_it_is_called(name):
    assert name in FUNCTIONS[name].shown
    assert FUNCTIONS[name].about
