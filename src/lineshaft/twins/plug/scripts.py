"""Scripts of mappings are read: the part of Lua that works a value out, and nothing else.

The standard has a script with a function `aimc_main(sources)` that gives a table of values by
SinkId. Read here are `local` names, assignments to them, `if`, and `return { … }`, over numbers,
texts, members of `sources`, operators and a few functions. There are no loops and no functions of
one's own, so that every script ends after at most as many steps as it has words.

Source: IDTA 02027 2.0; Lua 5.4 reference manual, 3.4 (expressions).
"""

import math
import re
from typing import Any, NamedTuple

from lineshaft.core.errors import Invalid

CHARS_MAX = 16_384
DEPTH_MAX = 40
"""Of what stands within what, a chain of operators counted link by link."""
CALLS = frozenset(
    {"tonumber", "tostring"} | {f"math.{n}" for n in ("floor", "ceil", "abs", "sqrt", "min", "max")}
)
"""Functions that a script may call."""
_WORD = re.compile(
    r"\s+|--\[\[.*?(?:\]\]|\Z)|--[^\n]*|(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<sign>==|~=|<=|>=|\.\.|//|[-+*/%^#<>=(){}\[\],;.])",
    re.ASCII | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        "and break do else elseif end false for function goto if in local nil not or repeat return"
        " then true until while",
    )
)
_WORTH = {"true": True, "false": False, "nil": None}
_BINARY = (
    ("or",),
    ("and",),
    ("<", ">", "<=", ">=", "~=", "=="),
    ("..",),
    ("+", "-"),
    ("*", "/", "//", "%"),
)
"""Operators from the loosest to the tightest; `..` is from the right in Lua, which is the same."""

Node = tuple[Any, ...]


class Formula(NamedTuple):
    """A script that was understood."""

    body: tuple[Node, ...]
    sources: frozenset[str]
    """SourceIds that it looks at."""
    sinks: frozenset[str]
    """SinkIds that it gives."""


def read_formula(script: str) -> Formula:
    """A script, understood.

    Raises:
        Invalid: it is none, or uses what is not read here; the message names the word.
    """
    reader = _Reader(_words(script))
    reader.take("function", "aimc_main", "(")
    reader.sources = reader.name()
    reader.take(")")
    body = reader.block("end")
    reader.take("end")
    reader.take("")
    return Formula(body, frozenset(reader.used), frozenset(reader.given))


def _words(script: str) -> list[tuple[str, str]]:
    if len(script) > CHARS_MAX:
        raise Invalid(f"the script has {len(script)} characters, wanted at most {CHARS_MAX}")
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(script):
        match = _WORD.match(script, at)
        if match is None:
            raise Invalid(f"{script[at : at + 20]!r} is not read")
        if match[0].startswith("--[[") and not match[0].endswith("]]"):
            raise Invalid("the comment that begins with '--[[' has no end")
        if match.lastgroup:
            found.append((match.lastgroup, match[0]))
        at = match.end()
    return [*found, ("end", "")]


