"""PackML: seventeen states, and which command or completion leads from one to the next.

Source: ISA-TR88.00.02-2022; OPC 30050 gives the same model in OPC UA.
"""

import enum


class State(enum.Enum):
    """The states; the value is the number that PackTags carry."""

    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    STOPPING = 7
    ABORTING = 8
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    SUSPENDING = 13
    UNSUSPENDING = 14
    RESETTING = 15
    COMPLETING = 16
    COMPLETE = 17


class Command(enum.Enum):
    """The commands; the value is the number that PackTags carry."""

    RESET = 1
    START = 2
    STOP = 3
    HOLD = 4
    UNHOLD = 5
    SUSPEND = 6
    UNSUSPEND = 7
    ABORT = 8
    CLEAR = 9
    COMPLETE = 10


class Edition(enum.Enum):
    """Which commands a state takes has grown."""

    TR88_2015 = 2015
    TR88_2022 = 2022


COMPLETIONS: dict[State, State] = {
    State.RESETTING: State.IDLE,
    State.STARTING: State.EXECUTE,
    State.EXECUTE: State.COMPLETING,
    State.COMPLETING: State.COMPLETE,
    State.HOLDING: State.HELD,
    State.UNHOLDING: State.EXECUTE,
    State.SUSPENDING: State.SUSPENDED,
    State.UNSUSPENDING: State.EXECUTE,
    State.STOPPING: State.STOPPED,
    State.ABORTING: State.ABORTED,
    State.CLEARING: State.STOPPED,
}
"""Where an acting state goes when its work is done."""
ACTING = frozenset(COMPLETIONS)
WAITING = frozenset(State) - ACTING

_NO_STOP = {State.STOPPING, State.STOPPED, State.ABORTING, State.ABORTED, State.CLEARING}
_NO_ABORT = {State.ABORTING, State.ABORTED}
_FROM_2015: dict[Command, tuple[frozenset[State], State]] = {
    Command.RESET: (frozenset({State.STOPPED, State.COMPLETE}), State.RESETTING),
    Command.START: (frozenset({State.IDLE}), State.STARTING),
    Command.HOLD: (
        frozenset(
            {State.EXECUTE, State.STARTING, State.SUSPENDED, State.UNSUSPENDING, State.UNHOLDING}
        ),
        State.HOLDING,
    ),
    Command.UNHOLD: (frozenset({State.HELD}), State.UNHOLDING),
    Command.SUSPEND: (
        frozenset({State.EXECUTE, State.STARTING, State.UNHOLDING}),
        State.SUSPENDING,
    ),
    Command.UNSUSPEND: (frozenset({State.SUSPENDED}), State.UNSUSPENDING),
    Command.COMPLETE: (frozenset({State.EXECUTE}), State.COMPLETING),
    Command.STOP: (frozenset(State) - _NO_STOP, State.STOPPING),
    Command.ABORT: (frozenset(State) - _NO_ABORT, State.ABORTING),
    Command.CLEAR: (frozenset({State.ABORTED}), State.CLEARING),
}
_MORE_2022 = frozenset({State.HELD, State.SUSPENDED})
"""States that take the command Complete since 2022."""


def commanded(state: State, command: Command, edition: Edition = Edition.TR88_2022) -> State | None:
    """The state that a command leads to; None where the state does not take it."""
    sources, target = _FROM_2015[command]
    if command is Command.COMPLETE and edition is Edition.TR88_2022:
        sources |= _MORE_2022
    return target if state in sources else None


def completed(state: State) -> State | None:
    """The state that follows when an acting one is done; None for a waiting one."""
    return COMPLETIONS.get(state)


def follows(before: State, after: State) -> bool:
    """Whether a machine may be seen in `after` next, by completion or any command."""
    return completed(before) is after or any(commanded(before, c) is after for c in Command)


def mode_may_change(state: State) -> bool:
    """Whether the unit mode may change in this state."""
    return state in WAITING
