"""The verbs of every part of operations."""

import argparse

from lineshaft.operations.alarms import verbs as alarms
from lineshaft.operations.kpis import verbs as kpis


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `alarm`, `kpi`."""
    alarms.verbs(subparsers)
    kpis.verbs(subparsers)
