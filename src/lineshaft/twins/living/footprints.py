"""Greenhouse gases per part over the last day, worked out from two counters."""

import asyncio

from lineshaft.core.access import SYSTEM
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LineshaftError
from lineshaft.twins.living import Config, History, Latest, Names
from lineshaft.twins.living.assets import assets
from lineshaft.twins.living.carbon import counters

EVERY_S = 60.0
DAY_NS = 86_400 * 1_000_000_000
TO_KWH = {"kW.h": 1.0, "W.h": 0.001, "MW.h": 1000.0}


class Footprints:
    """The figure of each asset that counts energy and parts."""

    def __init__(self, config: Config, names: Names, latest: Latest, history: History) -> None:
        self._config, self._names, self._latest, self._history = config, names, latest, history
        self._of: dict[str, float] = {}

    def of(self, path: str) -> float | None:
        """Kg of CO₂ equivalent per part of an asset; None where it is not known."""
        return self._of.get(path)

    async def run(self) -> None:
        """Work them out once a minute until cancelled."""
        while True:
            if self._config.co2_kg_per_kwh:
                await self.work_out()
            await asyncio.sleep(EVERY_S)

    async def work_out(self) -> None:
        """Work them out now."""
        points = [p for path in self._names.under("", SYSTEM) if (p := self._names.find(path))]
        for path, asset in (await asyncio.to_thread(assets, points)).items():
            found = counters(asset)
            if found is None:
                continue
            energy, parts = found
            try:
                used = await self._risen(energy.path)
                made = await self._risen(parts.path)
            except LineshaftError:  # the store is away for a moment; the last figure stands
                continue
            if made > 0:
                kwh = used * TO_KWH[energy.unit]
                self._of[path] = kwh * self._config.co2_kg_per_kwh / made

    async def _risen(self, point: str) -> float:
        """By how much a counter rose in the last day; a reset begins from zero."""
        now = now_ns()
        batch: Batch = await self._history.read([point], now - DAY_NS, now + 1)
        number = batch.number[batch.has_number]
        steps = number[1:] - number[:-1]
        return float(steps[steps > 0].sum() + number[1:][steps < 0].sum())
