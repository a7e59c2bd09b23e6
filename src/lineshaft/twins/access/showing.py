"""What one rule shows of one document: whether it holds, what its filters let through."""

from collections.abc import Sequence

import msgspec

from lineshaft.core.errors import Invalid, Missing
from lineshaft.twins import Document, Json
from lineshaft.twins.access.rules import Filter, Object, Rule
from lineshaft.twins.index import Steps
from lineshaft.twins.model.elements import find, walk
from lineshaft.twins.model.paths import parse_path
from lineshaft.twins.query.evaluate import holds
from lineshaft.twins.query.expressions import Condition
from lineshaft.twins.query.fields import Wild, matches


class Active(msgspec.Struct, frozen=True):
    """A rule made ready for one identity."""

    rule: Rule
    formula: Condition
    filters: tuple[tuple[Filter, Condition], ...]


def seen_paths(fitting: Sequence[tuple[Active, Object]], doc: Document) -> frozenset[str]:
    """Paths of the elements that one of the rules shows, or that lead to one."""
    obj = msgspec.json.decode(doc.data)
    return frozenset(
        path
        for path, element in walk(obj)
        for steps in (parse_path(path),)
        if any(
            leads(o, steps) or (covers(o, steps) and passes(active, obj, steps, element))
            for active, o in fitting
        )
    )


def fulfils(condition: Condition, obj: Json) -> bool:
    """Whether a document fulfils the formula of a rule."""
    try:
        return holds(condition, obj)
    except Invalid:  # a pattern that takes too many steps allows nothing
        return False


def covers(o: Object, steps: Steps) -> bool:
    """Whether the object is the element, or above it."""
    return len(o.path) <= len(steps) and _along(o.path, steps[: len(o.path)])


def leads(o: Object, steps: Steps) -> bool:
    """Whether the element is above the object, so that it must be shown to get there."""
    return len(steps) < len(o.path) and _along(o.path[: len(steps)], steps)


def _along(path: Wild, steps: Steps) -> bool:
    return len(path) == len(steps) and matches(path, steps)


def filters_of(active: Active, root: str) -> list[tuple[Filter, Condition]]:
    """The filters of a rule that speak of elements (`$sme`) or asset identifiers."""
    return [(f, c) for f, c in active.filters if f.root == root]


def shows(active: Active, doc: Document, path: str, *, makes: bool) -> bool:
    """Whether the filters of a rule let an element through; of one that is not there, `makes`."""
    if not filters_of(active, "$sme"):
        return True
    obj, steps = msgspec.json.decode(doc.data), parse_path(path)
    try:
        return passes(active, obj, steps, find(obj, steps))
    except Missing:
        return makes


def passes(active: Active, submodel: Json, steps: Steps, element: Json) -> bool:
    """Whether every filter that speaks of the element holds for it, taken by itself."""
    inside = isinstance(element.get("value"), list) and "Collection" in str(element["modelType"])
    bare = {k: v for k, v in element.items() if k != "value"} if inside else element
    alone = submodel | {"submodelElements": [bare]}
    return all(
        fulfils(condition, alone)
        for filter_, condition in filters_of(active, "$sme")
        if matches(filter_.path, steps)
    )


def holds_for(active: Active, root: str, obj: Json, item: Json) -> bool:
    """Whether every filter holds for an asset identifier, taken by itself."""
    alone = with_asset_ids(root, obj, [item])
    return all(fulfils(condition, alone) for _, condition in filters_of(active, root))


def with_asset_ids(root: str, obj: Json, items: list[Json]) -> Json:
    """The shell or descriptor with these specific asset identifiers and no others."""
    if root == "$aas":
        return obj | {"assetInformation": obj["assetInformation"] | {"specificAssetIds": items}}
    return obj | {"specificAssetIds": items}
