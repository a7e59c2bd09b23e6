"""Operations says what machine data mean: derived points, states, alarms, KPIs, SPC, event frames.

Everything here works on columns of live batches and, identically, on history.
"""
