"""The tree of an expression to values, for all steps at once."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from lineshaft.core.batch import Floats, Ints
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid, Refused
from lineshaft.core.flow import assert_off_loop
from lineshaft.historian.prometheus import binary, syntax, windows
from lineshaft.historian.prometheus.aggregate import aggregate
from lineshaft.historian.prometheus.frame import Frame, Rows, some
from lineshaft.historian.prometheus.loading import Limits, Loaded, Span, need
from lineshaft.historian.prometheus.syntax import Match, Node, Selector

WINDOW_SAMPLES = 10
"""Samples in overlapping windows, as multiple of those that may be read: they cost time only."""


class Matrix(msgspec.Struct, frozen=True):
    """Samples of series over a range: what `x[5m]` is, without being evaluated yet."""

    series: list[tuple[dict[str, str], Ints, Floats]]
    at_ns: Ints
    """(k,) where each window ends; (1,) when it is the same at all steps."""
    range_ns: int


Value = Frame | Floats | str | Matrix
"""A vector, a scalar (k,), a string, a range."""


class Evaluator:
    """Evaluates over one row of steps."""

    def __init__(
        self, loaded: Loaded, limits: Limits, at_ns: Ints, *, start_ns: int, end_ns: int
    ) -> None:
        self._loaded = loaded
        self._limits = limits
        self._at_ns = at_ns
        self._span = Span(
            first_ns=int(at_ns[0]), last_ns=int(at_ns[-1]), start_ns=start_ns, end_ns=end_ns
        )

    def value(self, node: Node) -> Value:
        """What the node is at each step.

        Raises:
            Invalid: it cannot be evaluated.
            Refused: series do not fit each other, or it costs too much.
        """
        assert_off_loop()
        with np.errstate(all="ignore"):  # infinity and NaN are answers
            return self._value(node)

    def _value(self, node: Node) -> Value:  # noqa: PLR0911 - one for each sort of node
        match node:
            case syntax.Number():
                return np.full(len(self._at_ns), node.value)
            case syntax.Text():
                return node.value
            case Selector():
                return self._selected(node)[0]
            case syntax.Range() | syntax.Subquery():
                return self._range(node)
            case syntax.Negate():
                return self._negated(node)
            case syntax.Call():
                return self._called(node)
            case syntax.Aggregate():
                parameter = None if node.parameter is None else self._scalar(node.parameter)
                return aggregate(node, self._vector(node.expr), parameter)
            case syntax.Binary():
                return self._binary(node)
            case _:
                raise Invalid(f"{type(node).__name__} has no value of its own")

    def _vector(self, node: Node) -> Frame:
        found = self._value(node)
        if not isinstance(found, Frame):
            raise Invalid(f"expected an instant vector, got {_word(found)}")
        return found

    def _scalar(self, node: Node) -> Floats:
        found = self._value(node)
        if not isinstance(found, np.ndarray):
            raise Invalid(f"expected a scalar, got {_word(found)}")
        return found

    # ---- reading samples

    def _steps(self, at: syntax.At) -> Ints:
        """Where in time a part with this modifier is evaluated; one place when it is fixed."""
        if at.fixed:
            return np.array([self._span.moved(at)[0]], dtype=np.int64)
        return self._at_ns - at.offset_ns

    def _selected(self, node: Selector) -> tuple[Frame, Floats]:
        """The newest samples, and when each was, in seconds."""
        lookback = self._limits.lookback_ns
        at_ns = self._steps(node.at)
        out, times = Rows(len(self._at_ns)), []
        for series in self._loaded[need(node, self._span, lookback)]:
            place = np.searchsorted(series.time_ns, at_ns, side="right") - 1
            safe = np.maximum(place, 0)
            fresh = series.time_ns[safe] >= at_ns - lookback
            present = (place >= 0) & fresh & series.live[safe]
            if present.any():
                shape = len(self._at_ns)
                out.add(
                    series.labels,
                    np.broadcast_to(series.value[safe], shape),
                    np.broadcast_to(present, shape),
                )
                times.append(np.broadcast_to(_seconds(series.time_ns[safe]), shape))
        frame = out.frame()
        return frame, np.array(times).reshape(frame.value.shape)

    def _range(self, node: syntax.Range | syntax.Subquery) -> Matrix:
        if isinstance(node, syntax.Subquery):
            return self._subquery(node)
        series = self._loaded[need(node.selector, self._span, node.range_ns)]
        return Matrix(
            [(s.labels, s.time_ns[s.live], s.value[s.live]) for s in series],
            self._steps(node.selector.at),
            node.range_ns,
        )

    def _subquery(self, node: syntax.Subquery) -> Matrix:
        inner, step = self._span.inner(node)
        at_ns = np.arange(inner.first_ns, inner.last_ns + 1, step, dtype=np.int64)
        series = []
        if len(at_ns):
            evaluator = Evaluator(
                self._loaded,
                self._limits,
                at_ns,
                start_ns=self._span.start_ns,
                end_ns=self._span.end_ns,
            )
            frame = evaluator._vector(node.expr)
            if frame.value.size > self._limits.samples_max:
                raise Refused("a subquery makes too many samples", remedy="Widen its step.")
            series = [
                (labels, at_ns[frame.present[i]], frame.value[i][frame.present[i]])
                for i, labels in enumerate(frame.labels)
            ]
        return Matrix(series, self._steps(node.at), node.range_ns)

    # ---- functions

    def _called(self, node: syntax.Call) -> Value:
        if node.function in syntax.OVER_RANGE:
            return self._over_range(node)
        if node.function in syntax.ELEMENTWISE:
            vector = self._vector(node.args[0])
            more = [self._scalar(a) for a in node.args[1:]]
            value = _ELEMENTWISE[node.function](vector.value, *more)
            present = vector.present
            if node.function == "clamp":
                present = present & (more[0] <= more[1])
            return Frame(vector.labels, value, present).without_name()
        return self._other(node.function, node.args)

    def _other(self, function: str, args: tuple[Node, ...]) -> Value:
        match function:
            case "time":
                return _seconds(self._at_ns)
            case "scalar":
                return self._to_scalar(args[0])
            case "vector":
                value = self._scalar(args[0])[None, :]
                return Frame([{}], value, np.ones(value.shape, dtype=bool))
            case "timestamp":
                return self._timestamp(args[0])
            case "absent":
                return self._absent(args[0])
            case _:
                return self._sorted(args[0], descending=function == "sort_desc")

    def _over_range(self, node: syntax.Call) -> Frame:
        args = list(node.args)
        share = self._scalar(args.pop(0)) if node.function == "quantile_over_time" else None
        matrix = self._value(args.pop(0))
        if not isinstance(matrix, Matrix):
            raise Invalid(f"{node.function}() expected a range, got {_word(matrix)}")
        parameter = self._scalar(args[0]) if args else share
        steps = len(self._at_ns)
        out, budget = Rows(steps), self._limits.samples_max * WINDOW_SAMPLES
        for labels, time_ns, value in matrix.series:
            made, full = windows.windows(time_ns, value, matrix.at_ns, matrix.range_ns)
            budget -= int(made.count.sum())
            if budget < 0:
                raise Refused(
                    f"the windows of {node.function}() overlap so much that they hold too many"
                    " samples",
                    remedy="Shorten the range, or widen the step.",
                )
            if full.any():
                found, mask = _windowed(node.function, made, parameter, full)
                values, present = np.full(len(full), np.nan), np.zeros(len(full), dtype=bool)
                values[full], present[full] = found, mask
                if present.any():
                    out.add(labels, np.broadcast_to(values, steps), np.broadcast_to(present, steps))
        frame = out.frame()
        return frame if node.function == "last_over_time" else frame.without_name()

    def _to_scalar(self, arg: Node) -> Floats:
        vector = self._vector(arg)
        value = np.where(vector.present, vector.value, 0.0).sum(axis=0)
        return np.where(vector.present.sum(axis=0) == 1, value, np.nan)

    def _timestamp(self, arg: Node) -> Frame:
        if isinstance(arg, Selector):
            frame, times = self._selected(arg)
        else:
            frame = self._vector(arg)
            times = np.broadcast_to(_seconds(self._at_ns), frame.value.shape)
        return Frame(frame.labels, times, frame.present).without_name()

    def _absent(self, arg: Node) -> Frame:
        present = some(self._vector(arg).present)
        labels: dict[str, str] = {}
        if isinstance(arg, Selector):
            names = [m.name for m in arg.matchers]
            labels = {
                m.name: m.value
                for m in arg.matchers
                if m.match is Match.EQUAL
                and m.value
                and m.name != "__name__"
                and names.count(m.name) == 1
            }
        return Frame([labels], np.ones((1, len(present))), ~present[None, :])

    def _sorted(self, arg: Node, *, descending: bool) -> Frame:
        """In the order of the values at the first step; only a single step shows it."""
        vector = self._vector(arg)
        if not len(vector.labels):
            return vector
        first = -vector.value[:, 0] if descending else vector.value[:, 0]
        order = np.argsort(first, kind="stable")  # NaN last
        labels = [vector.labels[i] for i in order]
        return Frame(labels, vector.value[order], vector.present[order])

    # ---- operators

    def _negated(self, node: syntax.Negate) -> Value:
        found = self._value(node.expr)
        if isinstance(found, Frame):
            return Frame(found.labels, -found.value, found.present).without_name()
        if isinstance(found, np.ndarray):
            return -found
        raise Invalid(f"{_word(found)} has no negative")

    def _binary(self, node: syntax.Binary) -> Value:
        left, right = self._value(node.left), self._value(node.right)
        if isinstance(left, Frame) and isinstance(right, Frame):
            if node.operator in syntax.SETS:
                return binary.sets(node, left, right)
            return binary.vectors(node, left, right)
        if isinstance(left, Frame) and isinstance(right, np.ndarray):
            return binary.with_scalar(node, left, right, vector_left=True)
        if isinstance(left, np.ndarray) and isinstance(right, Frame):
            return binary.with_scalar(node, right, left, vector_left=False)
        if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
            return binary.scalars(node, left, right)
        raise Invalid(f"{_word(left)} {node.operator} {_word(right)} cannot be")


def _windowed(
    function: str,
    made: windows.Windows,
    parameter: Floats | None,
    full: Any,  # noqa: ANN401
) -> windows.Answer:
    if parameter is None:
        return windows.FUNCTIONS[function](made)
    at = np.broadcast_to(parameter[:1], full.shape) if len(full) != len(parameter) else parameter
    of = windows.quantiles if function == "quantile_over_time" else windows.predicted
    return of(made, at[full])


def _word(value: Value) -> str:
    match value:
        case Frame():
            return "an instant vector"
        case str():
            return "a string"
        case Matrix():
            return "a range vector"
        case _:
            return "a scalar"


def _seconds(time_ns: Ints) -> Floats:
    """Seconds since the epoch; whole ones apart, since ns do not fit into a float64."""
    return time_ns // NS_PER_S + time_ns % NS_PER_S / NS_PER_S


def _rounded(value: Floats, nearest: Floats | None = None) -> Floats:
    inverse = 1.0 if nearest is None else 1.0 / nearest
    return np.floor(value * inverse + 0.5) / inverse


_ELEMENTWISE: dict[str, Callable[..., Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "round": _rounded,
    "clamp": lambda v, low, high: np.maximum(low, np.minimum(high, v)),
    "clamp_min": np.maximum,
    "clamp_max": np.minimum,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "sgn": np.sign,
}
