"""Alarms tell people what needs an answer, and keep telling until it has one.

An alarm is five small machines side by side (active, acknowledged, shelved, suppressed, out of
service), never one list of states: a shelved alarm still knows whether it is active. `state.py`
holds the facts, `transitions.py` all that can happen to them, `view.py` what is told of them.

Source: ISA-18.2-2016 / IEC 62682:2022, OPC UA Part 9 (OPC 10000-9) v1.05.
"""
