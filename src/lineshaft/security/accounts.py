"""Accounts of people: made, changed and disabled by administrators; the password by the owner."""

import unicodedata
from collections.abc import Callable

import msgspec

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.clock import now_ns, uuid7
from lineshaft.core.errors import Denied, Invalid, Missing, Unavailable, Unknown
from lineshaft.core.event import Event
from lineshaft.security.access import EVERYWHERE, check_branches, check_role
from lineshaft.security.audit import Trail
from lineshaft.security.book import Book, User
from lineshaft.security.passwords import Hasher, check_password, one_time_password
from lineshaft.security.throttle import Throttle, neighbourhood

FIRST_NAME = "admin"
NAME_CHARS_MAX = 64


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What an administrator wants changed; None leaves it as it is."""

    role: str | None = None
    branches: tuple[str, ...] | None = None
    disabled: bool | None = None
    reset_password: bool = False


class Accounts:
    """Knows the users and their passwords."""

    def __init__(
        self,
        book: Book,
        trail: Trail,
        hasher: Hasher,
        *,
        tries: Throttle,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._book = book
        self._trail = trail
        self._hasher = hasher
        self._tries = tries
        self._clock = clock

    def all(self) -> list[User]:
        """All users by name."""
        return [user for _, user in sorted(self._book.users.items())]

    def named(self, name: str) -> User:
        """The user of that name.

        Raises:
            Missing: there is none.
        """
        user = self._book.users.get(_normal(name))
        if user is None:
            raise Missing(f"there is no user {name[:NAME_CHARS_MAX]!r}")
        return user

    async def first(self) -> str:
        """Make the administrator when there is no user; the one-time password, or nothing."""
        if self._book.users:
            return ""
        return await self.create(FIRST_NAME, "admin", by=SYSTEM, address="first start")

    # ---- for administrators

    async def create(
        self,
        name: str,
        role: str,
        branches: tuple[str, ...] = EVERYWHERE,
        *,
        by: Identity,
        address: str,
    ) -> str:
        """Make a user; returns the password for the first login.

        Raises:
            Invalid: name, role or branches cannot be, or the name is taken.
        """
        name, password = check_name(name), one_time_password()
        user = User(
            name=name,
            id=uuid7(),
            role=check_role(role),
            branches=_branches_of(role, branches),
            password=await self._hasher.hash(password),
            created_ns=self._clock(),
            must_change=True,
        )

        async def save() -> None:
            if name in self._book.users:
                raise Invalid(f"there is a user {name!r} already", remedy="Take another name.")
            event = self._event(
                "user-created", by, address, user=name, role=role, branches=user.branches
            )
            await self._book.save(user, events=[event])

        await self._book.alone(save())
        return password

    async def change(
        self, name: str, wish: Wish, *, by: Identity, address: str
    ) -> tuple[User, str]:
        """Change a user; returns it, and the new password when one was wished.

        Disabling and resetting the password end all sessions of the user.

        Raises:
            Missing: there is no such user.
            Invalid: role or branches cannot be, or no administrator would be left.
        """
        name = self.named(name).name
        password = one_time_password() if wish.reset_password else ""
        hash_ = await self._hasher.hash(password) if password else ""

        async def save() -> User:
            old = self.named(name)
            new = _wished(old, wish, hash_)
            if new == old:
                return old
            self._keep_an_administrator(new)
            events = []
            if replaced(old, new):
                events.append(
                    self._event("user-changed", by, address, user=name, **replaced(old, new))
                )
            if password:
                events.append(self._event("password-reset", by, address, user=name))
            await self._book.save(new, events=events)
            return new

        return await self._book.alone(save()), password

    async def delete(self, name: str, *, by: Identity, address: str) -> None:
        """Remove a user with all sessions and tokens.

        Raises:
            Missing: there is no such user.
            Invalid: no administrator would be left.
        """

        async def save() -> None:
            user = self.named(name)
            self._keep_an_administrator(user, gone=True)
            gone = [s for s in self._book.sessions.values() if s.user == user.name]
            tokens = [t for t in self._book.tokens.values() if t.owner == user.name]
            event = self._event("user-deleted", by, address, user=user.name)
            await self._book.save(gone=[user, *gone, *tokens], events=[event])

        await self._book.alone(save())

    def _keep_an_administrator(self, changed: User, *, gone: bool = False) -> None:
        if changed.role == "admin" and not changed.disabled and not gone:
            return
        others = (u for u in self._book.users.values() if u.name != changed.name)
        was = self._book.users[changed.name]
        if was.role == "admin" and not any(u.role == "admin" and not u.disabled for u in others):
            raise Invalid(
                f"{changed.name} is the only administrator",
                remedy="Make another administrator first.",
            )

    # ---- for the user

    async def check(self, name: str, password: str, address: str) -> User:
        """The user whose name and password these are.

        Raises:
            Unknown: they are nobody's, or the account is disabled.
            Unavailable: too many wrong ones came from there, or for that account.
        """
        user = self._book.users.get(_normal(name))
        # A name that is no user's may be a password typed into the wrong field: not logged.
        actor = user.name if user else ""
        keys = [f"from {neighbourhood(address)}", f"for {_normal(name)[:NAME_CHARS_MAX]}"]
        await self._throttled(keys, actor, address)
        if not await self._hasher.fits(password, user.password if user else None):
            reason = "wrong-password" if user else "unknown-user"
            await self._trail.refused(reason, actor=actor, address=address)
            raise _unknown()
        assert user is not None  # noqa: S101 - nobody's hash fits no password
        if user.disabled:
            await self._trail.refused("disabled", actor=actor, address=address)
            raise _unknown()
        self._tries.give_back(keys[0])
        self._tries.clear(keys[1])
        return user

    async def _throttled(self, keys: list[str], actor: str, address: str) -> None:
        waits = [self._tries.take(key) for key in keys]
        if not any(waits):
            return
        for key, wait in zip(keys, waits, strict=True):
            if not wait:
                self._tries.give_back(key)
        await self._trail.refused("throttled", actor=actor, address=address)
        raise Unavailable(
            "too many wrong passwords", remedy=f"Try again in {max(waits):.0f} seconds."
        )

    async def set_password(self, who: Identity, old: str, new: str, address: str) -> None:
        """Change one's own password; ends all other sessions of the user.

        Raises:
            Denied: the caller is a token.
            Unknown: the old password is wrong.
            Invalid: the new one may not be a password, or is the old one.
        """
        if not who.session:
            raise Denied(
                "a token cannot change a password", remedy="Log in with name and password."
            )
        user = await self.check(who.name, old, address)
        if new == old:
            raise Invalid("the new password is the old one", remedy="Take another one.")
        hash_ = await self._hasher.hash(check_password(new, user.name))

        async def save() -> None:
            now = self.named(who.name)
            if now.password != user.password or now.disabled:
                raise Unknown("the password was changed meanwhile", remedy="Log in again.")
            changed = msgspec.structs.replace(
                now, password=hash_, must_change=False, epoch=now.epoch + 1
            )
            kept = []
            if own := self._book.sessions.get(who.session):
                kept.append(msgspec.structs.replace(own, epoch=changed.epoch))
            event = self._event("password-changed", who, address, user=now.name)
            await self._book.save(changed, *kept, events=[event])

        await self._book.alone(save())

    def _event(self, what: str, by: Identity, address: str, **data: object) -> Event:
        return self._trail.event(f"access.{what}", by.name, {"address": address} | data)


def check_name(name: str) -> str:
    """The name of an account or token in its normal form: composed, in lower case.

    Raises:
        Invalid: it is empty, too long, or holds other than letters, digits and `. _ @ -`.
    """
    normal = _normal(name)
    if not 1 <= len(normal) <= NAME_CHARS_MAX:
        raise Invalid(f"the name has {len(normal)} characters, wanted 1 to {NAME_CHARS_MAX}")
    for char in normal:
        if not char.isalnum() and char not in "._@-":
            raise Invalid(
                f"name {name!r} holds {char!r}", remedy="Take letters, digits and . _ @ - only."
            )
    return normal


def _normal(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def _branches_of(role: str, branches: tuple[str, ...]) -> tuple[str, ...]:
    checked = check_branches(branches)
    if role == "admin" and checked != EVERYWHERE:
        # Who can make users can make one that sees everything.
        raise Invalid(
            "an administrator cannot be limited to branches",
            remedy="Take the role engineer, or leave the branches out.",
        )
    return checked


def _wished(old: User, wish: Wish, hash_: str) -> User:
    role = old.role if wish.role is None else check_role(wish.role)
    disabled = old.disabled if wish.disabled is None else wish.disabled
    new = msgspec.structs.replace(
        old,
        role=role,
        branches=_branches_of(role, old.branches if wish.branches is None else wish.branches),
        disabled=disabled,
    )
    if hash_:
        new = msgspec.structs.replace(new, password=hash_, must_change=True)
    if hash_ or (disabled and not old.disabled):
        new = msgspec.structs.replace(new, epoch=old.epoch + 1)
    return new


def replaced(old: User, new: User) -> dict[str, object]:
    """What of role, branches and disabled is another now, for the log."""
    fields = ("role", "branches", "disabled")
    return {f: getattr(new, f) for f in fields if getattr(new, f) != getattr(old, f)}


def _unknown() -> Unknown:
    return Unknown("name or password is wrong", remedy="Check both, and the keyboard's layout.")
