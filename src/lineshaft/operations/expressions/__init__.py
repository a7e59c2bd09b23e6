"""Expressions over points: a subset of CEL with functions that look back in time.

    names = {"temp": Point(path="hall/press/temp", unit="Cel"), …}
    rule = compile_expression("avg(temp, '5m') > 80 && `hall/press/state` == 'RUN'", names)
    rule.inputs, rule.type, rule.unit
    rows = rule.over(columns, start_ns, stop_ns)          # history
    rows = rule.evaluator(lateness_ns).push(columns)      # streams; save() and restore()

`names` is asked for short names and for paths alike. Columns are `tails.Samples` by path of the
input; `tails.samples_of(batch, path)` takes them from a batch. A `results.Result` has a row for
every time at which an input has a sample, and for those of the grid `every_ns` where the
expression changes without one.

| file | what it does |
|---|---|
| expression | `compile_expression`, `Expression` |
| lexing, parsing, syntax | text to parts |
| checking, building, operators, calls, looking | to typed nodes; units: `dimensions` |
| tree | the typed nodes |
| columns, kernels, logic, wording, zoned | nodes to values in NumPy |
| run, windows, exact, tails | what looks back |
| evaluator, results | streams |

Quality: what is calculated from a bad value is bad, unless the result does not depend on it;
uncertain stays uncertain. A number that is not finite is bad. Decisions 0095 to 0099.
"""
