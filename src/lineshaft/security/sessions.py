"""Sessions of people in a browser: begun by a password, ended by time, logout or a change."""

import secrets
from collections.abc import Callable

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.event import Event
from lineshaft.security.access import ROLES
from lineshaft.security.audit import Trail
from lineshaft.security.book import Book, Session, User, digest_of

CHARS_MAX = 100
"""Longer than any identifier we gave away, so not worth hashing."""
OWN_ONLY = frozenset({Action.OWN})


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long sessions last, and how many there may be."""

    idle_s: float
    """Seconds without a request."""
    whole_s: float
    """Seconds in all."""
    count_max: int
    """Sessions of one user at once."""


class Sessions:
    """Knows whose session an identifier is."""

    def __init__(
        self, book: Book, trail: Trail, limits: Limits, clock: Callable[[], int] = now_ns
    ) -> None:
        self._book = book
        self._trail = trail
        self._limits = limits
        self._clock = clock
        self._seen: dict[str, int] = {}
        """When each session was last used; written to the records only now and then."""
        self._known: dict[str, tuple[User, Identity]] = {}
        """Who each session is, as long as the account is the very one it was made from."""

    def identify(self, cookie: str) -> Identity | None:
        """Who holds this identifier; None when it is no session, or its time is over."""
        if not cookie or len(cookie) > CHARS_MAX:
            return None
        digest = digest_of(cookie)
        session = self._book.sessions.get(digest)
        if session is None:
            return None
        user = self._lives(session)
        if user is None:
            return None
        self._seen[digest] = self._clock()
        known = self._known.get(digest)
        if known is None or known[0] is not user:
            known = self._known[digest] = (user, identity_of(user, digest))
        return known[1]

    def _lives(self, session: Session) -> User | None:
        """The user of the session; None when it is over."""
        user = self._book.users.get(session.user)
        if user is None or user.disabled:
            return None
        if user.id != session.user_id or user.epoch != session.epoch:
            return None
        now = self._clock()
        seen = self._seen.get(session.digest, session.seen_ns)
        if now >= session.expires_ns or now - seen >= self._limits.idle_s * NS_PER_S:
            return None
        return user

    async def begin(
        self, checked: User, *, address: str, previous: str = "", new_hash: str = ""
    ) -> tuple[str, Identity] | None:
        """A new session for a user whose password was right; its identifier is shown once.

        The session `previous`, which the browser had before, ends. None when the account
        has changed since the password was checked.

        Raises:
            Unavailable: the log cannot be written; nobody is logged in.
        """
        cookie = secrets.token_urlsafe(32)

        async def save() -> tuple[str, Identity] | None:
            user = self._book.users.get(checked.name)
            if user is None or user.disabled or user.password != checked.password:
                return None
            now = self._clock()
            session = Session(
                digest=digest_of(cookie),
                user=user.name,
                user_id=user.id,
                epoch=user.epoch,
                created_ns=now,
                seen_ns=now,
                expires_ns=now + int(self._limits.whole_s * NS_PER_S),
                address=address,
            )
            user = msgspec.structs.replace(
                user, last_login_ns=now, password=new_hash or user.password
            )
            event = self._event("login", user.name, address)
            gone = self._too_many(user.name, digest_of(previous))
            await self._book.save(user, session, gone=gone, events=[event])
            return cookie, identity_of(user, session.digest)

        return await self._book.alone(save())

    def _too_many(self, user: str, previous: str) -> list[Session]:
        """The session that the new one replaces, and the oldest of those beyond the limit."""
        all_ = self._book.sessions
        gone = [all_[previous]] if previous in all_ else []
        own = sorted(
            (s for s in all_.values() if s.user == user and s not in gone),
            key=lambda s: s.created_ns,
        )
        return gone + own[: max(len(own) + 1 - self._limits.count_max, 0)]

    async def end(self, who: Identity, address: str) -> None:
        """Log out: the session is over at once."""

        async def save() -> None:
            session = self._book.sessions.get(who.session)
            if session is None:
                return
            event = self._event("logout", session.user, address)
            await self._book.save(gone=[session], events=[event])

        await self._book.alone(save())

    async def tidy(self) -> None:
        """Write down when sessions were last used, and drop those that are over."""

        async def save() -> None:
            over = [s for s in self._book.sessions.values() if self._lives(s) is None]
            gone = {s.digest for s in over}
            used = [
                msgspec.structs.replace(s, seen_ns=self._seen[s.digest])
                for s in self._book.sessions.values()
                if self._seen.get(s.digest, 0) > s.seen_ns and s.digest not in gone
            ]
            if used or over:
                await self._book.save(*used, gone=over)
            self._seen = {d: t for d, t in self._seen.items() if d in self._book.sessions}
            self._known = {d: k for d, k in self._known.items() if d in self._book.sessions}

        await self._book.alone(save())

    def _event(self, what: str, user: str, address: str) -> Event:
        return self._trail.event(f"access.{what}", user, {"address": address})


def identity_of(user: User, session: str) -> Identity:
    """What the user may do; whoever must change the password may do nothing else."""
    actions = OWN_ONLY if user.must_change else ROLES.get(user.role, frozenset())
    return Identity(name=user.name, actions=actions, branches=user.branches, session=session)
