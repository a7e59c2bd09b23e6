"""Where a variable is: a node identifier, or a browse path that the server looks up."""

from collections.abc import Sequence

from asyncua import ua
from asyncua.ua.relative_path import RelativePathFormatter

from lineshaft.core.errors import Invalid, Refused
from lineshaft.core.quality import is_bad
from lineshaft.drivers.opcua.link import Link, split_node

ROOT = ua.NodeId(ua.ObjectIds.RootFolder)
NOWHERE = 65_535
"""Index of a namespace that no server has: a node in it is unknown, so that others go on."""


def check_place(text: str) -> None:
    """See that a text is a node identifier or a browse path.

    Raises:
        Invalid: it is neither.
    """
    if text.startswith("/"):
        _path(text)
    else:
        split_node(text)


async def locate(link: Link, texts: Sequence[str]) -> list[ua.NodeId]:
    """The node of each text; one that no server knows where there is none.

    Raises:
        LinkLost: the link broke.
    """
    found = [_node(link, text) for text in texts]
    places = [n for n, text in enumerate(texts) if text.startswith("/")]
    size = link.chunks["browse"]
    for start in range(0, len(places), size):
        part = places[start : start + size]
        asked = [ua.BrowsePath(ROOT, _path(texts[n])) for n in part]
        with link.told("cannot look up browse paths"):
            results = await link.session.translate_browsepaths_to_nodeids(asked)
        for n, result in zip(part, results, strict=True):
            if not is_bad(result.StatusCode.value) and result.Targets:
                target = result.Targets[0].TargetId
                found[n] = ua.NodeId(target.Identifier, target.NamespaceIndex)
    return found


def _node(link: Link, text: str) -> ua.NodeId:
    try:
        return ua.NodeId(text, NOWHERE) if text.startswith("/") else link.node(text)
    except Refused:
        return ua.NodeId(text, NOWHERE)


def _path(text: str) -> ua.RelativePath:
    """A browse path from the root folder. Source: OPC 10000-4, A.2."""
    try:
        return RelativePathFormatter.parse(text).build()
    except (ua.UaError, ValueError) as error:
        raise Invalid(
            f"{text!r} is no browse path: {error}",
            remedy="Write it from the root, like /0:Objects/2:Press/2:Temperature.",
        ) from None
