"""Read-only SQL for users: one SELECT over documented views, within the rights of who asks.

Four walls, each of which would do: the text is parsed and checked against a list of what may stand
in it (`checking`, `grammar`, `functions`); every view becomes a subquery of the rows that the
caller may see (`rewriting`); what is to be run is parsed and checked again; and the store runs it
in a DuckDB of its own that reaches nothing else (`stores/_sql.py`).
"""
