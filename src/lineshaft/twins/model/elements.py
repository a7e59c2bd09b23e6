"""The tree of a submodel: finding, adding, replacing, removing its elements in place."""

from collections.abc import Callable, Iterator

from lineshaft.core.errors import Invalid, Missing, Stale
from lineshaft.twins import Json
from lineshaft.twins.model.paths import Steps, path_text

CHILDREN = {
    "Submodel": "submodelElements",
    "SubmodelElementCollection": "value",
    "SubmodelElementList": "value",
    "Entity": "statements",
    "AnnotatedRelationshipElement": "annotations",
}
"""The attribute that holds the elements, of every type that has some."""

LIST = "SubmodelElementList"
"""The one type whose elements are told apart by index."""


def children(parent: Json) -> list[Json]:
    """The elements directly within; empty for what cannot hold any.

    The list is the parent's own where it has one, so do not change it.
    """
    found: list[Json] = parent.get(CHILDREN.get(parent.get("modelType", ""), ""), [])
    return found


def find(submodel: Json, steps: Steps) -> Json:
    """The element at a path; the submodel itself for no steps.

    Raises:
        Missing: there is none; the message names the path and how far it led.
    """
    place = submodel
    for depth, step in enumerate(steps):
        at = _position(place, step)
        if at is None:
            raise no_element(submodel, steps, depth)
        place = children(place)[at]
    return place


def insert(submodel: Json, parent_steps: Steps, element: Json) -> str:
    """Add an element as the last of its parent; its path.

    Raises:
        Missing: the parent does not exist.
        Invalid: the parent cannot hold elements, or the element has no idShort.
        Stale: the parent has an element of that idShort.
    """
    parent = find(submodel, parent_steps)
    key = CHILDREN.get(parent.get("modelType", ""))
    if key is None:
        raise Invalid(
            f"element {path_text(parent_steps)!r} is a {parent.get('modelType')}, "
            "which cannot hold elements",
            remedy=f"add to one of {', '.join(CHILDREN)}",
        )
    step: str | int = len(children(parent))
    if parent["modelType"] != LIST:
        step = _name(element, parent_steps)
        if _position(parent, step) is not None:
            raise Stale(
                f"element {path_text((*parent_steps, step))!r} is already there",
                remedy="replace it with PUT, or choose another idShort",
            )
    parent.setdefault(key, []).append(element)
    return path_text((*parent_steps, step))


def put(submodel: Json, steps: Steps, element: Json) -> bool:
    """Set the element at a path; True if there was none.

    Raises:
        Missing: the parent does not exist, or the index lies beyond the end of the list.
        Invalid: no steps, a parent that cannot hold elements, or an idShort other than the path's.
    """
    if not steps:
        raise Invalid("an element cannot take the place of its submodel", remedy="name its path")
    *above, last = steps
    parent_steps = tuple(above)
    parent = find(submodel, parent_steps)
    if isinstance(last, str) and element.setdefault("idShort", last) != last:
        raise Invalid(
            f"element {path_text(steps)!r} came with the idShort {element['idShort']!r}",
            remedy=f"send it with the idShort {last!r}, or to the path of its own name",
        )
    at = _position(parent, last)
    if at is not None:
        children(parent)[at] = element
        return False
    if isinstance(last, int) and (parent.get("modelType") != LIST or last > len(children(parent))):
        raise no_element(submodel, steps, len(above))
    if isinstance(last, str) and parent.get("modelType") == LIST:
        raise no_element(submodel, steps, len(above))
    insert(submodel, parent_steps, element)
    return True


def remove(submodel: Json, steps: Steps) -> Json:
    """Take the element at a path out; what was taken.

    Raises:
        Missing: there is none.
        Invalid: no steps.
    """
    if not steps:
        raise Invalid(
            "a submodel cannot be removed from itself", remedy="name the path of an element"
        )
    parent = find(submodel, steps[:-1])
    at = _position(parent, steps[-1])
    if at is None:
        raise no_element(submodel, steps, len(steps) - 1)
    removed = children(parent).pop(at)
    if not children(parent):
        # The metamodel knows no empty lists: what holds nothing has no such attribute.
        del parent[CHILDREN[parent["modelType"]]]
    return removed


def prune(submodel: Json, hidden: Callable[[str], bool]) -> None:
    """Take out every element whose path is hidden, with all below; in one pass."""
    todo: list[tuple[str, Json]] = [("", submodel)]
    while todo:
        path, parent = todo.pop()
        kept: list[Json] = []
        for at, element in enumerate(children(parent)):
            where = _path_of(path, parent, at, element)
            if where and hidden(where):
                continue
            kept.append(element)
            if where and element.get("modelType") in CHILDREN:
                todo.append((where, element))
        if len(kept) == len(children(parent)):
            continue
        if kept:
            parent[CHILDREN[parent["modelType"]]] = kept
        else:  # the metamodel knows no empty lists
            del parent[CHILDREN[parent["modelType"]]]


def _path_of(above: str, parent: Json, at: int, element: Json) -> str:
    """Path of an element; empty for one without the idShort that it needs."""
    if parent.get("modelType") == LIST:
        return f"{above}[{at}]"
    name = element.get("idShort", "")
    return f"{above}.{name}" if above and name else name


def walk(submodel: Json) -> Iterator[tuple[str, Json]]:
    """Every element with its path, parents first, in the order of the document.

    An element without an idShort where one is needed has no path and is left out, with all below.
    """
    stack = [_paths("", submodel)]
    while stack:
        for path, element in stack[-1]:
            yield path, element
            if element.get("modelType") in CHILDREN:
                stack.append(_paths(path, element))
                break
        else:
            stack.pop()


def _paths(path: str, parent: Json) -> Iterator[tuple[str, Json]]:
    if parent.get("modelType") == LIST:
        for at, element in enumerate(children(parent)):
            yield f"{path}[{at}]", element
        return
    prefix = f"{path}." if path else ""
    for element in children(parent):
        if name := element.get("idShort"):
            yield prefix + name, element


def _position(parent: Json, step: str | int) -> int | None:
    elements = children(parent)
    if (parent.get("modelType") == LIST) is not isinstance(step, int):
        return None
    if isinstance(step, int):
        return step if step < len(elements) else None
    for at, element in enumerate(elements):
        if element.get("idShort") == step:
            return at
    return None


def _name(element: Json, parent_steps: Steps) -> str:
    name = element.get("idShort")
    if not isinstance(name, str) or not name:
        raise Invalid(
            f"an element for {path_text(parent_steps) or 'the submodel'!r} came without an idShort",
            remedy="give it an idShort; only elements of a SubmodelElementList may go without",
        )
    return name


def no_element(submodel: Json, steps: Steps, depth: int) -> Missing:
    """That the path leads no further than its first `depth` steps."""
    where = path_text(steps[:depth])
    return Missing(
        f"submodel {submodel.get('id', '')!r} has no element {path_text(steps)!r}: "
        f"{where or 'the submodel'!r} holds no {path_text(steps[depth : depth + 1])!r}",
        remedy="ask for the paths that exist with …/$path",
    )
