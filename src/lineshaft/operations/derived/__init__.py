"""Derived points: calculated from others by an expression, live and over history alike.

Other parts have theirs calculated by the same engine, under a name of their own. Such an owner
gives all its definitions at once, at its start and at every reload:

    await engine.put("states", [
        Definition(
            point="acme/line-a/press/work_state",
            expression="current > 5 ? 2 : ready ? 1 : 0",
            names={"ready": "acme/line-a/press/plc/ready"},
            enum={"0": "stopped", "1": "waits", "2": "running"},
        ),
    ])

`put` replaces what that owner had; what is unchanged goes on as it was. It raises `Invalid` for
what can never be (a cycle, a point of another owner, text that is no expression), and has changed
nothing then. What only lacks something (an input that nobody knows yet, a unit that does not fit)
waits, tells so in `state(point).trouble` and `problems()`, and begins by itself once it can.

Results travel as batches of subject `data.derived`, so that they are stored, watched and judged
like what a driver reads; `Point.source` is `derived`. A point may read those of any owner. Nobody
needs to keep anything: after any end of the process, what is missing is computed from history.
Late samples, imports and corrections have the rows that they touch computed anew.

| file | what it does |
|---|---|
| definition | `Definition`, and how it is compiled against the namespace |
| engine | `Engine`: what others use |
| bank, calculation, sources | all of them in memory: samples in, rows out, in order |
| repairs, history, differences, marks | rows from what the store holds |
| outbox | rows on their way to the spine, so that nobody waits for himself |
| state, rows | how they fare; rows as batches and as inputs |
| settings | the table `[[derived]]` |
| trial | compiled alone, evaluated over history, nothing kept |
| desk | those of the file and those made at run time: looked at, defined, tried, recomputed |
| routes, verbs, client | the ways in |

Words: a *definition* makes one *point*; a *row* is one result; a *mark* says from when on rows
are to be computed anew, and is kept in the records until that is done. Decision 0101.
"""
