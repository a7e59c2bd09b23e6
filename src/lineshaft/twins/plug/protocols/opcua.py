"""Interfaces that are OPC UA servers."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from lineshaft.twins.plug.protocols import Built, Intervals
from lineshaft.twins.plug.reading import text
from lineshaft.twins.plug.things import Findings, Form, Thing

_NODE = re.compile(r"(?:(?:ns=\d{1,5}|nsu=[^;]+);)?[isgb]=.+", re.DOTALL)
_PATH = re.compile(r"(?:/(?:\d{1,5}:)?[^/.<>:#!&]+)+")
"""A browse path from the root without what needs escaping."""
_QUERY = re.compile(r"(?:^|[?&])(?:id|nodeid|node)=", re.IGNORECASE)


def build(thing: Thing, intervals: Intervals, findings: Findings) -> Sequence[Built]:
    """The table of an OPC UA interface."""
    points, read = [], []
    for found in thing.properties:
        form = found.forms[0]
        if found.keys:
            findings.error(found.path, "nested properties are not read from OPC UA structures")
            continue
        node = _node(form)
        if node is None:
            findings.error(form.path, f"{form.href!r} names no node; wanted ns=2;s=Name")
            continue
        point = found.point() | {"node": node}
        if found.path in intervals:
            point["sampling_ms"] = intervals[found.path] * 1000
        points.append(point)
        read.append(found)
    if not points:
        return ()
    table = {"kind": "opcua", "url": thing.base, "points": points}
    return (Built(suffix="", table=table, properties=tuple(read)),)


def _node(form: Form) -> str | None:
    """Node identifier in a href, bare or as `?id=` of an address; else the browse path."""
    href = unquote(form.href)
    found = _QUERY.search(href)
    node = (href[found.end() :] if found else href).strip().lstrip("/")
    if _NODE.fullmatch(node):
        return node
    path = text(form.element, "uav_browsePath")
    return path if _PATH.fullmatch(path) else None
