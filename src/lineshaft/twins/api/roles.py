"""What the platform's roles allow on twins, until rules of their own say more."""

import enum
from collections.abc import Callable

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.records import Compare, Or, Predicate, Prefix
from lineshaft.twins import Class, Document


class Right(enum.Enum):
    """What can be done to a document or to a part of it."""

    CREATE = "CREATE"
    READ = "READ"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    EXECUTE = "EXECUTE"
    VIEW = "VIEW"


_ACTIONS = {
    Right.READ: Action.LOOK,
    Right.VIEW: Action.LOOK,
    Right.EXECUTE: Action.WRITE,
}


class Access:
    """Roles on branches: a document without a branch is for who sees the whole namespace."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def allows(
        self,
        who: Identity,
        right: Right,
        class_: Class,
        doc: Document,
        path: str,
        element: str = "",
    ) -> bool:
        """Whether the role allows it on this branch."""
        return self._authorizer.allows(who, _ACTIONS.get(right, Action.CONFIGURE), path)

    def predicate(self, who: Identity, right: Right, class_: Class) -> Predicate | None:
        """Which documents it is allowed on; None for all."""
        if self._authorizer.allows(who, _ACTIONS.get(right, Action.CONFIGURE), ""):
            return None
        return Or(
            tuple(
                p
                for b in who.branches
                if b
                for p in (Compare("path", "=", b), Prefix("path", b + "/"))
            )
        )

    def hides(self, who: Identity, doc: Document) -> Callable[[str], bool] | None:
        """None: roles hide no elements."""
        return None
