"""How large an expression may be, so that whoever writes one cannot stop the plant."""

from lineshaft.core.clock import NS_PER_S

TEXT_CHARS_MAX = 20_000
"""Characters of an expression."""
NODES_MAX = 1_000
"""Parts of an expression: literals, names, operators, calls."""
DEPTH_MAX = 50
"""Parts within parts."""
STRING_CHARS_MAX = 10_000
"""Characters of a text, written or computed; a longer computed one is bad."""
PATTERN_CHARS_MAX = 500
"""Characters of a pattern for `matches`."""
WINDOW_NS_MIN = 1_000_000
"""A millisecond."""
WINDOW_NS_MAX = 366 * 86_400 * NS_PER_S
"""A leap year."""
EVERY_NS_MIN = 10_000_000
"""The finest grid: ten milliseconds."""
TAIL_ROWS_MAX = 1 << 22
"""Samples of one input that an evaluator keeps for its windows; the oldest go, counted as dropped.
Within this many, window sums are exact."""
TICKS_MAX = 2_000_000
"""Grid times in one step of an evaluator, in one window, or in one span of history."""
EXACT_INTEGER_MAX = 2**53
"""Integer literals up to here are read as doubles without loss."""
