"""The aggregates of OPC UA Part 13, exact to its worked examples.

Source: OPC 10000-13 v1.05. `compute` takes the samples of one point and a list of intervals, and
gives one row per interval. How each doubtful example is read stands in docs/decisions.
"""

import enum


class Function(enum.Enum):
    """The standard aggregates, by their browse names."""

    INTERPOLATIVE = "Interpolative"
    AVERAGE = "Average"
    TIME_AVERAGE = "TimeAverage"
    TIME_AVERAGE_2 = "TimeAverage2"
    TOTAL = "Total"
    TOTAL_2 = "Total2"
    MINIMUM = "Minimum"
    MAXIMUM = "Maximum"
    MINIMUM_ACTUAL_TIME = "MinimumActualTime"
    MAXIMUM_ACTUAL_TIME = "MaximumActualTime"
    RANGE = "Range"
    MINIMUM_2 = "Minimum2"
    MAXIMUM_2 = "Maximum2"
    MINIMUM_ACTUAL_TIME_2 = "MinimumActualTime2"
    MAXIMUM_ACTUAL_TIME_2 = "MaximumActualTime2"
    RANGE_2 = "Range2"
    COUNT = "Count"
    ANNOTATION_COUNT = "AnnotationCount"
    DURATION_IN_STATE_ZERO = "DurationInStateZero"
    DURATION_IN_STATE_NON_ZERO = "DurationInStateNonZero"
    NUMBER_OF_TRANSITIONS = "NumberOfTransitions"
    START = "Start"
    END = "End"
    DELTA = "Delta"
    START_BOUND = "StartBound"
    END_BOUND = "EndBound"
    DELTA_BOUNDS = "DeltaBounds"
    DURATION_GOOD = "DurationGood"
    DURATION_BAD = "DurationBad"
    PERCENT_GOOD = "PercentGood"
    PERCENT_BAD = "PercentBad"
    WORST_QUALITY = "WorstQuality"
    WORST_QUALITY_2 = "WorstQuality2"
    STANDARD_DEVIATION_POPULATION = "StandardDeviationPopulation"
    VARIANCE_POPULATION = "VariancePopulation"
    STANDARD_DEVIATION_SAMPLE = "StandardDeviationSample"
    VARIANCE_SAMPLE = "VarianceSample"
