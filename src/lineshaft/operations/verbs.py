"""The verbs of every part of operations."""

import argparse

from lineshaft.operations.alarms import verbs as alarms


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `alarm`."""
    alarms.verbs(subparsers)
