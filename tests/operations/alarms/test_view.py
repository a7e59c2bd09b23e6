"""The letters of ISA-18.2: each row of the table, with what it annunciates."""

import pytest
from msgspec.structs import replace

from lineshaft.operations.alarms.state import Shelf, State
from lineshaft.operations.alarms.view import (
    Annunciation,
    annunciation,
    letter,
    retain,
    suppressed_or_shelved,
)

ACTIVE = State(condition=True, active=True, acked=False, severity=500)
LATCHED = replace(ACTIVE, condition=False)
ROWS = [
    ("A", State(), "none"),
    ("B", ACTIVE, "sound-and-blink"),
    ("C", replace(ACTIVE, acked=True), "steady"),
    ("D", State(acked=False), "blink"),
    ("E", LATCHED, "blink"),
    ("F", replace(LATCHED, acked=True), "steady"),
    ("G", replace(ACTIVE, shelf=Shelf.TIMED), "none"),
    ("G", replace(ACTIVE, shelf=Shelf.ONE_SHOT), "none"),
    ("H", replace(ACTIVE, suppressed=True), "none"),
    ("H", replace(ACTIVE, suppressed=True, shelf=Shelf.TIMED), "none"),
    ("I", replace(ACTIVE, out_of_service=True), "none"),
    ("I", replace(ACTIVE, out_of_service=True, suppressed=True, shelf=Shelf.TIMED), "none"),
]
IDS = [f"row {letter_}" for letter_, *_ in ROWS]


@pytest.mark.parametrize(("wanted", "state", "shown"), ROWS, ids=IDS)
def test_the_letter_is_that_of_the_first_row_that_fits(wanted, state, shown):
    assert letter(state).value == wanted
    assert annunciation(state) is Annunciation(shown)
    assert suppressed_or_shelved(state) == (wanted in "GHI")
    assert retain(state) == (wanted != "A")


@pytest.mark.parametrize(("wanted", "state", "shown"), ROWS, ids=IDS)
def test_a_disabled_alarm_shows_nothing_and_is_not_retained(wanted, state, shown):
    disabled = replace(state, enabled=False)
    assert annunciation(disabled) is Annunciation.NONE
    assert not retain(disabled)


@pytest.mark.parametrize("cover", ["suppressed", "out_of_service"])
def test_under_a_cover_the_dimensions_stay_what_they_are(cover):
    covered = replace(ACTIVE, **{cover: True})
    assert (covered.active, covered.acked) == (True, False)
    assert letter(replace(covered, **{cover: False})).value == "B"
