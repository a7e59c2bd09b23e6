"""The HTTP API of Prometheus over history, so that Grafana reads it with its own data source.

| file | what it does |
|---|---|
| catalogue | points as series: names, labels, matchers, rights |
| syntax | text to a tree of what we can answer; everything else is refused by name |
| loading | samples of the selectors, within the limits |
| windows | functions over a range of samples, one NumPy call for all steps |
| evaluate | the tree to values; arithmetic in `binary`, `sum by (…)` in `aggregate` |
| answers | JSON as Prometheus writes it |

The semantics are those of Prometheus 2.42: `tests/historian/promql-answers.json` holds what it
answered.
"""
