"""Contributions: submodels that other parts of the plant bring to twins, and their values now."""

import asyncio
import logging
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from lineshaft.core.errors import LineshaftError
from lineshaft.core.point import Value
from lineshaft.twins import Document
from lineshaft.twins.living import Contribution, Contributor
from lineshaft.twins.living.names import Scheme

log = logging.getLogger(__name__)

REFRESH_S = 5.0
"""Seconds between turns in which contributors work out what takes time."""


class _Known(NamedTuple):
    by: Contributor
    path: str
    id_short: str


class Contributions:
    """What all contributors say."""

    def __init__(self, contributors: Sequence[Contributor] = ()) -> None:
        self._contributors = tuple(contributors)
        self._known: dict[str, _Known] = {}
        """Who is asked for values, by the identifier of the submodel."""
        names = self.id_shorts
        if len(set(names)) < len(names):
            raise AssertionError(f"two contributors bring the same submodel: {names}")

    @property
    def id_shorts(self) -> tuple[str, ...]:
        """Names of all submodels that may be brought."""
        return tuple(name for one in self._contributors for name in one.id_shorts)

    def version(self) -> Hashable:
        """Something that is otherwise when contributions may be."""
        return tuple(one.version() for one in self._contributors)

    def gather(self, paths: Iterable[str], scheme: Scheme) -> dict[str, tuple[Contribution, ...]]:
        """What there is for the assets at these paths, without those that have none.

        From now on values of these are told, and of no others.
        """
        known: dict[str, _Known] = {}
        found: dict[str, tuple[Contribution, ...]] = {}
        for path in paths:
            brought = [(one, c) for one in self._contributors for c in one.contributed(path)]
            for one, contribution in brought:
                if contribution.computed:
                    id_ = scheme.submodel(path, contribution.id_short)
                    known[id_] = _Known(one, path, contribution.id_short)
            if brought:
                found[path] = tuple(c for _, c in brought)
        self._known = known
        return found

    async def run(self) -> None:
        """Have values worked out that take time, until cancelled."""
        while True:
            for one in self._contributors:
                try:
                    await one.refresh()
                except LineshaftError as error:
                    log.warning("values of twins are old", extra={"cause": str(error)})
            await asyncio.sleep(REFRESH_S)

    def lives(self, document: Document) -> bool:
        """Whether values of the submodel are worked out when it is read."""
        known = self._known.get(document.id)
        # An identifier alone, taken by somebody else, gives nobody its values.
        return known is not None and known.path == document.path

    def values(self, document: Document) -> Mapping[str, Value | None]:
        """Its values now, by idShortPath."""
        if not self.lives(document):
            return {}
        known = self._known[document.id]
        return known.by.values(known.path, known.id_short)
