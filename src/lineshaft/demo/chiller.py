"""The chiller: cold water for all machines, as much as they make heat."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from lineshaft.core.point import Kind
from lineshaft.demo.noise import Floats
from lineshaft.demo.spec import Column, Spec
from lineshaft.demo.timeline import NAMES, State, Timeline
from lineshaft.demo.world import World

SETPOINT = 8.0
"""Set-point in °C as delivered."""
SETPOINT_LIMITS = (5.0, 15.0)
"""What the chiller itself takes."""
HEAT_KW = {"cnc-1": 7.5, "cnc-2": 8.5, "cnc-3": 6.5, "press": 9.0}
"""Heat that each machine gives to the water while it runs."""
CAPACITY_KW = 40.0
FLOW_L_MIN = 105.0
PUMP_KW = 1.6


class Chiller:
    """Water temperature follows the set-point, the load follows the machines."""

    specs: ClassVar[Sequence[Spec]] = (
        Spec("state", kind=Kind.ENUM, names=NAMES, description="What the chiller is doing"),
        Spec("supply_temperature", "Cel", 0, 30, "Water to the machines", history_s=15),
        Spec("return_temperature", "Cel", 0, 40, "Water from the machines", history_s=15),
        Spec("setpoint", "Cel", *SETPOINT_LIMITS, "Wanted supply temperature", writable=True),
        Spec("flow", "L/min", 0, 150, "Water in circulation"),
        Spec("compressor_load", "%", 0, 100, "Share of the compressor's capacity", history_s=15),
        Spec("condenser_pressure", "bar", 0, 25, "Refrigerant pressure at the condenser"),
        Spec("power", "kW", 0, 20, "Electric power", history_s=15),
        Spec("alarm", kind=Kind.BOOLEAN, description="The chiller reports a failure"),
    )

    def __init__(self, world: World) -> None:
        self.world = world
        times, values = world.settings("chiller", "setpoint")
        self.timeline = _all_together(world).cut(times)
        start = self.timeline.start_s
        well = self.timeline.state != State.FAULT
        heat = sum(
            world.timeline(name).rate(running=kw, idle=0.18 * kw, setup=0.3 * kw)[
                world.timeline(name).at(start)
            ]
            for name, kw in HEAT_KW.items()
        )
        self.heat = self.timeline.lag(np.asarray(heat) + 2.0, 240.0)
        wanted = np.asarray([SETPOINT, *values])[np.searchsorted(times, start, side="right")]
        self.water = self.timeline.lag(np.where(well, wanted, 24.0), 200.0)
        # Colder water is dearer: the machine's coefficient of performance falls.
        self.mean_kw = np.where(well, self._power(np.asarray(heat) + 2.0, wanted), PUMP_KW)

    def supply(self, time_s: Floats) -> Floats:
        """Temperature of the water to the machines in °C."""
        # The compressor switches on and off around the set-point.
        swing = np.abs((time_s / 190.0) % 2.0 - 1.0) - 0.5
        return self.water(time_s) + 0.7 * swing + 0.05 * self.world.white("chiller/supply", time_s)

    def values(self, time_s: Floats) -> dict[str, Column]:
        """Every point at each time."""
        world = self.world
        state = self.timeline.states(time_s)
        well = state != State.FAULT
        heat = self.heat(time_s)
        supply = self.supply(time_s)
        flow = FLOW_L_MIN + 1.5 * world.drift("chiller/flow", time_s, 300.0)
        power = np.where(well, self._power(heat, supply), PUMP_KW)
        load = np.where(well, 100.0 * (power - PUMP_KW) / (CAPACITY_KW / 3.2), 0.0)
        warm = world.ambient(time_s)
        return {
            "state": state,
            "supply_temperature": supply,
            # 4.186 kJ/(kg K), 1 kg/L
            "return_temperature": supply + heat / (flow / 60.0 * 4.186),
            "setpoint": world.in_force("chiller", "setpoint", SETPOINT, time_s),
            "flow": flow + 0.4 * world.white("chiller/flow", time_s),
            "compressor_load": np.clip(load + world.white("chiller/load", time_s), 0.0, 100.0),
            "condenser_pressure": np.where(well, 9.0 + 0.11 * load, 8.0) + 0.2 * (warm - 22.0),
            "power": np.maximum(power + 0.06 * world.white("chiller/power", time_s), 0.0),
            "alarm": (state == State.FAULT).astype(np.int64),
        }

    def _power(self, heat_kw: Floats, supply: Floats) -> Floats:
        return PUMP_KW + np.minimum(heat_kw, CAPACITY_KW) / (2.6 + 0.075 * supply)


def _all_together(world: World) -> Timeline:
    """The chiller's states, with a segment for every change of a machine that it cools."""
    changes = [world.timeline(name).start_s for name in HEAT_KW]
    return world.timeline("chiller").cut(np.concatenate(changes).tolist())
