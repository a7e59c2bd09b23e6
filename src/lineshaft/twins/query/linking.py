"""Queries over shells and their submodels at once: the other class is asked first.

What is asked of submodels in a query for shells becomes: it refers to one of these. Conditions on
submodels that stand beside each other in one `$and` must hold for the same submodel; so with shells
in a query for submodels.

Source: IDTA-01002 v3.1, Query Language, Search in AAS Hierarchy.
"""

from collections.abc import Awaitable, Callable

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.twins import Class, Document, index
from lineshaft.twins.documents import Documents
from lineshaft.twins.query import PARTNERS, Compiled, compiled
from lineshaft.twins.query.expressions import (
    All,
    Any_,
    Comparison,
    Condition,
    Const,
    Negation,
    classes_of,
    constant,
)
from lineshaft.twins.query.fields import Field
from lineshaft.twins.query.searching import Scope, search

IDS_MAX = 5000
"""Most documents of the other class that one condition may name."""
PAGES_MAX = 50
"""Most pages that are looked through for them."""
LINKS = {
    Class.SHELL: Field("$aas", (), ("submodels", None, "keys", None, "value")),
    Class.SUBMODEL: Field("$sm", (), ("id",)),
}
"""Where a document has the identifiers of submodels: those it refers to, its own."""

Ask = Callable[[Condition], Awaitable[tuple[str, ...]]]


async def linked(
    documents: Documents, query: Compiled, scope_of: Callable[[Class], Scope]
) -> Compiled:
    """The query with what it asks of the other class answered.

    `scope_of` says which documents of a class the reader may see; only these are asked.

    Raises:
        Invalid: too many of them answer, or one comparison looks at both classes.
    """
    if not query.is_foreign:
        return query
    other = PARTNERS[query.class_]

    async def ask(condition: Condition) -> tuple[str, ...]:
        return await _submodels(documents, compiled(other, condition), scope_of(other))

    condition = await _answered(query.condition, query.class_, ask)
    return compiled(query.class_, condition, ids_only=query.ids_only)


async def _answered(condition: Condition, own: Class, ask: Ask) -> Condition:
    classes = classes_of(condition)
    if classes <= {own}:
        return condition
    if own not in classes:
        return Comparison("$eq", LINKS[own], Const(constant(*await ask(condition))))
    match condition:
        case All(parts=parts):
            foreign = tuple(p for p in parts if classes_of(p) and own not in classes_of(p))
            rest = [await _answered(p, own, ask) for p in parts if p not in foreign]
            return All((*rest, await _answered(All(foreign), own, ask)) if foreign else tuple(rest))
        case Any_(parts=parts):
            return Any_(tuple([await _answered(p, own, ask) for p in parts]))
        case Negation(part=part):
            return Negation(await _answered(part, own, ask))
        case _:
            raise Invalid(
                "one comparison looks at shells and at submodels",
                remedy="Compare fields of each with a value.",
            )


async def _submodels(documents: Documents, query: Compiled, scope: Scope) -> tuple[str, ...]:
    """Submodels that answer, or to which shells that answer refer."""
    ids: dict[str, None] = {}
    cursor = ""
    for _ in range(PAGES_MAX):
        some, cursor = await search(
            documents, query, allowed=scope.where, keep=scope.keep, cursor=cursor, limit=1000
        )
        ids |= dict.fromkeys(id_ for document in some for id_ in _named(document))
        if len(ids) > IDS_MAX:
            break
        if not cursor:
            return tuple(ids)
    raise Invalid(
        f"too many {query.class_.value} answer a part of the query: wanted at most {IDS_MAX}",
        remedy="Narrow that part.",
    )


def _named(document: Document) -> list[str]:
    if document.class_ is Class.SUBMODEL:
        return [document.id]
    shell = msgspec.json.decode(document.data)
    return [key for reference in shell.get("submodels", []) for key in index.keys(reference)]
