"""States say what a machine does: PackML where it speaks it, OPC 40001-1 where it does not.

| file | what it does |
|---|---|
| settings, checking | `[[work_units]]`, `[[reasons]]` and `[[reason_rules]]` |
| packml, timing | the models of the standards |
| naming | states by number, and the expression of the derived point that keeps it |
| ruling | reasons that stops are given by `[[reason_rules]]` |
| units | the work units of the plant |
| stretches, intervals, timeline | what a unit did, from the samples of that point |
| notes, overlay, deeds | what rules and people say, laid over; explain, correct, merge, take back |
| stops, board, view | stops, units now, columns |
| following | every change as an event of the log |
| part | all of it, put together |

Source: ISA-TR88.00.02-2022 (PackML), OPC 40001-1 and ISO 22400-2 for what time counts as.
"""
