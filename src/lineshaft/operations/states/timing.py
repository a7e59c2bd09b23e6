"""What the time of a machine counts as: the elements of ISO 22400 from its state.

Source: OPC 40001-1 Annex C.2; for PackML the split of its states into own stops (held) and
stops of others (suspended).
"""

import enum

from lineshaft.operations.states.packml import State


class Element(enum.Enum):
    """Time elements; every moment belongs to exactly one."""

    APT = "apt"
    """Actual production time."""
    AUST = "aust"
    """Actual unit set-up time."""
    ADET = "adet"
    """Actual unit delay time."""
    ADOT = "adot"
    """Actual unit down time: planned busy, without an order."""
    PDOT = "pdot"
    """Planned down time."""
    OFF = "off"
    """Outside planned operation time."""
    APMT = "apmt"
    """Planned maintenance."""
    ACMT = "acmt"
    """Corrective maintenance."""
    UNKNOWN = "unknown"
    """No state of good quality: never counted as production, never as a stop."""


class Item(enum.Enum):
    """States of OPC 40001-1, MachineryItemState."""

    NOT_AVAILABLE = 0
    OUT_OF_SERVICE = 1
    NOT_EXECUTING = 2
    EXECUTING = 3


class Mode(enum.Enum):
    """Modes of OPC 40001-1, MachineryOperationMode."""

    NONE = 0
    MAINTENANCE = 1
    SETUP = 2
    PROCESSING = 3


class Loss(enum.Enum):
    """Whose stop it is, from PackML's own split."""

    OWN = "own"
    OUTSIDE = "outside"
    """Starved or blocked."""
    UNCLEAR = "unclear"


_PRODUCING = {State.EXECUTE, State.COMPLETING}
_SETTING_UP = {State.RESETTING, State.STARTING}
_OWN = {State.HOLDING, State.HELD, State.UNHOLDING}
_OUTSIDE = {State.SUSPENDING, State.SUSPENDED, State.UNSUSPENDING}


def of_item(
    state: Item | None,
    mode: Mode,
    *,
    planned: bool,
    busy: bool,
    order: bool,
    corrective: bool = False,
) -> Element:
    """The element from state × mode × order × calendar.

    `planned`: inside planned operation time; `busy`: not in a break or planned stop;
    `order`: one is registered; `corrective`: maintenance follows a failure. None: not known.
    """
    if not planned:
        return Element.OFF
    if mode is Mode.MAINTENANCE:
        return Element.ACMT if corrective else Element.APMT
    if not busy:
        return Element.PDOT
    return _in_busy_time(state, mode, order=order)


def _in_busy_time(state: Item | None, mode: Mode, *, order: bool) -> Element:
    if state is None:
        return Element.UNKNOWN
    if mode is Mode.SETUP:
        return Element.AUST
    if state is Item.EXECUTING and mode is Mode.PROCESSING:
        return Element.APT
    return Element.ADET if order else Element.ADOT


def of_packml(
    state: State | None, *, planned: bool, busy: bool, order: bool, production: bool = True
) -> Element:
    """The element from a PackML state; `production`: the unit mode is Production."""
    item, mode = as_item(state, production=production)
    return of_item(item, mode, planned=planned, busy=busy, order=order)


def as_item(state: State | None, *, production: bool = True) -> tuple[Item | None, Mode]:
    """A PackML state in the words of OPC 40001-1."""
    if state is None:
        return None, Mode.NONE
    if not production:
        return Item.NOT_EXECUTING, Mode.MAINTENANCE
    if state in _PRODUCING:
        return Item.EXECUTING, Mode.PROCESSING
    if state in _SETTING_UP:
        return Item.EXECUTING, Mode.SETUP
    return Item.NOT_EXECUTING, Mode.PROCESSING


def loss_of(state: State) -> Loss:
    """Whose stop a PackML state is."""
    if state in _OWN:
        return Loss.OWN
    return Loss.OUTSIDE if state in _OUTSIDE else Loss.UNCLEAR
