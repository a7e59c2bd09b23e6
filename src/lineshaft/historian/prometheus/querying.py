"""A query from text to values: parse, read, evaluate."""

import asyncio
from collections.abc import Sequence

import msgspec
import numpy as np

from lineshaft.core.access import Identity
from lineshaft.core.batch import Ints
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Point
from lineshaft.historian.namespace import Namespace
from lineshaft.historian.prometheus import syntax
from lineshaft.historian.prometheus.catalogue import Catalogue
from lineshaft.historian.prometheus.evaluate import Evaluator, Matrix, Value
from lineshaft.historian.prometheus.loading import Limits, Loader, Span, needs
from lineshaft.historian.prometheus.syntax import Matcher, Selector
from lineshaft.stores import Store

STEPS_MAX = 11_000
"""Steps of one query; the same as in Prometheus."""
TOGETHER_MAX = 4
"""Queries that are worked on at the same time; others wait. It bounds the memory."""


class Answer(msgspec.Struct, frozen=True):
    """What came of a query."""

    value: Value
    at_ns: Ints


class Queries:
    """Answers queries over the points of the namespace."""

    def __init__(
        self, store: Store, namespace: Namespace, *, lookback_s: float, samples_max: int
    ) -> None:
        self.catalogue = Catalogue(namespace)
        self.limits = Limits(lookback_ns=round(lookback_s * NS_PER_S), samples_max=samples_max)
        self._loader = Loader(store, self.catalogue)
        self._together = asyncio.Semaphore(TOGETHER_MAX)

    async def instant(
        self, text: str, who: Identity, at_ns: int, *, lookback_ns: int | None = None
    ) -> Answer:
        """The expression at one time.

        Raises:
            Invalid: the expression is wrong, or not answered here.
            Refused: series do not fit each other, or it costs too much.
        """
        return await self._answer(syntax.parse(text), who, np.array([at_ns]), lookback_ns)

    async def steps(
        self, text: str, who: Identity, at_ns: Ints, *, lookback_ns: int | None = None
    ) -> Answer:
        """The expression at many times, as a vector or a scalar.

        Raises:
            Invalid: the expression is wrong, or not answered here.
            Refused: series do not fit each other, or it costs too much.
        """
        node = syntax.parse(text)
        if isinstance(node, syntax.Text | syntax.Range | syntax.Subquery):
            word = "string" if isinstance(node, syntax.Text) else "range vector"
            raise Invalid(
                f'invalid expression type "{word}" for range query, must be Scalar or instant'
                " Vector"
            )
        return await self._answer(node, who, at_ns, lookback_ns)

    async def _answer(
        self, node: syntax.Node, who: Identity, at_ns: Ints, lookback_ns: int | None
    ) -> Answer:
        limits = self.limits
        if lookback_ns is not None:
            limits = msgspec.structs.replace(limits, lookback_ns=lookback_ns)
        first, last = int(at_ns[0]), int(at_ns[-1])
        span = Span(first_ns=first, last_ns=last, start_ns=first, end_ns=last)
        wanted = list(needs(node, span, limits))
        async with self._together:
            loaded = await self._loader.load(wanted, who, limits, steps=len(at_ns))
            evaluator = Evaluator(loaded, limits, at_ns, start_ns=first, end_ns=last)
            return Answer(await asyncio.to_thread(evaluator.value, node), at_ns)

    async def series(
        self, selectors: Sequence[str], who: Identity
    ) -> list[tuple[Point, dict[str, str]]]:
        """Points that match one of the selectors, in the order of their paths; all when empty.

        Raises:
            Invalid: a selector is none.
        """
        found: dict[str, tuple[Point, dict[str, str]]] = {}
        for matchers in [_matchers(s) for s in selectors] or [()]:
            for point, labels in await self.catalogue.find(matchers, who):
                found[point.path] = (point, labels)
        return [found[path] for path in sorted(found)]


def _matchers(text: str) -> tuple[Matcher, ...]:
    node = syntax.parse(text)
    if not isinstance(node, Selector) or node.at != syntax.At():
        raise Invalid(f"{text!r} is not a series selector")
    return node.matchers


__all__ = ["Answer", "Matrix", "Queries"]
