"""One derived point as it is calculated now."""

import enum

import numpy as np

from lineshaft.core.point import Point
from lineshaft.operations.derived.changes import Changes, rows_given
from lineshaft.operations.derived.definition import Compiled, Definition
from lineshaft.operations.derived.marks import FOREVER, Kept, Mark
from lineshaft.operations.derived.rows import Columns, merged, samples_of_result
from lineshaft.operations.expressions.evaluator import Evaluator
from lineshaft.operations.expressions.results import Result
from lineshaft.operations.expressions.tails import LONG_AGO, Samples

HELD_ROWS_MAX = 500_000
"""Samples that wait while rows are computed from history; beyond, it is done once more."""


class Phase(enum.Enum):
    """How a derived point fares."""

    WAITING = "waiting"
    """It lacks something; `State.trouble` says what."""
    RECOMPUTING = "recomputing"
    """Rows are being computed from history."""
    LIVE = "live"
    """Rows come as samples do."""


class Calculation:
    """A definition, what it was compiled to, and where it stands."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.kept = self.on_record = Kept(
            owner="", definition=definition, since_ns=LONG_AGO, from_ns=LONG_AGO
        )
        self.compiled: Compiled | None = None
        self.seen: dict[str, Point | None] | None = None
        """What was known of its inputs when it was last tried; None before that."""
        self.evaluator: Evaluator | None = None
        """None until its history is loaded."""
        self.changes: Changes | None = None
        """Lets rows of the evaluator through; None when all are given."""
        self.trouble = ""
        self.edge_ns = LONG_AGO
        """Up to here rows are given, while there is no evaluator."""
        self.told_ns = LONG_AGO
        """Up to here all its rows are given, as far as its inputs have told."""
        self.newest_ns = LONG_AGO
        self.rows = 0
        self.dropped = 0
        self.mark: Mark | None = None
        """What is to be computed anew; the one in `kept` is that which is on record."""
        self.renew = False
        """Whether the evaluator's own memory is not right any more."""
        self.served = 0
        """Turns that it had; who had fewest is next."""
        self.changed = 0
        """Rows that were put right since the mark began."""
        self.busy = False
        """Whether history is being looked at for it now."""
        self._held: Columns | None = None
        self._held_rows = 0

    def become(self, definition: Definition, kept: Kept) -> None:
        """Take a definition with the same rows, and what the records now hold of it."""
        if self.seen is None and kept.mark is not None:
            self.mark = kept.mark.joined(self.mark)
        if self.definition != definition:
            self.definition, self.seen = definition, None
        self.kept = self.on_record = kept

    @property
    def path(self) -> str:
        """Path of the point."""
        return self.definition.point

    @property
    def until_ns(self) -> int:
        """Rows up to here are given."""
        return self.evaluator.until_ns if self.evaluator else self.edge_ns

    @property
    def weight(self) -> int:
        """How much one push has to look at, see `Evaluator.weight`."""
        return self.evaluator.weight if self.evaluator else 0

    def forget(self) -> None:
        """Have history loaded anew, from the rows on that are given."""
        self.edge_ns, self.evaluator = self.until_ns, None

    @property
    def phase(self) -> Phase:
        """How it fares."""
        if self.compiled is None:
            return Phase.WAITING
        return Phase.RECOMPUTING if self.has_work else Phase.LIVE

    @property
    def has_work(self) -> bool:
        """Whether history has to be looked at for it."""
        undone = self.evaluator is None or self.mark is not None or self.renew
        return self.compiled is not None and (self.busy or undone)

    @property
    def given_ns(self) -> int:
        """Up to here nothing can come any more without being late; see `told_ns`."""
        if self.evaluator is None or self.newest_ns > self.until_ns:
            return self.until_ns
        return max(self.until_ns, self.told_ns)

    def widen(self, mark: Mark) -> None:
        """Have rows computed anew; those of an older expression stay as they are."""
        start = max(mark.start_ns, self.kept.from_ns)
        if start < mark.stop_ns:
            clipped = Mark(start_ns=start, stop_ns=mark.stop_ns, gentle=mark.gentle)
            self.mark = clipped.joined(self.mark)
            # The row before the next one may be among those.
            self.renew |= self.definition.on_change

    # ---- while history is loaded

    def hold(self) -> None:
        """Keep what comes from now on."""
        self._held, self._held_rows = {}, 0

    def held(self) -> Columns | None:
        """What came since `hold`; None when it was too much."""
        return self._held

    def let_go(self) -> None:
        """Keep nothing any more."""
        self._held = None

    def keep(self, columns: Columns) -> None:
        """Have samples wait, if they are to."""
        if self._held is None:
            return
        self._held_rows += sum(len(s.time_ns) for s in columns.values())
        self._held = None if self._held_rows > HELD_ROWS_MAX else merged(self._held, columns)

    # ---- taking samples in

    def push(self, columns: Columns, heard_ns: dict[str, int]) -> Result | None:
        """Take samples in, and give what is finished; None when there is nothing to do."""
        evaluator, compiled = self.evaluator, self.compiled
        self.keep(columns)
        if evaluator is None or compiled is None:
            self._note_late(columns)
            return None
        for samples in columns.values():
            if len(samples.time_ns):
                self.newest_ns = max(self.newest_ns, int(samples.time_ns.max()))
        every_ns = compiled.expression.every_ns
        told = min(heard_ns.values(), default=LONG_AGO) - compiled.lateness_ns
        ticked = every_ns > 0 and told // every_ns > self.until_ns // every_ns
        result = None
        if columns or ticked or self.newest_ns > self.until_ns:
            result = evaluator.push(columns, heard_ns=heard_ns)
            self.dropped += result.dropped
            # What has no bound may go on being wrong until history is loaded anew.
            unbounded = compiled.expression.reach_ns is None
            for late in result.late:
                stop_ns = FOREVER if unbounded else late.stop_ns
                self.widen(Mark(start_ns=late.start_ns, stop_ns=stop_ns))
            self.renew |= unbounded and bool(result.late)
        behind = every_ns > 0 and told // every_ns > self.until_ns // every_ns
        done = self.newest_ns <= self.until_ns and not behind
        self.told_ns = max(self.told_ns, told if done else self.until_ns)
        return result

    def given(self, result: Result) -> Samples:
        """The rows of a result that are given, as others read them."""
        assert self.compiled is not None  # noqa: S101 - what has results was compiled
        rows = samples_of_result(result, self.compiled.expression.type)
        rows = rows_given(self.changes, rows)
        self.rows += len(rows.time_ns)
        return rows

    def _note_late(self, columns: Columns) -> None:
        """What comes for times whose rows are given, while nobody calculates."""
        times = [int(np.min(s.time_ns)) for s in columns.values() if len(s.time_ns)]
        if times and min(times) <= self.edge_ns:
            self.widen(Mark(start_ns=min(times), stop_ns=self.edge_ns + 1))
