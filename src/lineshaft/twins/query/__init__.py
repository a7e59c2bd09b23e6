"""The query language of IDTA-01002 v3.1: conditions in JSON, compiled for the records."""

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.records import Predicate
from lineshaft.twins import Class, Json
from lineshaft.twins.query.evaluate import holds
from lineshaft.twins.query.expressions import (
    Condition,
    classes_of,
    parse_condition,
    pattern_cost,
)
from lineshaft.twins.query.narrowing import EVERY, narrowed, within

PARTNERS = {Class.SHELL: Class.SUBMODEL, Class.SUBMODEL: Class.SHELL}
"""Classes whose documents refer to each other; a query for one may look at the other."""


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """A query made ready for one search."""

    class_: Class
    predicate: Predicate | None
    """What the records are asked for; None for all documents."""
    exact: bool
    """Whether all that fit the predicate are answers; else `fits` decides."""
    condition: Condition
    ids_only: bool = False
    """Whether only identifiers are wanted (`$select: id`)."""

    @property
    def is_foreign(self) -> bool:
        """Whether it looks at documents of another class, so that it must be linked first."""
        return not classes_of(self.condition) <= {self.class_}

    def fits(self, obj: Json) -> bool:
        """Whether the document fulfils the condition.

        Raises:
            Invalid: a regular expression takes too many steps.
        """
        return holds(self.condition, obj)

    def cost(self) -> int:
        """Steps that regular expressions have taken so far."""
        return pattern_cost(self.condition)


def compile_query(class_: Class, query: object) -> Compiled:
    """A query on documents of a class, from its JSON.

    Raises:
        Invalid: it is not of the language; the message says where.
    """
    if not isinstance(query, dict) or not {"$condition"} <= set(query) <= {"$condition", "$select"}:
        raise Invalid(
            "the query is not an object with $condition and perhaps $select",
            remedy='Write {"$condition": {…}} or {"$select": "id", "$condition": {…}}.',
        )
    if query.get("$select", "id") != "id":
        raise Invalid(f"$select is {str(query['$select'])[:40]!r}, wanted 'id'")
    condition = parse_condition({class_, PARTNERS.get(class_, class_)}, query["$condition"])
    return compiled(class_, condition, ids_only="$select" in query)


def compiled(class_: Class, condition: Condition, *, ids_only: bool = False) -> Compiled:
    """A condition made ready for one search."""
    narrowing = within(narrowed(condition))
    return Compiled(
        class_=class_,
        predicate=None if narrowing.where == EVERY else narrowing.where,
        exact=narrowing.exact,
        condition=condition,
        ids_only=ids_only,
    )
