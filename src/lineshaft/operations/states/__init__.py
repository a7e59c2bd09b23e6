"""States say what a machine does: PackML where it speaks it, OPC 40001-1 where it does not.

Source: ISA-TR88.00.02-2022 (PackML), OPC 40001-1 and ISO 22400-2 for what time counts as.
"""
