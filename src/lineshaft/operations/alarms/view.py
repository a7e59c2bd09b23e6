"""What is told of an alarm: the letter of ISA-18.2, the fields of OPC UA, whether it rings."""

import enum

from lineshaft.operations.alarms.state import Shelf, State


class Letter(enum.Enum):
    """The states of ISA-18.2-2016, figure 11: the first that fits, from the covering ones on."""

    OUT_OF_SERVICE = "I"
    SUPPRESSED = "H"
    SHELVED = "G"
    NORMAL = "A"
    UNACKNOWLEDGED = "B"
    ACKNOWLEDGED = "C"
    RETURNED_UNACKNOWLEDGED = "D"
    LATCHED_UNACKNOWLEDGED = "E"
    LATCHED_ACKNOWLEDGED = "F"


class Annunciation(enum.Enum):
    """How it shows itself."""

    NONE = "none"
    SOUND_AND_BLINK = "sound-and-blink"
    BLINK = "blink"
    STEADY = "steady"


def letter(state: State) -> Letter:
    """The ISA-18.2 state."""
    if state.out_of_service:
        return Letter.OUT_OF_SERVICE
    if state.suppressed:
        return Letter.SUPPRESSED
    if state.shelf is not Shelf.NO:
        return Letter.SHELVED
    if state.latched:
        return Letter.LATCHED_ACKNOWLEDGED if state.acked else Letter.LATCHED_UNACKNOWLEDGED
    if state.active:
        return Letter.ACKNOWLEDGED if state.acked else Letter.UNACKNOWLEDGED
    return Letter.NORMAL if state.acked else Letter.RETURNED_UNACKNOWLEDGED


def annunciation(state: State) -> Annunciation:
    """How it shows itself now; covered and disabled alarms do not."""
    if not state.enabled:
        return Annunciation.NONE
    match letter(state):
        case Letter.UNACKNOWLEDGED:
            return Annunciation.BLINK if state.silenced else Annunciation.SOUND_AND_BLINK
        case Letter.RETURNED_UNACKNOWLEDGED | Letter.LATCHED_UNACKNOWLEDGED:
            return Annunciation.BLINK
        case Letter.ACKNOWLEDGED | Letter.LATCHED_ACKNOWLEDGED:
            return Annunciation.STEADY
        case _:
            return Annunciation.NONE


def suppressed_or_shelved(state: State) -> bool:
    """OPC UA `SuppressedOrShelved`."""
    return state.suppressed or state.out_of_service or state.shelf is not Shelf.NO


def retain(state: State) -> bool:
    """OPC UA `Retain`: whether somebody still has something to do with it."""
    open_ = state.active or not state.acked or not state.confirmed or bool(state.branches)
    return state.enabled and open_
