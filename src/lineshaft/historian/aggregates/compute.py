"""The aggregates by name: one row per interval from the samples of one point."""

from collections.abc import Callable, Sequence

import numpy as np

from lineshaft.core.batch import Ints, Mask
from lineshaft.core.errors import Invalid
from lineshaft.historian.aggregates import Function, bounds, extremes, time, values
from lineshaft.historian.aggregates.frame import Frame, checked
from lineshaft.historian.aggregates.series import (
    BAD_NO_DATA,
    DATA_VALUE,
    Configuration,
    Rows,
    Series,
)

_BY_NAME: dict[Function, Callable[[Frame], Rows]] = {
    Function.INTERPOLATIVE: bounds.interpolative,
    Function.AVERAGE: values.average,
    Function.TIME_AVERAGE: time.time_average,
    Function.TIME_AVERAGE_2: time.time_average_2,
    Function.TOTAL: time.total,
    Function.TOTAL_2: time.total_2,
    Function.MINIMUM: extremes.minimum,
    Function.MAXIMUM: extremes.maximum,
    Function.MINIMUM_ACTUAL_TIME: extremes.minimum_actual_time,
    Function.MAXIMUM_ACTUAL_TIME: extremes.maximum_actual_time,
    Function.RANGE: extremes.range_,
    Function.MINIMUM_2: extremes.minimum_2,
    Function.MAXIMUM_2: extremes.maximum_2,
    Function.MINIMUM_ACTUAL_TIME_2: extremes.minimum_actual_time_2,
    Function.MAXIMUM_ACTUAL_TIME_2: extremes.maximum_actual_time_2,
    Function.RANGE_2: extremes.range_2,
    Function.COUNT: values.count,
    Function.ANNOTATION_COUNT: values.annotation_count,
    Function.DURATION_IN_STATE_ZERO: time.duration_in_state_zero,
    Function.DURATION_IN_STATE_NON_ZERO: time.duration_in_state_non_zero,
    Function.NUMBER_OF_TRANSITIONS: values.number_of_transitions,
    Function.START: values.start,
    Function.END: values.end,
    Function.DELTA: values.delta,
    Function.START_BOUND: bounds.start_bound,
    Function.END_BOUND: bounds.end_bound,
    Function.DELTA_BOUNDS: bounds.delta_bounds,
    Function.DURATION_GOOD: time.duration_good,
    Function.DURATION_BAD: time.duration_bad,
    Function.PERCENT_GOOD: time.percent_good,
    Function.PERCENT_BAD: time.percent_bad,
    Function.WORST_QUALITY: values.worst_quality,
    Function.WORST_QUALITY_2: values.worst_quality_2,
    Function.STANDARD_DEVIATION_POPULATION: values.standard_deviation_population,
    Function.VARIANCE_POPULATION: values.variance_population,
    Function.STANDARD_DEVIATION_SAMPLE: values.standard_deviation_sample,
    Function.VARIANCE_SAMPLE: values.variance_sample,
}

FOR_TEXTS = frozenset(
    {
        Function.INTERPOLATIVE,
        Function.START,
        Function.END,
        Function.START_BOUND,
        Function.END_BOUND,
        Function.COUNT,
        Function.ANNOTATION_COUNT,
        Function.NUMBER_OF_TRANSITIONS,
        Function.DURATION_GOOD,
        Function.DURATION_BAD,
        Function.PERCENT_GOOD,
        Function.PERCENT_BAD,
        Function.WORST_QUALITY,
        Function.WORST_QUALITY_2,
    }
)
"""What does not calculate with values. Interpolative, Start, End and the bounds give back the
number that stands for the text."""


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
    configuration.check()
    table = checked(intervals)
    if samples.texts:
        refused = [f.value for f in functions if f not in FOR_TEXTS]
        if refused:
            raise Invalid(
                f"{', '.join(refused)} cannot be taken of texts",
                remedy=f"For texts there are {', '.join(sorted(f.value for f in FOR_TEXTS))}.",
            )
    if not len(samples.time_ns):
        return [_nothing(table) for _ in functions]
    # Infinities of a device make NaN here and there, which is what they are worth.
    with np.errstate(all="ignore"):
        frame = Frame(samples, table, configuration, partial)
        return [_row(function, frame) for function in functions]


def _row(function: Function, frame: Frame) -> Rows:
    found = _BY_NAME[function](frame)
    if function is Function.INTERPOLATIVE or not frame.outside.any():
        return found
    nothing = _nothing(np.stack((frame.start, frame.end), axis=1))
    return Rows(
        np.where(frame.outside, nothing.time_ns, found.time_ns),
        np.where(frame.outside, nothing.value, found.value),
        np.where(frame.outside, nothing.status, found.status),
    )


def _nothing(intervals: Ints) -> Rows:
    k = len(intervals)
    status = np.full(k, BAD_NO_DATA | DATA_VALUE, dtype=np.uint32)
    return Rows(intervals[:, 0], np.full(k, np.nan), status)
