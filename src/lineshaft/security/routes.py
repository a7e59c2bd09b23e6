"""HTTP routes of security: session, password, tokens, users, audit."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.params import Parameter

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import to_iso
from lineshaft.core.errors import Denied, Invalid
from lineshaft.records import Logged
from lineshaft.security.access import EVERYWHERE, owner_of
from lineshaft.security.accounts import Wish
from lineshaft.security.book import Token, User
from lineshaft.security.gate import Security
from lineshaft.web import Handlers, delete, get, patch, post, put
from lineshaft.web.identify import COOKIE, address_of

Asked = Request[Any, Any, Any]


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to come in."""

    name: str
    password: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who the caller is."""

    name: str
    role: str
    """Role of the account; of a token, that of its owner."""
    actions: list[str]
    branches: list[str]
    must_change_password: bool


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of the caller's password."""

    old: str
    new: str


class NewToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The wish for a token."""

    name: str
    actions: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    expires_days: float | None = None


class MadeToken(msgspec.Struct, frozen=True, kw_only=True):
    """A new token; the word is not shown again."""

    id: str
    name: str
    token: str


class TokenLine(msgspec.Struct, frozen=True, kw_only=True):
    """What can be seen of a token."""

    id: str
    name: str
    actions: list[str]
    branches: list[str]
    created: str
    expires: str | None
    last_used: str | None


class Tokens(msgspec.Struct, frozen=True):
    """The caller's tokens."""

    items: list[TokenLine]


class NewUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The wish for a user."""

    name: str
    role: str
    branches: tuple[str, ...] = EVERYWHERE


class ChangedUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be another with a user; what is left out stays."""

    role: str | None = None
    branches: tuple[str, ...] | None = None
    disabled: bool | None = None
    reset_password: bool = False


class UserLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What can be seen of a user."""

    name: str
    role: str
    branches: list[str]
    disabled: bool
    created: str
    last_login: str | None
    password: str = ""
    """A new one-time password, shown once."""


class Users(msgspec.Struct, frozen=True):
    """All users."""

    items: list[UserLine]


class MadeUser(msgspec.Struct, frozen=True, kw_only=True):
    """A new user; the one-time password is not shown again."""

    name: str
    password: str


class EventLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the log."""

    seq: int
    hash: str
    id: str
    time: str
    time_ns: int
    kind: str
    path: str
    actor: str
    data: dict[str, Any]


class Events(msgspec.Struct, frozen=True):
    """Part of the log."""

    items: list[EventLine]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What came of checking the hash chain."""

    events: int
    """Events in the log when it is whole, else 0."""
    ok: bool
    problem: str = ""
    """The first event that is not what was written."""


# ---- the session


@post("/session", action=Action.PUBLIC, status_code=200)
async def log_in(data: Login, request: Asked, security: Security) -> Response[Me]:
    """Log in with name and password; the session comes as a cookie."""
    cookie, who = await security.login(
        data.name,
        data.password,
        address=address_of(request.scope),
        previous=request.cookies.get(COOKIE, ""),
    )
    return Response(_me(security, who), cookies=[_cookie(request, security, cookie)])


@get("/session", action=Action.OWN)
async def me(who: Identity, security: Security) -> Me:
    """Who the caller is and what it may do."""
    return _me(security, who)


@delete("/session", action=Action.OWN, status_code=204)
async def log_out(who: Identity, request: Asked, security: Security) -> Response[None]:
    """Log out."""
    await security.logout(who, address_of(request.scope))
    response: Response[None] = Response(None)
    response.delete_cookie(COOKIE, path="/")
    return response


@put("/password", action=Action.OWN, status_code=204)
async def change_password(
    data: NewPassword, who: Identity, request: Asked, security: Security
) -> None:
    """Change the caller's password; all other sessions of the account end."""
    await security.accounts.set_password(who, data.old, data.new, address_of(request.scope))


# ---- tokens


@get("/tokens", action=Action.OWN)
async def list_tokens(who: Identity, security: Security) -> Tokens:
    """The caller's tokens."""
    return Tokens([_token(t) for t in security.tokens.of(owner_of(who))])


@post("/tokens", action=Action.OWN, status_code=201)
async def create_token(
    data: NewToken, who: Identity, request: Asked, security: Security
) -> MadeToken:
    """Make a token for a program; it is shown this once."""
    token, word = await security.tokens.create(
        who,
        data.name,
        actions=data.actions,
        branches=data.branches,
        expires_days=data.expires_days,
        address=address_of(request.scope),
    )
    return MadeToken(id=token.id, name=token.name, token=word)


