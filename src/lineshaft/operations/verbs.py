"""The verbs of every part of operations."""

import argparse

from lineshaft.operations.alarms import verbs as alarms
from lineshaft.operations.frames import verbs as frames


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `alarm`, `frame`."""
    alarms.verbs(subparsers)
    frames.verbs(subparsers)
