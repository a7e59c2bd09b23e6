"""PromQL to a tree of what we can answer; what we cannot is refused by its name."""

import contextlib
import datetime as dt
import enum
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import promql_parser as pp

from lineshaft.core.errors import Invalid

TEXT_CHARS_MAX = 20_000
NESTED_MAX = 200
"""Operators and brackets in one expression: each may nest, and the parser's stack is finite."""

_STRINGS = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`|#[^\n]*', re.DOTALL)
_NESTING = re.compile(r"[-+*/%^<>(\[{]|[=!]=|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)


class Match(enum.Enum):
    """How a label is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """Any part of an expression."""


class Matcher(Node, frozen=True, kw_only=True):
    """What one label must be."""

    name: str
    match: Match
    value: str


class At(Node, frozen=True, kw_only=True):
    """Where in time a part is evaluated, if not at the step: `@` and `offset`."""

    fixed: str = ""
    """`start`, `end` or `at` (then `time_ns`); empty is the step itself."""
    time_ns: int = 0
    offset_ns: int = 0


class Number(Node, frozen=True, kw_only=True):
    """A scalar."""

    value: float


class Text(Node, frozen=True, kw_only=True):
    """A string."""

    value: str


class Selector(Node, frozen=True, kw_only=True):
    """The newest sample of each series that matches."""

    matchers: tuple[Matcher, ...]
    at: At = At()


class Range(Node, frozen=True, kw_only=True):
    """All samples of a span of each series that matches: `x[5m]`."""

    selector: Selector
    range_ns: int


class Subquery(Node, frozen=True, kw_only=True):
    """An expression evaluated at many times: `expr[1h:1m]`."""

    expr: Node
    range_ns: int
    step_ns: int
    """0 stands for the default."""
    at: At = At()


class Call(Node, frozen=True, kw_only=True):
    """A function."""

    function: str
    args: tuple[Node, ...]


class Negate(Node, frozen=True, kw_only=True):
    """`-expr`."""

    expr: Node


class Aggregate(Node, frozen=True, kw_only=True):
    """Series made one by group: `sum by (line) (expr)`."""

    operator: str
    expr: Node
    parameter: Node | None
    labels: tuple[str, ...]
    without: bool


class Binary(Node, frozen=True, kw_only=True):
    """Two sides and what is between them."""

    operator: str
    left: Node
    right: Node
    on: bool
    """Whether `labels` are those that are compared, or those that are not."""
    labels: tuple[str, ...]
    many: str
    """Which side may have several series per group: `left`, `right` or neither."""
    include: tuple[str, ...]
    """Labels of the single side that the answer takes over."""
    as_bool: bool


OVER_RANGE = frozenset(
    {
        *("rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear"),
        *("changes", "resets", "last_over_time", "present_over_time", "count_over_time"),
        *("avg_over_time", "min_over_time", "max_over_time", "sum_over_time"),
        *("stddev_over_time", "stdvar_over_time", "quantile_over_time"),
    }
)
"""Functions of a span of samples."""
ELEMENTWISE = frozenset(
    {
        *("abs", "ceil", "floor", "round", "sgn", "clamp", "clamp_min", "clamp_max"),
        *("ln", "log2", "log10", "exp", "sqrt"),
    }
)
"""Functions of one value."""
OTHERS = frozenset({"scalar", "vector", "time", "timestamp", "absent", "sort", "sort_desc"})
AGGREGATES = frozenset(
    {
        *("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"),
        *("topk", "bottomk", "quantile"),
    }
)
COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SETS = frozenset({"and", "or", "unless"})
ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^", "atan2"})


def parse(text: str) -> Node:
    """The expression.

    Raises:
        Invalid: it is no PromQL, or a part of it that is not answered here.
    """
    try:
        with _calm():
            return _node(parsed(text))
    except (OverflowError, ValueError):
        raise Invalid("the expression holds a time that is too far away to be one") from None


def parsed(text: str) -> Any:  # noqa: ANN401 - the parser has no base with attributes
    """The parser's own tree, of a text that cannot hurt it.

    Raises:
        Invalid: it is no PromQL, too long, or nested too deep.
    """
    nested = len(_NESTING.findall(_STRINGS.sub("''", text)))
    if len(text) > TEXT_CHARS_MAX or nested > NESTED_MAX:
        raise Invalid(
            f"the expression has {len(text)} characters and {nested} operators and brackets,"
            f" wanted at most {TEXT_CHARS_MAX} and {NESTED_MAX}",
            remedy="Ask in several queries, or match series by a regular expression.",
        )
    try:
        with _calm():
            return pp.parse(text)
    except ValueError as error:
        raise Invalid(f"invalid expression: {error}") from None


@contextlib.contextmanager
def _calm() -> Iterator[None]:
    """The parser panics at some times that are too far away; a panic is no `Exception`."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Invalid(f"invalid expression: {error}") from None


def _node(e: Any) -> Node:  # noqa: ANN401
    make = _MAKERS.get(type(e))
    if make is None:
        raise Invalid(f"{e} is not answered here")
    return make(e)  # type: ignore[no-any-return]


def _ns(delta: dt.timedelta | None) -> int:
    if delta is None:
        return 0
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000


def _at(e: Any) -> At:  # noqa: ANN401
    offset = _ns(e.offset)
    if e.at is None:
        return At(offset_ns=offset)
    if e.at.type == pp.AtModifierType.At:
        time_ns = _ns(e.at.at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
        return At(fixed="at", time_ns=time_ns, offset_ns=offset)
    start = e.at.type == pp.AtModifierType.Start
    return At(fixed="start" if start else "end", offset_ns=offset)


def _selector(e: Any) -> Selector:  # noqa: ANN401
    if e.matchers.or_matchers:
        raise Invalid(
            "`or` between matchers is not answered here",
            remedy="Join two selectors with `or`, or use a regular expression.",
        )
    named = () if e.name is None else (Matcher(name="__name__", match=Match.EQUAL, value=e.name),)
    rest = (
        Matcher(name=m.name, match=_MATCHES[str(m.op)], value=m.value) for m in e.matchers.matchers
    )
    return Selector(matchers=(*named, *rest), at=_at(e))


def _call(e: Any) -> Call:  # noqa: ANN401
    name = e.func.name
    if name not in OVER_RANGE | ELEMENTWISE | OTHERS:
        known = ", ".join(sorted(OVER_RANGE | ELEMENTWISE | OTHERS))
        raise Invalid(f"the function {name}() is not answered here", remedy=f"These are: {known}.")
    return Call(function=name, args=tuple(_node(a) for a in e.args))


def _aggregate(e: Any) -> Aggregate:  # noqa: ANN401
    name = str(e.op)
    if name not in AGGREGATES:
        raise Invalid(
            f"the aggregation {name}() is not answered here",
            remedy=f"These are: {', '.join(sorted(AGGREGATES))}.",
        )
    return Aggregate(
        operator=name,
        expr=_node(e.expr),
        parameter=None if e.param is None else _node(e.param),
        labels=tuple(e.modifier.labels) if e.modifier else (),
        without=bool(e.modifier) and bool(e.modifier.type == pp.AggModifierType.Without),
    )


def _binary(e: Any) -> Binary:  # noqa: ANN401
    m = e.modifier
    matching = m.matching if m else None
    if m and (m.fill_values.lhs is not None or m.fill_values.rhs is not None):
        raise Invalid("fill of missing series is not answered here")
    operator = str(e.op).lower()
    if operator not in COMPARISONS | SETS | ARITHMETIC:
        raise Invalid(f"the operator {operator} is not answered here")
    many = ""
    if m and m.card == pp.VectorMatchCardinality.ManyToOne:
        many = "left"
    elif m and m.card == pp.VectorMatchCardinality.OneToMany:
        many = "right"
    return Binary(
        operator=operator,
        left=_node(e.lhs),
        right=_node(e.rhs),
        on=matching is not None and matching.type == pp.LabelModifierType.Include,
        labels=tuple(matching.labels) if matching else (),
        many=many,
        include=tuple(m.group_labels or ()) if m else (),
        as_bool=bool(m and m.return_bool),
    )


_MATCHES = {
    "MatchOp.Equal": Match.EQUAL,
    "MatchOp.NotEqual": Match.NOT_EQUAL,
    "MatchOp.Re": Match.REGEX,
    "MatchOp.NotRe": Match.NOT_REGEX,
}
_MAKERS: dict[type, Any] = {
    pp.NumberLiteral: lambda e: Number(value=e.val),
    pp.StringLiteral: lambda e: Text(value=e.val),
    pp.ParenExpr: lambda e: _node(e.expr),
    pp.UnaryExpr: lambda e: Negate(expr=_node(e.expr)),
    pp.VectorSelector: _selector,
    pp.MatrixSelector: lambda e: Range(
        selector=_selector(e.vector_selector), range_ns=_ns(e.range)
    ),
    pp.SubqueryExpr: lambda e: Subquery(
        expr=_node(e.expr), range_ns=_ns(e.range), step_ns=_ns(e.step), at=_at(e)
    ),
    pp.Call: _call,
    pp.AggregateExpr: _aggregate,
    pp.BinaryExpr: _binary,
}
