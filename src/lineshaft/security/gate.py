"""The gate that the plant builds: who comes in, what they may do, and the proof of it."""

import asyncio
import logging
from collections.abc import Callable

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LineshaftError, Unknown
from lineshaft.records import Records
from lineshaft.security import Config
from lineshaft.security.access import Branches
from lineshaft.security.accounts import Accounts
from lineshaft.security.audit import Announce, Trail, nobody
from lineshaft.security.book import Book
from lineshaft.security.passwords import Hasher
from lineshaft.security.sessions import Limits, Sessions
from lineshaft.security.throttle import Throttle
from lineshaft.security.tokens import Tokens

log = logging.getLogger(__name__)

TIDY_S = 60.0
"""Seconds between writing down when sessions and tokens were last used."""


class Security:
    """Fills in `Authenticator`; its `authorizer` and `audit` fill in the other two.

    `records` are open, with the `COLLECTIONS` of this slice.
    """

    def __init__(
        self,
        config: Config,
        records: Records,
        announce: Announce = nobody,
        *,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self.config = config
        self.records = records
        self.authorizer = Branches()
        self.audit = Trail(records, announce, clock)
        self._book = Book(records, self.audit)
        self._hasher = Hasher(
            memory_mib=config.hash_memory_mib,
            rounds=config.hash_rounds,
            threads=config.hash_threads,
        )
        tries = Throttle(burst=config.login_tries, refill_s=config.login_wait_s, clock=clock)
        self.accounts = Accounts(self._book, self.audit, self._hasher, tries=tries, clock=clock)
        self.sessions = Sessions(
            self._book,
            self.audit,
            Limits(
                idle_s=config.session_idle_s,
                whole_s=config.session_max_s,
                count_max=config.sessions_max,
            ),
            clock,
        )
        self.tokens = Tokens(self._book, self.audit, count_max=config.tokens_max, clock=clock)

    async def start(self) -> str:
        """Read who there is; at the first start of all, make the administrator.

        Returns the administrator's one-time password, to be shown once, or nothing.
        """
        await self._book.load()
        return await self.accounts.first()

    async def run(self) -> None:
        """Until cancelled: write down what may be written late, and once more at the end."""
        troubled = False
        try:
            while True:
                await asyncio.sleep(TIDY_S)
                troubled = not await self._tidied(quiet=troubled)
        finally:
            await self._tidied(quiet=troubled)

    async def _tidied(self, *, quiet: bool) -> bool:
        try:
            await self.tidy()
        except LineshaftError as error:
            if not quiet:
                log.warning("sessions not written down", extra={"cause": str(error)})
            return False
        return True

    async def tidy(self) -> None:
        """Write down when sessions and tokens were last used, and how many were refused.

        Raises:
            Unavailable: the records cannot be written now; it is not lost, but done later.
        """
        await self.audit.flush()
        await self.sessions.tidy()
        await self.tokens.tidy()

    async def identify(self, *, session: str, token: str, address: str) -> Identity | None:
        """Who holds the session cookie or the bearer token; None when neither is valid.

        A token that is given counts alone: a wrong one is not made good by a cookie.
        """
        return self.tokens.identify(token) if token else self.sessions.identify(session)

    async def login(
        self, name: str, password: str, *, address: str, previous: str = ""
    ) -> tuple[str, Identity]:
        """The identifier of a new session, for the cookie, and who it is.

        `previous` is the cookie that came with the request; that session ends.

        Raises:
            Unknown: name or password is wrong, or the account is disabled.
            Unavailable: too many wrong ones came before, or the log cannot be written.
        """
        user = await self.accounts.check(name, password, address)
        old = self._hasher.is_old(user.password)
        new_hash = await self._hasher.hash(password) if old else ""
        begun = await self.sessions.begin(
            user, address=address, previous=previous, new_hash=new_hash
        )
        if begun is None:
            raise Unknown("the account was changed meanwhile", remedy="Log in again.")
        return begun

    async def logout(self, who: Identity, address: str) -> None:
        """End the session that the caller came with."""
        await self.sessions.end(who, address)

    def must_change_password(self, who: Identity) -> bool:
        """Whether the caller can do nothing before changing the one-time password."""
        return bool(who.session) and self.accounts.named(who.name).must_change

    async def denied(
        self, who: Identity | None, action: Action, path: str = "", address: str = ""
    ) -> None:
        """Log that a guard has turned somebody away; to be called by the guard.

        `path` is of the namespace, or the address of a route, with its leading slash.

        Raises:
            Unavailable: the log cannot be written.
        """
        more = {"action": action.value}
        if path.startswith("/"):
            # The address of a route, not a path of the namespace.
            path, more["route"] = "", path
        await self.audit.refused(
            "not-allowed" if who else "not-logged-in",
            actor=who.name if who else "",
            address=address,
            path=path,
            **more,
        )
