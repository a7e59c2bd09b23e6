"""The submodel OperationalStates: the states that a work unit can be in, and the present one.

State and mode are those of OPC 40001-1 (Machinery), losses our own.
"""

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence

import msgspec

from lineshaft.core.point import Value
from lineshaft.core.quality import is_bad
from lineshaft.operations.states.naming import state_point
from lineshaft.operations.states.settings import StateRule
from lineshaft.operations.states.units import Known
from lineshaft.twins import Json
from lineshaft.twins.living import Contribution, Latest
from lineshaft.twins.living.building import collection, prop
from lineshaft.twins.living.names import id_shorts

_STATE = "urn:lineshaft:states"


class States:
    """What work units can be in, and are in."""

    id_shorts = ("OperationalStates",)

    def __init__(self, units: Iterable[Known], latest: Latest) -> None:
        """`units` are gone through anew each time."""
        self._units, self._latest = units, latest
        self._known: dict[str, Known] = {}

    def version(self) -> Hashable:
        """A digest of the states of all work units."""
        self._known = {k.path: k for k in self._units}
        told = msgspec.msgpack.encode([(k.path, k.states) for k in self._known.values()])
        return hashlib.blake2b(told, digest_size=16).digest()

    def contributed(self, path: str) -> Sequence[Contribution]:
        """The states of the unit at the path; nothing where there is none."""
        known = self._known.get(path)
        if known is None:
            return ()
        shorts = id_shorts(s.name for s in known.states)
        each = [_state(number, s, shorts[s.name]) for number, s in enumerate(known.states)]
        elements = (
            prop("CurrentState", None, f"{_STATE}:CurrentState:1", "xs:long"),
            prop("CurrentStateName", None, f"{_STATE}:CurrentStateName:1"),
            prop("MachineryItemState", None, f"{_STATE}:MachineryItemState:1"),
            prop("MachineryOperationMode", None, f"{_STATE}:MachineryOperationMode:1"),
            collection("States", each, f"{_STATE}:States:1"),
        )
        return (
            Contribution(
                id_short="OperationalStates",
                semantic_id="urn:lineshaft:submodel:OperationalStates:1",
                elements=elements,
                bound={"CurrentState": state_point(path)},
                computed=True,
            ),
        )

    async def refresh(self) -> None:
        """Nothing: the present state is looked up when it is asked for."""

    def values(self, path: str, id_short: str) -> Mapping[str, Value | None]:
        """What the number of the present state means."""
        rule = self._now(path)
        return {
            "CurrentStateName": rule.name if rule else None,
            "MachineryItemState": rule.item if rule else None,
            "MachineryOperationMode": rule.mode if rule else None,
        }

    def _now(self, path: str) -> StateRule | None:
        known, sample = self._known.get(path), self._latest.latest(state_point(path))
        if known is None or sample is None or is_bad(sample.quality):
            return None
        if not isinstance(sample.value, int | float) or not 0 <= sample.value < len(known.states):
            return None
        return known.states[int(sample.value)]


def _state(number: int, rule: StateRule, short: str) -> Json:
    parts = [
        prop("Number", str(number), f"{_STATE}:Number:1", "xs:long"),
        prop("Name", rule.name, f"{_STATE}:Name:1"),
        prop("MachineryItemState", rule.item, f"{_STATE}:MachineryItemState:1"),
        prop("MachineryOperationMode", rule.mode, f"{_STATE}:MachineryOperationMode:1"),
        prop("Loss", rule.loss, f"{_STATE}:Loss:1"),
        prop("Failure", str(rule.failure).lower(), f"{_STATE}:Failure:1", "xs:boolean"),
    ]
    return collection(short, parts, f"{_STATE}:State:1")
