"""An expression, compiled: what it reads, what it gives, and the ways to evaluate it."""

from collections.abc import Mapping

from lineshaft.core.batch import Ints
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Point
from lineshaft.operations.expressions import dimensions
from lineshaft.operations.expressions.building import TYPES
from lineshaft.operations.expressions.checking import check
from lineshaft.operations.expressions.columns import Column
from lineshaft.operations.expressions.evaluator import Evaluator, Plan
from lineshaft.operations.expressions.kernels import evaluate
from lineshaft.operations.expressions.limits import EVERY_NS_MIN, TICKS_MAX
from lineshaft.operations.expressions.messages import WrongExpression
from lineshaft.operations.expressions.parsing import parse
from lineshaft.operations.expressions.results import Result, result
from lineshaft.operations.expressions.run import Marks, Run
from lineshaft.operations.expressions.sql import Span, to_sql
from lineshaft.operations.expressions.tails import LONG_AGO, Samples, ready
from lineshaft.operations.expressions.tree import (
    Apply,
    Input,
    Node,
    Timed,
    Type,
    children,
    lookback_ns,
    reach_ns,
    ticks_of,
)

EVERY_NS = 1_000_000_000
"""The grid of expressions that change without a sample, unless another is asked for."""


class Expression:
    """One expression over points; immutable, safe to share."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.reach_ns = _reach(plan)
        """How long after an input's value was replaced it still shows; None: without bound.

        A row is held until the next one, so on a grid it takes a step more; without a grid what
        changes with time alone has no next row to rely on.
        """

    def __repr__(self) -> str:
        return f"Expression({self.text!r}, every_ns={self.every_ns})"

    @property
    def text(self) -> str:
        """As it was written."""
        return self.plan.text

    @property
    def inputs(self) -> tuple[Point, ...]:
        """The points that it reads."""
        return self.plan.points

    @property
    def type(self) -> Type:
        """What its values are."""
        return self.plan.root.type

    @property
    def unit(self) -> str:
        """UCUM code of its values; empty when they have none."""
        return self.plan.root.unit

    @property
    def every_ns(self) -> int:
        """The grid on which it is looked at besides the times of samples; 0 for none."""
        return self.plan.every_ns

    @property
    def lookback_ns(self) -> int:
        """How long before a row its windows begin.

        History is read from so long before, with the last sample before that; `prev` and `changed`
        need one more, `increase` the last usable one, `duration` the beginning of what lasts.
        """
        return lookback_ns(self.plan.root)

    def evaluator(self, lateness_ns: int = 0) -> Evaluator:
        """A new evaluator, which knows of no sample yet."""
        return Evaluator(self.plan, lateness_ns)

    def over(self, columns: Mapping[str, Samples], start_ns: int, stop_ns: int) -> Result:
        """The rows in [`start_ns`, `stop_ns`), from the history of each input, by path.

        The same rows as an evaluator gives that saw these samples, bit for bit. History reaches
        back as far as the expression does: to the last sample before the window of `start_ns`.

        Raises:
            Invalid: an input is missing, or columns do not fit.
        """
        points, types = self.plan.points, self.plan.types
        missing = [p.path for p in points if p.path not in columns]
        if missing:
            raise Invalid(f"no columns for {missing}", remedy="Give one for each of `inputs`.")
        rows = [ready(columns[p.path], t, p.path) for p, t in zip(points, types, strict=True)]
        ends = [int(r.time[-1]) for r in rows if len(r.time)]
        end_ns = min(stop_ns - 1, max(ends, default=LONG_AGO))
        run = Run(rows, Marks({}, {}), self.every_ns, end_ns)
        times = run.times(self.plan.root, start_ns - 1, end_ns)
        return result(times, run.at(self.plan.root, times), self.type)

    def sql(self, start_ns: int, stop_ns: int, *, since_ns: int) -> str:
        """One SELECT over the view `samples` with the rows in [`start_ns`, `stop_ns`).

        It reads samples from `since_ns` on, in DuckDB's dialect, and gives time_ns, value and
        quality: what `over` gives of the same samples, except that DuckDB adds up in another
        order: `avg`, `sum` and `increase` may differ in the last digit.

        Raises:
            Invalid: it holds `mean`, `stddev`, a power, exponent or logarithm, letters made small
                or large, or the clock of a time zone: evaluate with `over`.
        """
        points = tuple(zip((p.path for p in self.plan.points), self.plan.types, strict=True))
        return to_sql(self.plan.root, points, self.every_ns, Span(since_ns, start_ns, stop_ns))

    def rows(self, times: Ints, columns: Mapping[str, Column]) -> Column:
        """The values for inputs that are aligned already, by path: nothing looks back here.

        Raises:
            Invalid: the expression does look back, so that it needs `over` or an evaluator.
        """
        if looks_back(self.plan.root):
            raise Invalid(
                f"{self.text!r} looks back in time", remedy="Use an evaluator, or over()."
            )
        paths = [p.path for p in self.plan.points]

        def leaf(node: Node) -> Column:
            return columns[paths[node.number]] if isinstance(node, Input) else Column(times)

        return evaluate(self.plan.root, leaf)


def _reach(plan: Plan) -> int | None:
    reach = reach_ns(plan.root, plan.every_ns)
    if reach is None or not plan.root.clocked:
        return reach
    return reach + plan.every_ns if plan.every_ns else None


def looks_back(node: Node) -> bool:
    """Whether it holds a function that needs more than the values of one time."""
    return isinstance(node, Timed) or any(looks_back(child) for child in children(node))


def compile_expression(
    text: str,
    names: Mapping[str, Point],
    *,
    wants: Type | None = None,
    unit: str = "",
    every_ns: int | None = None,
) -> Expression:
    """Compile an expression over the points that `names` knows, by short name and by path.

    `wants` is the type that it must have, `unit` the one that its values are converted to.
    `every_ns` is the grid; None takes a second where the expression changes without a sample
    (windows, `duration`, `stale`, `time`), else none.

    Raises:
        WrongExpression: the text is no expression over these points; the place is told.
    """
    root, points = check(text, parse(text), names)
    whole = (0, len(text))
    if not points:
        raise WrongExpression(text, whole, "the expression names no point", remedy="Name one.")
    if wants is not None and root.type is not wants:
        raise WrongExpression(
            text,
            whole,
            f"the expression gives a {root.type.value}, wanted a {wants.value}",
            remedy="Compare it with something." if wants is Type.BOOL else "",
        )
    if unit and root.unit and root.type is Type.DOUBLE:
        found = dimensions.conversion(root.unit, unit)
        if found is None:
            message = f"the expression gives {root.unit!r}, wanted {unit!r}"
            raise WrongExpression(text, whole, message, remedy="Divide or convert.")
        root = _in_unit(root, found, unit)
    return Expression(
        Plan(
            text=text,
            root=root,
            points=points,
            types=tuple(TYPES[p.kind] for p in points),
            every_ns=_grid(text, root, every_ns),
        )
    )


def _in_unit(root: Node, factors: tuple[float, float], unit: str) -> Node:
    if factors == (1.0, 0.0):
        return root
    return Apply(
        op="scale",
        type=root.type,
        unit=unit,
        args=(root,),
        settings=factors,
        inputs=root.inputs,
        clocked=root.clocked,
    )


def _grid(text: str, root: Node, every_ns: int | None) -> int:
    if not root.clocked:
        return 0
    every_ns = EVERY_NS if every_ns is None else every_ns
    if every_ns and every_ns < EVERY_NS_MIN:
        raise WrongExpression(
            text, (0, len(text)), f"a grid of {every_ns} ns", remedy="Take 10 ms or more."
        )
    if every_ns and _ticks(root, every_ns) > TICKS_MAX:
        raise WrongExpression(
            text,
            (0, len(text)),
            f"windows within others hold more than {TICKS_MAX} times of the grid together",
            remedy="Take a coarser grid, or make the inner part a derived point of its own.",
        )
    return every_ns


def _ticks(node: Node, every_ns: int) -> int:
    """Times of the grid in all windows over what changes with time alone."""
    own = ticks_of(node, every_ns) if isinstance(node, Timed) else 0
    return own + sum(_ticks(child, every_ns) for child in children(node))
