"""Roles, branches, and the decision whether somebody may do something."""

from collections.abc import Iterable, Sequence

from lineshaft.core.access import Action, Identity
from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path, is_under

_VIEWER = frozenset({Action.OWN, Action.LOOK})
_OPERATOR = _VIEWER | {Action.WRITE}
_ENGINEER = _OPERATOR | {Action.CONFIGURE}
_ADMIN = _ENGINEER | {Action.ADMINISTER}

ROLES: dict[str, frozenset[Action]] = {
    "viewer": _VIEWER,
    "operator": _OPERATOR,
    "engineer": _ENGINEER,
    "admin": _ADMIN,
}
"""What each role may do; each may all that the one before it may."""
EVERYWHERE = ("",)
"""The branches of who may see the whole namespace."""
BRANCHES_MAX = 100


class Branches:
    """Allows an action that the identity has, on paths inside its branches.

    The empty path is the whole namespace, so it is allowed only to those who see it all.
    """

    def allows(self, who: Identity, action: Action, path: str = "") -> bool:
        """Whether `who` may do `action` on the point or branch `path`."""
        if action is Action.PUBLIC:
            return True
        if action not in who.actions:
            return False
        return any(is_under(path, branch) for branch in who.branches)


def check_role(role: str) -> str:
    """The role itself, when there is one of that name.

    Raises:
        Invalid: there is none.
    """
    if role not in ROLES:
        raise Invalid(f"{role!r} is no role", remedy=f"Take one of: {', '.join(ROLES)}.")
    return role


def check_branches(branches: Iterable[str]) -> tuple[str, ...]:
    """The branches, sorted, without those that lie inside another.

    Raises:
        Invalid: one is no path, there are too many or none.
    """
    given = set(branches)
    if not 1 <= len(given) <= BRANCHES_MAX:
        raise Invalid(
            f"{len(given)} branches given, wanted 1 to {BRANCHES_MAX}",
            remedy="Name the branches to be seen; the empty one is the whole namespace.",
        )
    for branch in given:
        if branch:
            check_path(branch)
    return tuple(
        sorted(b for b in given if not any(b != other and is_under(b, other) for other in given))
    )


def meet(left: Sequence[str], right: Sequence[str]) -> tuple[str, ...]:
    """The branches that lie in both; a path is in them exactly if it is in both."""
    inner = {a for a in left for b in right if is_under(a, b)}
    return tuple(sorted(inner | {b for b in right for a in left if is_under(b, a)}))


def within(inner: Sequence[str], outer: Sequence[str]) -> bool:
    """Whether every branch of `inner` lies in one of `outer`."""
    return all(any(is_under(i, o) for o in outer) for i in inner)


def owner_of(who: Identity) -> str:
    """The user: of a token, `user/token-name`, the part before the slash."""
    return who.name.partition("/")[0]
