"""Interfaces that speak HTTP."""

from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

import msgspec

from lineshaft.twins import Json
from lineshaft.twins.model.elements import children
from lineshaft.twins.plug.protocols import Built, Intervals
from lineshaft.twins.plug.reading import child, text
from lineshaft.twins.plug.things import Findings, Form, Property, Thing

WRITES = ("PUT", "PATCH", "POST")


def build(thing: Thing, intervals: Intervals, findings: Findings) -> Sequence[Built]:
    """The table of an HTTP interface."""
    base = urlsplit(thing.base)
    if base.username is not None or base.query or base.fragment:
        place = f"{thing.path}.EndpointMetadata.base"
        findings.error(place, "an address with a user, a query or a fragment is not connected")
        return ()
    points, read = [], []
    for found in thing.properties:
        form = next((f for f in found.forms if _method(f) == "GET"), None)
        if form is None:
            findings.error(
                found.forms[0].path,
                f"{_method(found.forms[0])} may change the machine and is not sent to read;"
                " there is no form with GET",
            )
            continue
        point = _point(thing, found, form, findings)
        if point is None:
            continue
        if found.path in intervals:
            point["poll_s"] = intervals[found.path]
        points.append(point)
        read.append(found)
    if not points:
        return ()
    table = {"kind": "http", "base_url": thing.base, "points": points}
    return (Built(suffix="", table=table, properties=tuple(read)),)


def _method(form: Form) -> str:
    writes = "write" in form.operation and "read" not in form.operation
    return text(form.element, "htv_methodName", "PUT" if writes else "GET").upper()


def _point(thing: Thing, found: Property, form: Form, findings: Findings) -> Json | None:
    media = form.content_type.partition(";")[0].strip().lower()
    is_json = media == "application/json" or media.endswith("+json")
    if not is_json and media != "text/plain":
        findings.error(form.path, f"payloads of type {media!r} are not read, only JSON and text")
        return None
    if found.keys and not is_json:
        findings.error(found.path, f"nested properties need JSON, not {media!r}")
        return None
    if not _is_same(thing.base, form.href):
        findings.error(form.path, f"{form.href!r} leads to another host than {thing.base!r}")
        return None
    point = found.point() | {"href": form.href, "kind": found.kind}
    if is_json:
        steps = (key.replace("~", "~0").replace("/", "~1") for key in found.keys)
        point["pointer"] = "".join(f"/{step}" for step in steps)
    else:
        point["payload"] = "text"
    if headers := _headers(form):
        point["headers"] = headers
    writing = next((f for f in found.forms if _method(f) in WRITES), None)
    if writing is not None and found.is_whole and _is_same(thing.base, writing.href):
        point["write"] = {"method": _method(writing), "href": writing.href, "content_type": media}
        if found.keys:
            # A key that looks like the place of the value must not be taken for it.
            key = msgspec.json.encode(found.keys[0]).decode().replace("$", r"\u0024")
            point["write"]["body"] = f"{{{key}: $value}}"
    return point


def _headers(form: Form) -> dict[str, str]:
    pairs = (
        (text(e, "htv_fieldName"), text(e, "htv_fieldValue"))
        for e in children(child(form.element, "htv_headers"))
    )
    return {name: value for name, value in pairs if name}


def _is_same(base: str, href: str) -> bool:
    """Whether a href stays with the scheme, host and port of the base."""
    try:
        theirs = urlsplit(urljoin(base, href))
    except ValueError:
        return False
    ours = urlsplit(base)
    return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
