"""The verbs of every part of operations."""

import argparse

from lineshaft.operations.alarms import verbs as alarms
from lineshaft.operations.states import verbs as states


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `alarm`, `state`."""
    alarms.verbs(subparsers)
    states.verbs(subparsers)
