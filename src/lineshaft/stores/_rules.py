"""Which rule keeps a point, and the samples of one rule out of many."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from lineshaft.stores import Rule


class Rules:
    """Rules of retention; a point follows the one with the longest branch that it is on."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {"": Rule()} | {r.branch.strip("/"): r for r in rules}
        self._longest = sorted(self._rules, key=len, reverse=True)

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches, the empty one among them, which takes what no other does."""
        return tuple(self._rules)

    def rule(self, branch: str) -> Rule:
        """The rule of a branch."""
        return self._rules[branch]

    def branch_of(self, path: str) -> str:
        """The branch whose rule keeps the point."""
        fits = (b for b in self._longest if not b or path == b or path.startswith(b + "/"))
        return next(fits)

    def branches_of(self, paths: Iterable[str]) -> set[str]:
        """The branches whose rules keep these points."""
        if len(self._rules) == 1:
            return {""}
        return {self.branch_of(p) for p in paths}

    def only(self, branches: set[str], tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The rows that the rules of these branches keep."""
        for table in tables:
            point = table.column("point").combine_chunks()
            kept = [self.branch_of(p) in branches for p in point.dictionary.to_pylist()]
            if all(kept):
                yield table
            elif any(kept):
                mask = np.array(kept, dtype=np.bool_)[point.indices.to_numpy()]
                yield table.filter(pa.array(mask))
