"""The verbs of every part of operations."""

import argparse

from lineshaft.operations.alarms import verbs as alarms
from lineshaft.operations.spc import verbs as spc


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `alarm` and `spc`."""
    alarms.verbs(subparsers)
    spc.verbs(subparsers)
