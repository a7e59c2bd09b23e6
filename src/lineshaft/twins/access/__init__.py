"""Who may do what to which twin: access rules of IDTA-01004 v3.0 on top of the platform's roles.

Without rules, roles and branches decide. Once there are rules, nobody but an administrator may
anything that no rule allows, and a rule never gives more than role and branches do.
"""

import enum

from lineshaft.core.access import Action
from lineshaft.records import Collection


class Right(enum.Enum):
    """What can be done to a document or to a part of it."""

    CREATE = "CREATE"
    READ = "READ"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    EXECUTE = "EXECUTE"
    VIEW = "VIEW"


ACTIONS = {
    Right.CREATE: Action.CONFIGURE,
    Right.READ: Action.LOOK,
    Right.UPDATE: Action.CONFIGURE,
    Right.DELETE: Action.CONFIGURE,
    Right.EXECUTE: Action.WRITE,
    Right.VIEW: Action.LOOK,
}
"""What the role must allow for each right."""

COLLECTION = Collection(name="twin_rules")
"""Keeps one document, `rules`: the rules as they were sent."""
