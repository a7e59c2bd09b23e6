"""Mapping configurations: which property of a description goes to which element, how often.

Source: IDTA 02027 1.0 (relations) and 2.0 (sources and sinks).
"""

import base64
import binascii
from collections.abc import Iterator, Sequence

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.model.elements import children
from lineshaft.twins.plug.reading import child, number, reference, text
from lineshaft.twins.plug.scripts import read_formula
from lineshaft.twins.plug.things import Findings

Target = tuple[str, str]
"""Identifier of a submodel, and idShortPath of an element of it."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One value that goes from a property to an element."""

    path: str
    """Where the mapping says so."""
    source: Target
    sink: Target
    poll_s: float | None = None
    """Seconds between two readings, if the mapping says."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """One element whose value a script works out of several properties."""

    path: str
    script: str
    sink_id: str
    sink: Target
    sources: dict[str, Link]
    """Those that the script looks at, by SourceId; the sink of each is this one's."""


def links(mappings: Sequence[Json], findings: Findings) -> list[Link | Made]:
    """What all mapping configurations say."""
    found: list[Link | Made] = []
    for mapping in mappings:
        configurations = child(mapping, "MappingConfigurations")
        for n, configuration in enumerate(children(configurations)):
            place = f"{mapping.get('idShort', '')}.MappingConfigurations[{n}]"
            if child(configuration, "MappingSourceSinkRelations"):
                found += _relations(configuration, place, findings)
            else:
                found += _pairs(configuration, place, findings)
    return found


def _relations(configuration: Json, place: str, findings: Findings) -> Iterator[Link]:
    """Version 1: relations whose first is the source and whose second the sink."""
    for n, relation in enumerate(children(child(configuration, "MappingSourceSinkRelations"))):
        path = f"{place}.MappingSourceSinkRelations[{n}]"
        source, sink = reference(relation.get("first")), reference(relation.get("second"))
        if source is None or sink is None:
            findings.error(path, "first and second must lead to elements of submodels")
        else:
            yield Link(path=path, source=source, sink=sink)


def _pairs(configuration: Json, place: str, findings: Findings) -> Iterator[Link | Made]:
    """Version 2: sources and sinks that belong together by their ids, or through a script."""
    transformation = child(configuration, "Transformation").get("value")
    if transformation:
        yield from _made(configuration, str(transformation), place, findings)
        return
    default = number(text(configuration, "DefaultPollingInterval"))
    sources = list(children(child(configuration, "Sources")))
    sinks = list(children(child(configuration, "Sinks")))
    by_id = {text(source, "SourceId"): source for source in sources}
    for n, sink in enumerate(sinks):
        path = f"{place}.Sinks[{n}]"
        source = by_id.get(text(sink, "SinkId"))
        if source is None and len(sources) == len(sinks) == 1:
            source = sources[0]
        if source is None:
            findings.error(path, f"no source has the id {text(sink, 'SinkId')!r} of the sink")
            continue
        from_, to = reference(_value(source, "Source")), reference(_value(sink, "Sink"))
        if from_ is None or to is None:
            findings.error(path, "source and sink must lead to elements of submodels")
            continue
        poll_s = number(text(source, "PollingInterval")) or default
        yield Link(
            path=path, source=from_, sink=to, poll_s=poll_s if poll_s and poll_s > 0 else None
        )


def _made(configuration: Json, blob: str, place: str, findings: Findings) -> Iterator[Made]:
    """Sinks whose values a script gives."""
    try:
        script = base64.b64decode(blob, validate=True).decode()
        formula = read_formula(script)
    except (binascii.Error, ValueError):
        findings.error(f"{place}.Transformation", "it is no text in base64")
        return
    except Invalid as error:
        findings.error(
            f"{place}.Transformation",
            f"of Lua, only what works values out is read, so its sinks are not bound: {error}",
        )
        return
    default = number(text(configuration, "DefaultPollingInterval"))
    sources = _by_id(configuration, "Source")
    for name in sorted(formula.sources - sources.keys()):
        findings.error(f"{place}.Transformation", f"no source has the id {name!r}")
    sinks = _by_id(configuration, "Sink")
    for name in sorted(formula.sinks ^ sinks.keys()):
        findings.error(f"{place}.Sinks", f"sink and script do not agree on the id {name!r}")
    if not formula.sources <= sources.keys():
        return
    for name in sorted(formula.sinks & sinks.keys()):
        sink = reference(_value(sinks[name], "Sink"))
        used: dict[str, Link] = {}
        for id_ in sorted(formula.sources):
            source = reference(_value(sources[id_], "Source"))
            poll_s = number(text(sources[id_], "PollingInterval")) or default
            if source is not None and sink is not None:
                used[id_] = Link(
                    path=place,
                    source=source,
                    sink=sink,
                    poll_s=poll_s if poll_s and poll_s > 0 else None,
                )
        if sink is None or len(used) < len(formula.sources):
            findings.error(f"{place}.Sinks", "source and sink must lead to elements of submodels")
        else:
            yield Made(path=place, script=script, sink_id=name, sink=sink, sources=used)


def _by_id(configuration: Json, word: str) -> dict[str, Json]:
    found = children(child(configuration, f"{word}s"))
    return {text(one, f"{word}Id"): one for one in found}


def _value(element: Json, name: str) -> object:
    return child(element, name).get("value")
