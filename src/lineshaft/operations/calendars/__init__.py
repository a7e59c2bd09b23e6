"""Shift calendars: when work is planned, in the local time of a place.

Rules: a shift belongs to the day on which it begins; of shifts that overlap, the first to begin
keeps the time; a wall time that a clock change skips means the moment of the jump, one that comes
twice the first; so days may have 23 or 25 hours, and shifts with them. Breaks and planned
maintenance are planned down time (PDOT) inside planned operation time (POT).

Source: ISO 22400-2:2014 for POT and PDOT; RFC 5545 for calendars that other programs keep.
"""
