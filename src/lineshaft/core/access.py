"""Who may do what: the words that every slice uses; `security` fills them in."""

import enum
from typing import Protocol

import msgspec

from lineshaft.core.event import Event


class Action(enum.Enum):
    """What a route, verb or query needs the right to."""

    __hash__ = object.__hash__  # Enum's own is written in Python, and every request asks

    PUBLIC = "public"
    """Needs no identity: health and login, nothing else."""
    OWN = "own"
    """Concerns the caller alone: own password, own sessions."""
    LOOK = "look"
    """Read points, history, devices."""
    WRITE = "write"
    """Write a value to a machine."""
    CONFIGURE = "configure"
    """Change what the plant is: import data, reload settings, saved views of others."""
    ADMINISTER = "administer"
    """Users, tokens, the audit trail."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking, once that is established."""

    name: str
    """Name of the user, or of the token as `user/token-name`."""
    actions: frozenset[Action] = frozenset()
    """All that this identity may do, as its role (and a token's scope) says."""
    branches: tuple[str, ...] = ("",)
    """Branches of the namespace that it may see and act on; the empty one is everything."""
    session: str = ""
    """Identifier of the session, for logging out; empty for tokens."""


SYSTEM = Identity(name="lineshaft", actions=frozenset(Action))
"""The platform itself."""


class Authorizer(Protocol):
    """Decides."""

    def allows(self, who: Identity, action: Action, path: str = "") -> bool:
        """Whether `who` may do `action` on the point or branch `path`."""


class Audit(Protocol):
    """Keeps what must be provable."""

    async def note(self, event: Event) -> None:
        """Append the event to the log; when this returns it survives a restart.

        Raises:
            Unavailable: the log cannot be written; what was to be audited must not happen.
        """


class Authenticator(Protocol):
    """Turns what a request carries into an identity."""

    async def identify(self, *, session: str, token: str, address: str) -> Identity | None:
        """Who holds the session cookie or the bearer token; None when neither is valid."""
