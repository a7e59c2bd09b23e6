"""The verbs of every part of operations."""

import argparse

from lineshaft.operations.alarms import verbs as alarms
from lineshaft.operations.derived import verbs as derived
from lineshaft.operations.kpis import verbs as kpis
from lineshaft.operations.spc import verbs as spc
from lineshaft.operations.states import verbs as states


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `alarm`, `derive`, `kpi`, `spc`, `state`."""
    alarms.verbs(subparsers)
    derived.verbs(subparsers)
    kpis.verbs(subparsers)
    spc.verbs(subparsers)
    states.verbs(subparsers)
