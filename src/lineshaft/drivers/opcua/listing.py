"""What a server offers, as a list, and the settings that read it."""

import json
from collections.abc import Iterator, Mapping, Sequence

from asyncua import ua

from lineshaft.core.errors import Invalid, Refused
from lineshaft.core.point import value_of
from lineshaft.core.quality import is_bad
from lineshaft.drivers import Found
from lineshaft.drivers.opcua.link import Access, Link
from lineshaft.drivers.opcua.nodes import describe, walk
from lineshaft.drivers.opcua.values import columns

NODES_MAX = 2_000


async def browse(url: str, options: Mapping[str, str]) -> list[Found]:
    """The variables below the `root` of the options, or below the folder `Objects`.

    Raises:
        Refused: the server turns the user down, or the root is not known to it.
        LinkLost: nothing answers.
        Invalid: an option is unknown or makes no sense.
    """
    known = {"root", "nodes_max", "username", "password"}
    if strange := set(options) - known:
        raise Invalid(f"unknown options {sorted(strange)}", remedy=f"Known are {sorted(known)}.")
    nodes_max = options.get("nodes_max", str(NODES_MAX))
    if not nodes_max.isdigit():
        raise Invalid(f"nodes_max is {nodes_max!r}, wanted a whole number")
    access = Access(url, username=options.get("username", ""), password=options.get("password", ""))
    link = Link("browse", access)
    try:
        await link.open()
        root = link.node(options.get("root", f"i={ua.ObjectIds.ObjectsFolder}"))
        branches, _ = await walk(link, root, nodes_max=int(nodes_max))
        if not branches:
            raise Refused(f"{url} has no variables below {root.to_string()}")
        abouts = await describe(link, [b.node for b in branches])
        values = await link.read([(b.node, ua.AttributeIds.Value) for b in branches])
    finally:
        await link.close()
    return [
        Found(
            path=branch.path,
            address=branch.node.to_string(),
            kind=about.kind,
            unit=about.unit,
            low=about.low,
            high=about.high,
            description=about.description,
            writable=about.writable,
            value=None
            if value.Value is None or (value.StatusCode and is_bad(value.StatusCode.value))
            else value_of(about.kind, *columns(value.Value.Value, about.kind)[:2]),
        )
        for branch, about, value in zip(branches, abouts, values, strict=True)
    ]


def settings_for(found: Sequence[Found], *, name: str, address: str, at: str) -> str:
    """A table `[[drivers]]` that reads what was found; the server tells units and ranges."""
    lines = [
        "[[drivers]]",
        f"name = {quoted(name)}",
        'kind = "opcua"',
        f"url = {quoted(address)}",
        f"at = {quoted(at)}",
        "points = [",
        *_point_lines(found),
        "]",
    ]
    return "\n".join(lines) + "\n"


def _point_lines(found: Sequence[Found]) -> Iterator[str]:
    for one in found:
        words = [one.kind.value, one.unit, one.description.replace("\n", " ")]
        comment = ", ".join(w for w in words if w)
        shown = "".join(c for c in comment if c.isprintable())
        yield f"    {{ name = {quoted(one.path)}, node = {quoted(one.address)} }},  # {shown}"


def quoted(text: str) -> str:
    """The text as a basic string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
