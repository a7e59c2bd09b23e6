"""Text to tokens, by the lexical rules of CEL.

Source: Common Expression Language, language definition, section "Syntax".
"""

import enum
import re
from collections.abc import Callable
from typing import NamedTuple

from lineshaft.operations.expressions.limits import (
    EXACT_INTEGER_MAX,
    STRING_CHARS_MAX,
    TEXT_CHARS_MAX,
)
from lineshaft.operations.expressions.messages import WrongExpression


class Sort(enum.Enum):
    """What a token is."""

    NUMBER = "a number"
    TEXT = "a text"
    NAME = "a name"
    PATH = "a path in backquotes"
    SIGN = "a sign"
    END = "the end"


class Token(NamedTuple):
    """One token: its place, and what it says."""

    sort: Sort
    at: int
    end: int
    word: str
    """The sign, name or path; of a text the text itself."""
    number: float = 0.0


_SPACE = re.compile(r"(?:[ \t\n\f\r]+|//[^\n]*)*")
_NUMBER = re.compile(
    r"(?P<hex>0x[0-9a-fA-F]+)|(?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"
    r"|\d+[eE][+-]?\d+)|(?P<int>\d+)",
    re.ASCII,
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = re.compile(r"`([^`\n]*)`")
_SIGN = re.compile(r"&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]]")
_OPEN = re.compile(r"([rRbB]{0,2})('''|\"\"\"|'|\")")
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    r"|([0-3][0-7]{2}))"
)
_SIMPLE = dict(zip("abfnrtv\\?\"'`", "\a\b\f\n\r\t\v\\?\"'`", strict=True))
_OTHER_WORDS = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "AND": "&&",
    "OR": "||",
    "NOT": "!",
}
_OTHER_SIGNS = {"=": "==", "&": "&&", "|": "||", "<>": "!=", "^": "pow(x, y)"}


def tokens(text: str) -> list[Token]:
    """All tokens, and one for the end.

    Raises:
        WrongExpression: a character or literal that CEL does not know, or a text that is too long.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise WrongExpression(
            text,
            (TEXT_CHARS_MAX, TEXT_CHARS_MAX),
            f"the expression has {len(text)} characters, wanted at most {TEXT_CHARS_MAX}",
            remedy="Make parts of it derived points of their own.",
        )
    found: list[Token] = []
    at = _skip(text, 0)
    while at < len(text):
        token = _token(text, at)
        found.append(token)
        at = _skip(text, token.end)
    found.append(Token(Sort.END, len(text), len(text), ""))
    return found


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _token(text: str, at: int) -> Token:
    if opened := _OPEN.match(text, at):
        return _string(text, at, opened)
    if number := _NUMBER.match(text, at):
        return _number(text, at, number)
    if name := _NAME.match(text, at):
        if name[0] in _OTHER_WORDS:
            raise WrongExpression(
                text,
                name.span(),
                f"unknown operator {name[0]!r}",
                remedy=f"Write {_OTHER_WORDS[name[0]]}.",
            )
        return Token(Sort.NAME, at, name.end(), name[0])
    if path := _PATH.match(text, at):
        return Token(Sort.PATH, at, path.end(), path[1])
    if sign := _SIGN.match(text, at):
        return Token(Sort.SIGN, at, sign.end(), sign[0])
    meant = _OTHER_SIGNS.get(text[at], "")
    raise WrongExpression(
        text,
        (at, at + 1),
        "a backquote that is never closed" if text[at] == "`" else f"unexpected {text[at]!r}",
        remedy=f"Write {meant}." if meant else "",
    )


def _number(text: str, at: int, found: re.Match[str]) -> Token:
    word, end = found[0], found.end()
    tail = _NAME.match(text, end)
    if tail:
        raise WrongExpression(
            text,
            (at, tail.end()),
            f"{text[at : tail.end()]!r} is not a number",
            remedy="Unsigned integers are written without u; units stand in the point, or in"
            " convert(2.5, 'bar').",
        )
    value = float(int(word, 16)) if found["hex"] else float(word)
    if value == float("inf") or (not found["float"] and value > EXACT_INTEGER_MAX):
        raise WrongExpression(
            text,
            (at, end),
            f"the number {word} is too large",
            remedy="Integers go to 2^53, numbers to 1.79e308.",
        )
    return Token(Sort.NUMBER, at, end, word, value)


def _string(text: str, at: int, opened: re.Match[str]) -> Token:
    prefix, quote = opened[1].lower(), opened[2]
    if "b" in prefix or len(prefix) > 1:
        raise WrongExpression(
            text,
            (at, opened.end()),
            "bytes are no type here, since no point holds them",
            remedy="Write a text: leave the b out.",
        )
    raw = prefix == "r"
    begin = opened.end()
    end = _closing(text, begin, quote, raw)
    body = text[begin:end]
    if end < 0 or (len(quote) == 1 and "\n" in body):
        raise WrongExpression(
            text, (at, begin), "a text that is never closed", remedy=f"Close it with {quote}."
        )
    value = body if raw else _unescaped(text, begin, body)
    if len(value) > STRING_CHARS_MAX:
        raise WrongExpression(
            text, (at, end), f"a text of {len(value)} characters, wanted at most {STRING_CHARS_MAX}"
        )
    return Token(Sort.TEXT, at, end + len(quote), value)


def _closing(text: str, at: int, quote: str, raw: bool) -> int:
    """Where the text ends; -1 when it does not."""
    while at < len(text):
        if text.startswith(quote, at):
            return at
        at += 2 if text[at] == "\\" and not raw else 1
    return -1


def _unescaped(text: str, begin: int, body: str) -> str:
    if "\\" not in body:
        return body
    pieces, at = [], 0
    while (slash := body.find("\\", at)) >= 0:
        found = _ESCAPE.match(body, slash)
        letter = _character(found) if found else None
        if found is None or letter is None:
            raise WrongExpression(
                text,
                (begin + slash, begin + slash + 2),
                f"unknown escape {body[slash : slash + 2]!r}",
                remedy=r"Write \\ for a backslash, or r'…' for a text without escapes.",
            )
        pieces += [body[at:slash], letter]
        at = found.end()
    return "".join([*pieces, body[at:]])


_DIGITS: tuple[Callable[[str], int], ...] = (
    lambda d: int(d, 16),
    lambda d: int(d, 16),
    lambda d: int(d, 16),
    lambda d: int(d, 8),
)


def _character(found: re.Match[str]) -> str | None:
    """The character of an escape; None for a half of a pair, or beyond Unicode."""
    if found[1]:
        return _SIMPLE[found[1]]
    code = next(read(d) for read, d in zip(_DIGITS, found.groups()[1:], strict=True) if d)
    return None if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF else chr(code)  # noqa: PLR2004
