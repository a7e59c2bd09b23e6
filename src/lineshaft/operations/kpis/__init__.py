"""Key performance indicators of ISO 22400-2, from sums that add up.

A figure of a shift, a line or a year is worked out from summed times and quantities, never from
other figures: the mean of two ratios is no ratio of anything.

Source: ISO 22400-2:2014 with Amendment 1:2017; OPC 40001-1 Annex C.2 for the mapping from machines.
"""
