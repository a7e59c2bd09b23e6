"""The verbs of every part of operations."""

import argparse

from lineshaft.operations.alarms import verbs as alarms
from lineshaft.operations.derived import verbs as derived
from lineshaft.operations.frames import verbs as frames
from lineshaft.operations.kpis import verbs as kpis
from lineshaft.operations.notices import verbs as notices
from lineshaft.operations.spc import verbs as spc
from lineshaft.operations.states import verbs as states


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `alarm`, `derive`, `frame`, `kpi`, `notice`, `spc`, `state`."""
    alarms.verbs(subparsers)
    derived.verbs(subparsers)
    frames.verbs(subparsers)
    kpis.verbs(subparsers)
    notices.verbs(subparsers)
    spc.verbs(subparsers)
    states.verbs(subparsers)
