"""Regular expressions whose cost is bounded, whatever pattern and text a client sends.

A pattern becomes a program of Thompson's kind: all ways to match are followed at once, so the
work is at most length of program times length of text, without going back. What that cannot
do (back references, looking around) is not in XPath's `matches` for queries either, or refused.

Source: W3C XPath and XQuery Functions 3.0, 5.6.1; R. Cox, Regular Expression Matching Can Be
Simple And Fast.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from lineshaft.core.errors import Invalid

PATTERN_CHARS_MAX = 500
PROGRAM_MAX = 1000
"""Most instructions of one pattern, counted repetitions written out."""
DEPTH_MAX = 30
"""Most groups inside each other."""
REPEAT_MAX = 200
TEXT_CHARS_MAX = 10_000
"""Of longer texts only so much is searched."""
COST_MAX = 20_000_000
"""Most steps of one pattern in its life, which is one request: some ten seconds."""

Fits = Callable[[str], bool]


class _Char(msgspec.Struct, frozen=True):
    """One character that fits."""

    fits: Fits


class _Split(msgspec.Struct, frozen=True):
    """Go on at both places, counted from here."""

    one: int
    other: int


class _At(msgspec.Struct, frozen=True):
    """Go on only at the beginning (or else at the end) of the text."""

    beginning: bool


class _Done(msgspec.Struct, frozen=True):
    """It matches."""


Step = _Char | _Split | _At | _Done
Program = list[Step]


@dataclass
class Pattern:
    """A pattern made ready; `search` counts what it costs."""

    text: str
    cost: int = field(default=0, compare=False)
    """Steps done so far."""

    def __post_init__(self) -> None:
        program = _Parser(self.text).program()
        self._program = [*program, _Done()]

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text.

        Raises:
            Invalid: all that was searched so far took more than `COST_MAX` steps.
        """
        if self.cost > COST_MAX:
            raise Invalid(
                f"regular expression {self.text[:60]!r} takes more than {COST_MAX} steps",
                remedy="Narrow the query by another condition, or make the pattern simpler.",
            )
        text = text[:TEXT_CHARS_MAX]
        now: dict[int, None] = {}
        for place in range(len(text) + 1):
            # A match may begin at every place.
            if self._follow(0, now, text, place):
                return True
            if place == len(text):
                break
            char, then = text[place], dict[int, None]()
            for at in now:
                step = self._program[at]
                if (
                    isinstance(step, _Char)
                    and step.fits(char)
                    and self._follow(at + 1, then, text, place + 1)
                ):
                    return True
            self.cost += len(now) + 1
            now = then
        return False

    def _follow(self, start: int, seen: dict[int, None], text: str, place: int) -> bool:
        """Add where one can be without reading a character; True when that is the end."""
        todo = [start]
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen[at] = None
            self.cost += 1
            match self._program[at]:
                case _Done():
                    return True
                case _Split(one=one, other=other):
                    todo += (at + one, at + other)
                case _At(beginning=beginning):
                    if place == (0 if beginning else len(text)):
                        todo.append(at + 1)
                case _Char():
                    pass
        return False


