"""The aggregates by name: one row per interval from the samples of one point."""

from collections.abc import Sequence

from lineshaft.core.batch import Ints, Mask
from lineshaft.historian.aggregates import Function
from lineshaft.historian.aggregates.series import Configuration, Rows, Series


def compute(
    function: Function,
    samples: Series,
    intervals: Ints,
    configuration: Configuration,
    *,
    partial: Mask | None = None,
) -> Rows:
    """One aggregate; see `compute_each`."""
    return compute_each((function,), samples, intervals, configuration, partial=partial)[0]


def compute_each(
    functions: Sequence[Function],
    samples: Series,
    intervals: Ints,
    configuration: Configuration,
    *,
    partial: Mask | None = None,
) -> list[Rows]:
    """Rows of each function over the same intervals; cheaper than one call for each.

    `intervals` (k, 2): start and end in nanoseconds. Each holds its start and not its end; one
    whose start is later than its end runs backwards. They may lie in any order and overlap.
    `partial` (k,) marks those that were cut short, whose rows then say so.

    Raises:
        Invalid: start and end are equal, the configuration is refused, or a function that
            calculates with values was asked of texts.
    """
    raise NotImplementedError
