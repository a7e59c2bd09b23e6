"""Security knows who is asking, decides what they may do, and keeps the proof.

`gate.Security` is what the plant builds; it fills in the three protocols of `core.access`.

- Whoever is not known is refused; whoever is known may do what the role says, in the branches
  of the namespace given to the account. A token never may more than its owner, at any moment.
- A password is stored as argon2id, a session and a token as SHA-256 of 256 random bits: who
  reads the records learns none of them.
- Every login, refusal, logout and change is an event in the log, written in the same
  transaction as the change. When the log cannot be written, the change does not happen.
- Users, sessions and tokens are held in memory as the records have them; every change goes
  through here, so a change counts with the next request.
"""

from typing import Annotated

from msgspec import Meta

from lineshaft.core.settings import Settings
from lineshaft.records import Collection, Column

COLLECTIONS = (
    Collection(name="users", columns={"role": Column.TEXT, "disabled": Column.BOOLEAN}),
    Collection(name="sessions", columns={"user": Column.TEXT, "expires_ns": Column.INTEGER}),
    Collection(name="tokens", columns={"owner": Column.TEXT, "name": Column.TEXT}),
)


class Config(Settings, frozen=True):
    """What the settings table `[security]` may say."""

    session_idle_s: Annotated[float, Meta(ge=60, le=2_592_000)] = 28_800.0
    """Seconds without a request after which a session ends: a shift."""
    session_max_s: Annotated[float, Meta(ge=60, le=31_536_000)] = 86_400.0
    """Seconds after which a session ends however busy it is."""
    sessions_max: Annotated[int, Meta(ge=1, le=1000)] = 20
    """Sessions that one user may have at once; a new one ends the oldest."""
    tokens_max: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Tokens that one user may have."""
    login_tries: Annotated[int, Meta(ge=1, le=1000)] = 10
    """Wrong passwords in a row for one account, or from one address, before it must wait."""
    login_wait_s: Annotated[float, Meta(ge=0.1, le=3600)] = 20.0
    """Seconds after which one more try is allowed."""
    hash_memory_mib: Annotated[int, Meta(ge=19, le=4096)] = 64
    """Memory that hashing a password takes; more makes stolen hashes dearer to guess."""
    hash_rounds: Annotated[int, Meta(ge=2, le=100)] = 3
    """Rounds over that memory."""
    hash_threads: Annotated[int, Meta(ge=1, le=16)] = 1
    """Passwords hashed at the same time; so many times that memory is taken at most."""