class _Reader:
    def __init__(self, words: list[tuple[str, str]]) -> None:
        self._words, self._at, self._depth = words, 0, 0
        self.sources = ""
        self.used: set[str] = set()
        self.given: set[str] = set()
        self._locals: set[str] = set()

    @property
    def _next(self) -> str:
        kind, word = self._words[self._at]
        return word if kind != "text" else "a text"

    def take(self, *words: str) -> None:
        for word in words:
            if self._next != word:
                raise Invalid(f"{self._next or 'the end'!r} stands where {word or 'the end'!r} was"
                              " expected")  # fmt: skip
            self._at += bool(word)

    def _is(self, *words: str) -> bool:
        return self._words[self._at][0] != "text" and self._next in words

    def name(self) -> str:
        kind, word = self._words[self._at]
        if kind != "name" or word in _KEYWORDS:
            raise Invalid(f"{word or 'the end'!r} stands where a name was expected")
        self._at += 1
        return word

    def block(self, *ends: str) -> tuple[Node, ...]:
        self._deeper(1)
        outer, found = set(self._locals), list[Node]()
        while not self._is(*ends):
            found.append(self._statement())
            if self._is(";"):
                self.take(";")
        self._locals = outer
        self._deeper(-1)
        return tuple(found)

    def _deeper(self, by: int) -> None:
        self._depth += by
        if self._depth > DEPTH_MAX:
            raise Invalid(f"the script is nested deeper than {DEPTH_MAX}")

    def _statement(self) -> Node:
        if self._is("return"):
            self.take("return")
            return ("return", self._table())
        if self._is("if"):
            return self._if()
        is_local = self._is("local")
        if is_local:
            self.take("local")
        if self._next in _KEYWORDS:
            raise Invalid(f"{self._next!r} is not read; only local names, if and return are")
        name = self.name()
        if not is_local and name not in self._locals:
            raise Invalid(f"{name!r} is no local name")
        self.take("=")
        value = self._expression()
        self._locals.add(name)
        return ("set", name, value)

    def _if(self) -> Node:
        self.take("if")
        test = self._expression()
        self.take("then")
        then = self.block("elseif", "else", "end")
        if self._is("elseif"):
            self._words[self._at] = ("name", "if")
            self._deeper(1)
            other: tuple[Node, ...] = (self._if(),)
            self._deeper(-1)
            return ("if", test, then, other)
        other = ()
        if self._is("else"):
            self.take("else")
            other = self.block("end")
        self.take("end")
        return ("if", test, then, other)

    def _table(self) -> tuple[tuple[str, Node], ...]:
        self.take("{")
        found: list[tuple[str, Node]] = []
        while not self._is("}"):
            if self._is("["):
                self.take("[")
                key = self._text()
                self.take("]")
            else:
                key = self.name()
            self.take("=")
            found.append((key, self._expression()))
            self.given.add(key)
            if not self._is("}"):
                self.take(";" if self._is(";") else ",")
        self.take("}")
        return tuple(found)

    def _text(self) -> str:
        kind, word = self._words[self._at]
        if kind != "text":
            raise Invalid(f"{word or 'the end'!r} stands where a text was expected")
        self._at += 1
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), word[1:-1], flags=re.DOTALL)

    def _expression(self, level: int = 0) -> Node:
        if level == len(_BINARY):
            return self._unary()
        left, links = self._expression(level + 1), 0
        while self._is(*_BINARY[level]):
            sign, links = self._next, links + 1
            self._deeper(1)
            self.take(sign)
            left = ("binary", sign, left, self._expression(level + 1))
        self._deeper(-links)
        return left

    def _unary(self) -> Node:
        if self._is("-", "not"):
            sign = self._next
            self.take(sign)
            self._deeper(1)
            inner = self._unary()
            self._deeper(-1)
            return ("unary", sign, inner)
        left = self._primary()
        if self._is("^"):
            self.take("^")
            self._deeper(1)
            left = ("binary", "^", left, self._unary())
            self._deeper(-1)
        return left

    def _primary(self) -> Node:
        kind, word = self._words[self._at]
        if kind == "number":
            self._at += 1
            return ("value", _number(word))
        if kind == "text":
            return ("value", self._text())
        if word in _WORTH:
            self.take(word)
            return ("value", _WORTH[word])
        return self._inner() if word == "(" else self._named()

    def _inner(self) -> Node:
        self.take("(")
        self._deeper(1)
        inner = self._expression()
        self._deeper(-1)
        self.take(")")
        return inner

    def _named(self) -> Node:
        name = self.name()
        if name == self.sources:
            key = self._member()
            self.used.add(key)
            return self._members(("source", key))
        if name in self._locals:
            return self._members(("local", name))
        return self._call(name)

    def _call(self, name: str) -> Node:
        if self._is("."):
            self.take(".")
            name = f"{name}.{self.name()}"
        if name == "math.pi":
            return ("value", math.pi)
        if name not in CALLS:
            raise Invalid(f"{name!r} is not read; known are {', '.join(sorted(CALLS))}")
        self.take("(")
        self._deeper(1)
        given = [] if self._is(")") else [self._expression()]
        while self._is(","):
            self.take(",")
            given.append(self._expression())
        self._deeper(-1)
        self.take(")")
        return ("call", name, tuple(given))

    def _member(self) -> str:
        if self._is("."):
            self.take(".")
            return self.name()
        self.take("[")
        key = self._text()
        self.take("]")
        return key

    def _members(self, node: Node) -> Node:
        links = 0
        while self._is(".", "["):
            links += 1
            self._deeper(1)
            node = ("member", node, self._member())
        self._deeper(-links)
        return node


def _number(word: str) -> int | float:
    if word[:2] in ("0x", "0X"):
        return int(word, 16)
    return int(word) if word.isdecimal() and len(word) < 16 else float(word)  # noqa: PLR2004