class _Parser:
    """Reads a pattern by recursive descent; how deep is bounded."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def program(self) -> Program:
        if len(self._text) > PATTERN_CHARS_MAX:
            raise self._wrong(f"it has more than {PATTERN_CHARS_MAX} characters")
        found = self._choice()
        if self._at < len(self._text):
            raise self._wrong("a ) stands without its (")
        return found

    def _wrong(self, why: str) -> Invalid:
        return Invalid(
            f"regular expression {self._text[:60]!r}, character {self._at}: {why}",
            remedy="Use characters, classes, groups, | and the repetitions * + ? {n,m}.",
        )

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, char: str) -> bool:
        if self._next() != char or not char:
            return False
        self._at += 1
        return True

    def _sized(self, program: Program) -> Program:
        if len(program) > PROGRAM_MAX:
            raise self._wrong(f"its repetitions need more than {PROGRAM_MAX} steps")
        return program

    def _choice(self) -> Program:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._wrong(f"more than {DEPTH_MAX} groups stand inside each other")
        found = self._sequence()
        while self._take("|"):
            other = self._sequence()
            # split first, other; first; jump over other; other
            over = _Split(len(other) + 1, len(other) + 1)
            found = self._sized([_Split(1, len(found) + 2), *found, over, *other])
        self._depth -= 1
        return found

    def _sequence(self) -> Program:
        found: Program = []
        while self._next() not in ("", "|", ")"):
            found = self._sized(found + self._repeated(self._atom()))
        return found

    def _repeated(self, one: Program) -> Program:
        bounds = self._bounds()
        if bounds is None:
            return one
        self._take("?")  # as few as possible: the same texts match
        if self._next() and self._next() in "*+?{":
            raise self._wrong("a repetition of a repetition")
        least, most = bounds
        if len(one) * (most or least + 1) > PROGRAM_MAX:
            raise self._wrong(f"its repetitions need more than {PROGRAM_MAX} steps")
        found = one * least
        if most is None:
            return [*found, _Split(1, len(one) + 2), *one, _Split(-len(one) - 1, -len(one) - 1)]
        for left in range(most - least, 0, -1):
            found = [*found, _Split(1, left * (len(one) + 1)), *one]
        return self._sized(found)

    def _bounds(self) -> tuple[int, int | None] | None:
        """How often at least and at most (None: without end), when a repetition stands here."""
        for char, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(char):
                return bounds
        if not self._take("{"):
            return None
        least, comma, most = self._upto("}").partition(",")
        if not _digits(least) or (most and not _digits(most)):
            raise self._wrong("a repetition is not {n}, {n,} or {n,m}")
        low = int(least)
        high = low if not comma else int(most) if most else None
        if low > REPEAT_MAX or (high or 0) > REPEAT_MAX or (high is not None and high < low):
            raise self._wrong(f"a repetition is not within 0 to {REPEAT_MAX}")
        return low, high

    def _upto(self, end: str) -> str:
        stop = self._text.find(end, self._at)
        if stop < 0:
            raise self._wrong(f"{end} is missing")
        found, self._at = self._text[self._at : stop], stop + 1
        return found

    def _atom(self) -> Program:
        char = self._next()
        if char in "*+?{":
            raise self._wrong("a repetition of nothing")
        self._at += 1
        match char:
            case "(":
                return self._group()
            case "[":
                return [_Char(self._klass())]
            case "\\":
                return [_Char(self._escape())]
            case ".":
                return [_Char(lambda c: c not in "\n\r")]
            case "^" | "$":
                return [_At(char == "^")]
            case "]" | "}":
                raise self._wrong(f"{char} stands alone; write \\{char}")
            case _:
                return [_Char(char.__eq__)]

    def _group(self) -> Program:
        if self._take("?") and not self._take(":"):
            raise self._wrong("only (?: may follow a (")
        found = self._choice()
        if not self._take(")"):
            raise self._wrong(") is missing")
        return found

    def _escape(self) -> Fits:
        char = self._next()
        self._at += 1
        if char in ("p", "P") and self._take("{"):
            wanted = self._upto("}")
            if not wanted or len(wanted) > 2 or not wanted.isascii() or not wanted.isalpha():  # noqa: PLR2004
                raise self._wrong(f"{wanted[:20]!r} is no category of characters")
            inside: Fits = lambda c: unicodedata.category(c).startswith(wanted)  # noqa: E731
            return inside if char == "p" else _not(inside)
        if char in _CLASSES:
            return _CLASSES[char]
        if char in _CONTROLS:
            return _CONTROLS[char].__eq__
        if not char or char.isalnum():
            raise self._wrong(f"\\{char} means nothing here")
        return char.__eq__

    def _klass(self) -> Fits:
        negated = self._take("^")
        parts: list[Fits] = []
        while not self._take("]") or not parts:
            parts.append(self._member())
        return _not(_any(parts)) if negated else _any(parts)

    def _member(self) -> Fits:
        char = self._next()
        if not char:
            raise self._wrong("] is missing")
        self._at += 1
        if char == "\\":
            if self._next() not in _CONTROLS and self._next().isalnum():
                return self._escape()
            char = _CONTROLS.get(self._next(), self._next())
            self._at += 1
        if self._next() == "-" and self._text[self._at + 1 : self._at + 2] not in ("", "]"):
            self._at += 1
            self._take("\\")
            last = self._next()
            self._at += 1
            if last < char:
                raise self._wrong(f"{char}-{last} goes backwards")
            return lambda c: char <= c <= last
        return char.__eq__


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(PROGRAM_MAX))


def _not(fits: Fits) -> Fits:
    return lambda c: not fits(c)


def _any(parts: Sequence[Fits]) -> Fits:
    return lambda c: any(fits(c) for fits in parts)


def _word(char: str) -> bool:
    return unicodedata.category(char)[0] not in "PZC"


def _initial(char: str) -> bool:
    return char.isalpha() or char in "_:"


_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_CLASSES: dict[str, Fits] = {
    "d": str.isdecimal,
    "D": _not(str.isdecimal),
    "s": lambda c: c in " \t\n\r",
    "S": lambda c: c not in " \t\n\r",
    "w": _word,
    "W": _not(_word),
    "i": _initial,
    "I": _not(_initial),
    "c": lambda c: _initial(c) or c.isdecimal() or c in "-.·",
    "C": lambda c: not (_initial(c) or c.isdecimal() or c in "-.·"),
}