@delete("/tokens/{token_id:str}", action=Action.OWN, status_code=204)
async def delete_token(token_id: str, who: Identity, request: Asked, security: Security) -> None:
    """Take a token back; it is refused from now on."""
    await security.tokens.delete(who, token_id, address=address_of(request.scope))


# ---- users


@get("/users", action=Action.ADMINISTER)
async def list_users(security: Security) -> Users:
    """All users."""
    return Users([_user(u) for u in security.accounts.all()])


@post("/users", action=Action.ADMINISTER, status_code=201)
async def create_user(data: NewUser, who: Identity, request: Asked, security: Security) -> MadeUser:
    """Make a user with a one-time password."""
    password = await security.accounts.create(
        data.name, data.role, data.branches, by=who, address=address_of(request.scope)
    )
    return MadeUser(name=security.accounts.named(data.name).name, password=password)


@patch("/users/{name:str}", action=Action.ADMINISTER)
async def change_user(
    name: str, data: ChangedUser, who: Identity, request: Asked, security: Security
) -> UserLine:
    """Change role, branches or password of a user, disable or enable it."""
    wish = Wish(
        role=data.role,
        branches=data.branches,
        disabled=data.disabled,
        reset_password=data.reset_password,
    )
    user, password = await security.accounts.change(
        name, wish, by=who, address=address_of(request.scope)
    )
    return msgspec.structs.replace(_user(user), password=password)


@delete("/users/{name:str}", action=Action.ADMINISTER, status_code=204)
async def delete_user(name: str, who: Identity, request: Asked, security: Security) -> None:
    """Remove a user with all sessions and tokens."""
    await security.accounts.delete(name, by=who, address=address_of(request.scope))


# ---- the audit trail


@get("/audit", action=Action.ADMINISTER)
async def audit(  # noqa: PLR0913, PLR0917 - filters, by name
    who: Identity,
    security: Security,
    after: int = 0,
    before: int | None = None,
    kind: str = "",
    path: str = "",
    actor: str = "",
    newest_first: bool = False,
    limit: Annotated[int, Parameter(ge=1, le=1000)] = 100,
) -> Events:
    """Events of the log, by sequence number."""
    _see_everything(who)
    found = await security.records.events(
        after=after,
        before=before,
        kind=kind,
        path=path,
        actor=actor,
        newest_first=newest_first,
        limit=limit,
    )
    return Events([_event(e) for e in found])


@get("/audit/verify", action=Action.ADMINISTER)
async def verify(who: Identity, security: Security) -> Verified:
    """Check the hash chain of the log from end to end."""
    _see_everything(who)
    try:
        return Verified(events=await security.records.verify(), ok=True)
    except Invalid as error:
        return Verified(events=0, ok=False, problem=str(error))


handlers: Handlers = (
    log_in,
    me,
    log_out,
    change_password,
    list_tokens,
    create_token,
    delete_token,
    list_users,
    create_user,
    change_user,
    delete_user,
    audit,
    verify,
)


def _cookie(request: Asked, security: Security, value: str) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=value,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        max_age=int(security.config.session_max_s),
    )


def _see_everything(who: Identity) -> None:
    """The log is of the whole plant: not for a token that is limited to branches."""
    if who.branches != EVERYWHERE:
        raise Denied(
            f"{who.name} sees only {', '.join(who.branches)}, the log is of the whole plant",
            remedy="Use an identity that is not limited to branches.",
        )


def _me(security: Security, who: Identity) -> Me:
    return Me(
        name=who.name,
        role=security.accounts.named(owner_of(who)).role,
        actions=sorted(a.value for a in who.actions),
        branches=list(who.branches),
        must_change_password=security.must_change_password(who),
    )


def _token(token: Token) -> TokenLine:
    return TokenLine(
        id=token.id,
        name=token.name,
        actions=list(token.actions),
        branches=list(token.branches),
        created=to_iso(token.created_ns),
        expires=_time(token.expires_ns),
        last_used=_time(token.last_used_ns),
    )


def _user(user: User) -> UserLine:
    return UserLine(
        name=user.name,
        role=user.role,
        branches=list(user.branches),
        disabled=user.disabled,
        created=to_iso(user.created_ns),
        last_login=_time(user.last_login_ns),
    )


def _event(logged: Logged) -> EventLine:
    event = logged.event
    return EventLine(
        seq=logged.seq,
        hash=logged.hash,
        id=event.id,
        time=to_iso(event.time_ns),
        time_ns=event.time_ns,
        kind=event.kind,
        path=event.path,
        actor=event.actor,
        data=event.data,
    )


def _time(time_ns: int | None) -> str | None:
    return None if time_ns is None else to_iso(time_ns)
