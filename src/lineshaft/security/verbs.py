"""Command-line verbs of security, for a plant that is stopped: users, tokens, the audit trail.

They open the records file themselves; while the plant runs it holds the file, and says so.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.clock import to_iso
from lineshaft.core.errors import Invalid
from lineshaft.records import Records
from lineshaft.security import Config
from lineshaft.security.access import ROLES
from lineshaft.security.accounts import Wish
from lineshaft.security.gate import Security

ADDRESS = "command line"

Work = Callable[[argparse.Namespace, Security], Awaitable[int]]


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `user`, `token` and `audit` to the program's verbs.

    The program sets `open_records` in the parsed arguments: a function of those whose result
    is an async context manager that gives the plant's records, opened with all collections.
    """
    user = subparsers.add_parser("user", help="users of a stopped plant").add_subparsers(
        required=True, metavar="VERB"
    )
    add = _verb(user, "add", "make a user; prints the one-time password", _add_user)
    add.add_argument("name", help="name to log in with")
    add.add_argument("--role", choices=list(ROLES), default="viewer", help="default: viewer")
    add.add_argument(
        "--branch", action="append", default=[], help="what the user sees (default: everything)"
    )
    _verb(user, "list", "list the users", _list_users)
    reset = _verb(user, "reset-password", "make a new one-time password", _reset_password)
    reset.add_argument("name", help="name of the user")
    _verb(user, "disable", "let a user in no more", _disable).add_argument(
        "name", help="name of the user"
    )
    _verb(user, "enable", "let a disabled user in again", _enable).add_argument(
        "name", help="name of the user"
    )

    token = subparsers.add_parser("token", help="tokens of a stopped plant").add_subparsers(
        required=True, metavar="VERB"
    )
    create = _verb(token, "create", "make a token; prints it once", _create_token)
    create.add_argument("owner", help="the user whose rights bound those of the token")
    create.add_argument("name", help="what the token is for")
    create.add_argument("--action", action="append", default=[], help="default: look")
    create.add_argument(
        "--branch",
        action="append",
        default=[],
        help="what it reaches (default: all of the owner's)",
    )
    create.add_argument("--days", type=float, default=None, help="default: never expires")

    audit = subparsers.add_parser("audit", help="the log of a stopped plant").add_subparsers(
        required=True, metavar="VERB"
    )
    _verb(audit, "verify", "check the hash chain from end to end", _verify)


def _verb(
    family: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    help_: str,
    work: Work,
) -> argparse.ArgumentParser:
    parser = family.add_parser(name, help=help_)
    parser.add_argument(
        "--settings", type=Path, help="settings file of the plant (default: plant.toml, if there)"
    )
    parser.set_defaults(call=lambda args: asyncio.run(_with_security(args, work)))
    return parser


async def _with_security(args: argparse.Namespace, work: Work) -> int:
    records: Records
    async with args.open_records(args) as records:
        security = Security(Config(), records)
        password = await security.start()
        if password:
            print(f"made the user admin; one-time password: {password}")
        return await work(args, security)


async def _add_user(args: argparse.Namespace, security: Security) -> int:
    password = await security.accounts.create(
        args.name, args.role, tuple(args.branch) or ("",), by=SYSTEM, address=ADDRESS
    )
    print(f"one-time password: {password}")
    return 0


async def _list_users(args: argparse.Namespace, security: Security) -> int:
    for user in security.accounts.all():
        seen = "everything" if user.branches == ("",) else ", ".join(user.branches)
        last = to_iso(user.last_login_ns) if user.last_login_ns else "never"
        state = "disabled" if user.disabled else user.role
        print(f"{user.name:<20} {state:<10} sees {seen}; last login {last}")
    return 0


async def _reset_password(args: argparse.Namespace, security: Security) -> int:
    _, password = await security.accounts.change(
        args.name, Wish(reset_password=True), by=SYSTEM, address=ADDRESS
    )
    print(f"one-time password: {password}")
    return 0


async def _disable(args: argparse.Namespace, security: Security) -> int:
    await security.accounts.change(args.name, Wish(disabled=True), by=SYSTEM, address=ADDRESS)
    return 0


async def _enable(args: argparse.Namespace, security: Security) -> int:
    await security.accounts.change(args.name, Wish(disabled=False), by=SYSTEM, address=ADDRESS)
    return 0


async def _create_token(args: argparse.Namespace, security: Security) -> int:
    owner = security.accounts.named(args.owner)
    # Whoever has the records file needs no password, not even a first one.
    who = Identity(
        name=owner.name, actions=ROLES[owner.role], branches=owner.branches, session=ADDRESS
    )
    _, word = await security.tokens.create(
        who,
        args.name,
        actions=args.action,
        branches=args.branch,
        expires_days=args.days,
        address=ADDRESS,
    )
    print(word)
    return 0


async def _verify(args: argparse.Namespace, security: Security) -> int:
    try:
        count = await security.records.verify()
    except Invalid as error:
        print(f"the log is not whole: {error}")
        return 1
    last = await security.records.events(newest_first=True, limit=1)
    print(f"the log is whole: {count} events, last hash {last[0].hash if last else 'none'}")
    return 0
