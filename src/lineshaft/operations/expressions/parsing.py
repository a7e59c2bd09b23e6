"""Tokens to parts, by the grammar of CEL without maps, messages, macros and bytes.

Source: Common Expression Language, language definition, section "Syntax".
"""

from collections.abc import Callable

from lineshaft.operations.expressions.lexing import Sort, Token, tokens
from lineshaft.operations.expressions.limits import DEPTH_MAX, NODES_MAX
from lineshaft.operations.expressions.messages import WrongExpression
from lineshaft.operations.expressions.syntax import (
    Binary,
    Boolean,
    Call,
    Choice,
    Listed,
    Name,
    Number,
    Part,
    Text,
    Unary,
)

RESERVED = frozenset(
    {
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let"),
        *("loop", "package", "namespace", "return", "var", "void", "while", "null"),
    }
)
"""Words of CEL that are no names."""
RELATIONS = frozenset({"<", "<=", ">", ">=", "==", "!=", "in"})


def parse(text: str) -> Part:
    """The parts of the expression.

    Raises:
        WrongExpression: it is no expression, too long, or too deep; the place is told.
    """
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.place = 0
        self.nodes = 0
        self.depth = 0

    # ---- the token at hand

    @property
    def here(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.tokens[self.place]
        self.place += token.sort is not Sort.END
        return token

    def sees(self, *signs: str) -> bool:
        return self.here.sort in (Sort.SIGN, Sort.NAME) and self.here.word in signs

    def expect(self, sign: str) -> Token:
        if not (self.here.sort is Sort.SIGN and self.here.word == sign):
            raise self.unexpected(repr(sign))
        return self.take()

    def unexpected(self, wanted: str, remedy: str = "") -> WrongExpression:
        token = self.here
        came = (
            "the expression ends"
            if token.sort is Sort.END
            else f"unexpected {self.text[token.at : token.end]!r}"
        )
        return WrongExpression(
            self.text, (token.at, token.end), f"{came}, wanted {wanted}", remedy=remedy
        )

    def counted(self, part: Part) -> Part:
        self.nodes += 1
        if self.nodes > NODES_MAX:
            raise WrongExpression(
                self.text,
                (part.at, part.end),
                f"the expression has more than {NODES_MAX} parts",
                remedy="Make parts of it derived points of their own.",
            )
        return part

    # ---- the grammar

    def whole(self) -> Part:
        part = self.expression()
        if self.here.sort is not Sort.END:
            raise self.unexpected("an operator or the end")
        return part

    def expression(self) -> Part:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise WrongExpression(
                self.text,
                (self.here.at, self.here.end),
                f"more than {DEPTH_MAX} parts within parts",
                remedy="Make parts of it derived points of their own.",
            )
        part = self.logical("||", lambda: self.logical("&&", self.relation))
        if self.sees("?"):
            self.take()
            yes = self.logical("||", lambda: self.logical("&&", self.relation))
            self.expect(":")
            no = self.expression()
            part = self.counted(Choice(at=part.at, end=no.end, condition=part, yes=yes, no=no))
        self.depth -= 1
        return part

    def logical(self, operator: str, below: Callable[[], Part]) -> Part:
        """A chain of && or ||, as a balanced tree: it is associative, and stays flat."""
        items, signs = [below()], []
        while self.sees(operator):
            signs.append(self.take().at)
            items.append(below())
        return self.balanced(operator, items, signs)

    def balanced(self, operator: str, items: list[Part], signs: list[int]) -> Part:
        if len(items) == 1:
            return items[0]
        half = (len(items) + 1) // 2
        left = self.balanced(operator, items[:half], signs[: half - 1])
        right = self.balanced(operator, items[half:], signs[half:])
        return self.binary(operator, signs[half - 1], left, right)

    def binary(self, operator: str, sign: int, left: Part, right: Part) -> Part:
        return self.counted(
            Binary(at=left.at, end=right.end, operator=operator, sign=sign, left=left, right=right)
        )

    def relation(self) -> Part:
        part = self.sum()
        while self.sees(*RELATIONS):
            sign = self.take()
            right = self.listed() if sign.word == "in" else self.sum()
            part = self.binary(sign.word, sign.at, part, right)
        return part

    def sum(self) -> Part:
        part = self.product()
        while self.sees("+", "-"):
            sign = self.take()
            part = self.binary(sign.word, sign.at, part, self.product())
        return part

    def product(self) -> Part:
        part = self.unary()
        while self.sees("*", "/", "%"):
            sign = self.take()
            part = self.binary(sign.word, sign.at, part, self.unary())
        return part

    def unary(self) -> Part:
        if not self.sees("!", "-"):
            return self.member()
        first, signs = self.here, []
        while self.sees(first.word):
            signs.append(self.take())
        if self.sees("!", "-"):
            raise self.unexpected("a value", "Put the inner part in brackets.")
        part = self.member()
        # As in CEL, an even number of signs says nothing but what type is wanted.
        for sign in reversed(signs[-2:] if len(signs) % 2 == 0 else signs[-1:]):
            part = self.counted(Unary(at=sign.at, end=part.end, operator=sign.word, operand=part))
        return part

    def member(self) -> Part:
        part = self.primary()
        while self.sees("."):
            dot = self.take()
            if self.here.sort is not Sort.NAME:
                raise self.unexpected("the name of a method")
            name = self.take()
            if not self.sees("("):
                raise WrongExpression(
                    self.text,
                    (dot.at, name.end),
                    f"values have no field {name.word!r}",
                    remedy="Write the path of a point in backquotes: `site/line/machine/point`.",
                )
            args, end = self.arguments()
            part = self.counted(
                Call(at=part.at, end=end, function=name.word, args=(part, *args), method=True)
            )
        if self.sees("["):
            raise self.unexpected("an operator", "Values have no elements.")
        return part

    def primary(self) -> Part:
        token = self.here
        if token.sort is Sort.NUMBER:
            self.take()
            return self.counted(Number(at=token.at, end=token.end, value=token.number))
        if token.sort is Sort.TEXT:
            self.take()
            return self.counted(Text(at=token.at, end=token.end, value=token.word))
        if token.sort is Sort.PATH:
            self.take()
            return self.counted(Name(at=token.at, end=token.end, name=token.word, quoted=True))
        if token.sort is Sort.NAME:
            return self.named()
        if self.sees("("):
            self.take()
            part = self.expression()
            self.expect(")")
            return part
        if self.sees("["):
            raise self.unexpected("a value", "A list stands right of `in` only.")
        raise self.unexpected("a value")

    def named(self) -> Part:
        token = self.here
        if token.word in RESERVED or token.word == "in":
            remedy = "Ask `quality(x) != 'bad'`." if token.word == "null" else ""
            raise self.unexpected("a value", remedy or "The word is reserved by CEL.")
        self.take()
        if token.word in ("true", "false"):
            return self.counted(Boolean(at=token.at, end=token.end, value=token.word == "true"))
        if not self.sees("("):
            return self.counted(Name(at=token.at, end=token.end, name=token.word))
        args, end = self.arguments()
        return self.counted(Call(at=token.at, end=end, function=token.word, args=args))

    def arguments(self) -> tuple[tuple[Part, ...], int]:
        self.expect("(")
        args: list[Part] = []
        while not self.sees(")"):
            args.append(self.expression())
            if not self.sees(","):
                break
            self.take()
        if not self.sees(")"):
            raise self.unexpected("',' or ')'")
        return tuple(args), self.take().end

    def listed(self) -> Part:
        if not self.sees("["):
            raise self.unexpected("a list", "Write x in [1, 2, 3].")
        begin = self.take()
        items: list[Part] = []
        while not self.sees("]"):
            items.append(self.expression())
            if not self.sees(","):
                break
            self.take()
        if not self.sees("]"):
            raise self.unexpected("',' or ']'")
        return self.counted(Listed(at=begin.at, end=self.take().end, items=tuple(items)))
