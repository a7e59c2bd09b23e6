"""Tokens: keys for programs, made by a user, never able to do more than that user."""

import secrets
from collections.abc import Callable, Sequence

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import NS_PER_S, now_ns, uuid7
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.security.access import ROLES, check_branches, meet, within
from lineshaft.security.accounts import check_name
from lineshaft.security.audit import Trail
from lineshaft.security.book import Book, Token, User, digest_of

PREFIX = "ls_"
"""So that a token is known for one wherever it turns up."""
CHARS_MAX = 100
DAY_NS = 86_400 * NS_PER_S
DAYS_MAX = 3650
DEFAULT = (Action.LOOK,)


class Tokens:
    """Knows whose token a word is, and what that token may do."""

    def __init__(
        self, book: Book, trail: Trail, *, count_max: int, clock: Callable[[], int] = now_ns
    ) -> None:
        self._book = book
        self._trail = trail
        self._count_max = count_max
        self._clock = clock
        self._used: dict[str, int] = {}
        self._known: dict[str, tuple[User, Token, Identity]] = {}

    def identify(self, word: str) -> Identity | None:
        """Who holds this token; None when it is none, or its time is over."""
        if not word.startswith(PREFIX) or len(word) > CHARS_MAX:
            return None
        digest = digest_of(word)
        token = self._book.tokens.get(digest)
        if token is None:
            return None
        owner = self._book.users.get(token.owner)
        if owner is None or owner.disabled or owner.id != token.owner_id:
            return None
        now = self._clock()
        if token.expires_ns is not None and now >= token.expires_ns:
            return None
        self._used[digest] = now
        known = self._known.get(digest)
        if known is None or known[0] is not owner or known[1] is not token:
            known = self._known[digest] = (owner, token, _identity(owner, token))
        return known[2]

    def of(self, owner: str) -> list[Token]:
        """The tokens of a user, by name, `last_used_ns` as of now."""
        return [
            msgspec.structs.replace(t, last_used_ns=self._used.get(t.digest, t.last_used_ns))
            for t in sorted(self._book.tokens.values(), key=lambda t: t.name)
            if t.owner == owner
        ]

    async def create(
        self,
        who: Identity,
        name: str,
        *,
        actions: Sequence[str] = (),
        branches: Sequence[str] = (),
        expires_days: float | None = None,
        address: str,
    ) -> tuple[Token, str]:
        """A new token of the caller; the word itself is shown once and not kept.

        Without `actions` it may look; without `branches` it sees what its owner sees.

        Raises:
            Denied: the caller is a token, or wants more than it may itself.
            Invalid: the name is taken, or something is no action, branch or span.
        """
        wanted = [_action(a) for a in actions] or list(DEFAULT)
        if not who.session:
            raise Denied("a token cannot make tokens", remedy="Log in with name and password.")
        for action in wanted:
            if action not in who.actions:
                raise Denied(
                    f"{who.name} may not {action.value}, so no token of {who.name} may",
                    remedy="Ask an administrator for another role.",
                )
        seen = check_branches(branches) if branches else who.branches
        if not within(seen, who.branches):
            raise Denied(
                f"{who.name} does not see all of the branches {list(seen)}",
                remedy=f"Choose from: {', '.join(who.branches)}.",
            )
        if expires_days is not None and not 0 < expires_days <= DAYS_MAX:
            raise Invalid(f"expires_days is {expires_days}, wanted above 0 to {DAYS_MAX}")
        word, now = PREFIX + secrets.token_urlsafe(32), self._clock()
        token = Token(
            digest=digest_of(word),
            id=uuid7(),
            owner=who.name,
            owner_id="",
            name=check_name(name),
            actions=tuple(sorted({a.value for a in wanted})),
            branches=seen,
            created_ns=now,
            expires_ns=None if expires_days is None else now + int(expires_days * DAY_NS),
        )
        return await self._book.alone(self._save(token, address)), word

    async def _save(self, token: Token, address: str) -> Token:
        owner = self._book.users.get(token.owner)
        if owner is None or owner.disabled:
            raise Missing(f"there is no user {token.owner!r} any more")
        token = msgspec.structs.replace(token, owner_id=owner.id)
        others = [t for t in self._book.tokens.values() if t.owner == token.owner]
        if any(t.name == token.name for t in others):
            raise Invalid(
                f"{token.owner} has a token {token.name!r} already", remedy="Take another name."
            )
        if len(others) >= self._count_max:
            raise Invalid(
                f"{token.owner} has {len(others)} tokens, more are not allowed",
                remedy="Delete those that are not used, or raise tokens_max.",
            )
        data = {
            "address": address,
            "token": token.name,
            "id": token.id,
            "actions": token.actions,
            "branches": token.branches,
            "expires_ns": token.expires_ns,
        }
        event = self._trail.event("access.token-created", token.owner, data)
        await self._book.save(token, events=[event])
        return token

    async def delete(self, who: Identity, id_: str, *, address: str) -> None:
        """Remove one of the caller's tokens; it is refused from now on.

        Raises:
            Denied: the caller is a token.
            Missing: the caller has none with this id.
        """
        if not who.session:
            raise Denied("a token cannot delete tokens", remedy="Log in with name and password.")

        async def save() -> None:
            found = [t for t in self._book.tokens.values() if t.id == id_ and t.owner == who.name]
            if not found:
                raise Missing(f"{who.name} has no token {id_[:40]!r}")
            data = {"address": address, "token": found[0].name, "id": id_}
            event = self._trail.event("access.token-deleted", who.name, data)
            await self._book.save(gone=found, events=[event])

        await self._book.alone(save())

    async def tidy(self) -> None:
        """Write down when tokens were last used."""

        async def save() -> None:
            used = [
                msgspec.structs.replace(t, last_used_ns=self._used[t.digest])
                for t in self._book.tokens.values()
                if self._used.get(t.digest, 0) > (t.last_used_ns or 0)
            ]
            if used:
                await self._book.save(*used)
            self._used = {d: t for d, t in self._used.items() if d in self._book.tokens}
            self._known = {d: k for d, k in self._known.items() if d in self._book.tokens}

        await self._book.alone(save())


def _action(name: str) -> Action:
    grantable = [a.value for a in Action if a is not Action.PUBLIC]
    if name not in grantable:
        raise Invalid(f"{name!r} is no action", remedy=f"Take some of: {', '.join(grantable)}.")
    return Action(name)


def _identity(owner: User, token: Token) -> Identity:
    """What both the token and, today, its owner may do, where both may."""
    scope = frozenset(map(Action, token.actions)) | {Action.OWN}
    return Identity(
        name=f"{owner.name}/{token.name}",
        actions=scope & ROLES.get(owner.role, frozenset()),
        branches=meet(token.branches, owner.branches),
    )
