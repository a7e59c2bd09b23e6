"""`python -m lineshaft.demo.aside PID VERB ...`: a verb of `lineshaft` that gets in nobody's way.

It runs at low priority and ends when the process PID does.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
NICE = 10


def die_with(parent: int) -> None:
    """See to it that this process does not outlive its parent, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # It may have ended before the kernel was asked.
    if os.getppid() != parent:
        raise SystemExit("the process that started this one has ended")


def stand_aside(parent: int) -> None:
    """Let the live plant go first, and end when it does."""
    die_with(parent)
    os.nice(NICE)


if __name__ == "__main__":
    stand_aside(int(sys.argv[1]))
    # Both the priority and the wish to die with the parent outlast this.
    os.execv(sys.executable, [sys.executable, "-m", "lineshaft", *sys.argv[2:]])  # noqa: S606
