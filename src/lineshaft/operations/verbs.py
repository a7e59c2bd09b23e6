"""The verbs of every part of operations."""

import argparse

from lineshaft.operations.alarms import verbs as alarms
from lineshaft.operations.derived import verbs as derived


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `derive`, `alarm`."""
    derived.verbs(subparsers)
    alarms.verbs(subparsers)
