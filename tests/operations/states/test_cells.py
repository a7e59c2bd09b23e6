"""Every cell of the mapping of OPC 40001-1 Annex C.2, by name: items across, modes down.

With an order / without one, in planned busy time.
"""

import itertools

import pytest

from lineshaft.operations.states.timing import Element, Item, Mode, of_item

ITEMS = ("EXECUTING", "NOT_EXECUTING", "NOT_AVAILABLE", "OUT_OF_SERVICE")
TABLE = {
    "PROCESSING": "APT/APT   ADET/ADOT ADET/ADOT ADET/ADOT",
    "SETUP": "AUST/AUST AUST/AUST AUST/AUST AUST/AUST",
    "MAINTENANCE": "APMT/APMT APMT/APMT APMT/APMT APMT/APMT",
    "NONE": "ADET/ADOT ADET/ADOT ADET/ADOT ADET/ADOT",
}
CELLS = [
    (item, mode, order, Element[cell.split("/")[0 if order else 1]])
    for mode, row in TABLE.items()
    for item, cell in zip(ITEMS, row.split(), strict=True)
    for order in (True, False)
]


@pytest.mark.parametrize(("item", "mode", "order", "element"), CELLS)
def test_each_cell_counts_as_annex_c2_says(item, mode, order, element):
    given = {"planned": True, "order": order}
    assert of_item(Item[item], Mode[mode], busy=True, **given) is element
    if mode == "MAINTENANCE":
        assert of_item(Item[item], Mode[mode], busy=True, corrective=True, **given) is Element.ACMT
        return
    assert of_item(Item[item], Mode[mode], busy=False, **given) is Element.PDOT


@pytest.mark.parametrize(("item", "mode"), list(itertools.product((None, *Item), Mode)))
def test_outside_of_planned_time_everything_is_off(item, mode):
    assert of_item(item, mode, planned=False, busy=True, order=True) is Element.OFF


def test_the_table_has_every_item_and_every_mode():
    assert {(i, m) for i, m, _, _ in CELLS} == {(i.name, m.name) for i in Item for m in Mode}
