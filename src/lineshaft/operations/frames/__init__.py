"""Event frames: batches, phases, cycles, stops, excursions as spans of time with their values.

A template says with expressions when a frame begins, when it ends and which values are taken along;
each asset that fits the template is followed by itself. What is followed live is read from the
store a moment later, by the same follower that goes through history again: so frames are the same
whether they were seen live, after a restart, after late samples, or recomputed.

| file | what it does |
|---|---|
| settings | what a template may say |
| binding | assets of a template, names in its expressions |
| signals, taking, following | rows of expressions to frames and their values |
| feed | samples from the store, in steps of bounded size |
| frame, book | a frame, and where frames are kept |
| walk, crew, worker | a follower beside what is kept, all of them, their steps |
| desk, gallery, asking, view | templates and recomputing; frames as people find and answer them |
| preview | a template tried on history |
| nesting, comparing, warping | parents; frames side by side, golden batch |

Source: ISA-88.00.01-2010 (procedural model) for the levels; decision 0111.
"""
