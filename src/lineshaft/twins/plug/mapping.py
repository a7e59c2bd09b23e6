"""Mapping configurations: which property of a description goes to which element, how often.

Source: IDTA 02027 1.0 (relations) and 2.0 (sources and sinks).
"""

from collections.abc import Iterator, Sequence

import msgspec

from lineshaft.twins import Json
from lineshaft.twins.model.elements import children
from lineshaft.twins.plug.reading import child, number, reference, text
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


def links(mappings: Sequence[Json], findings: Findings) -> list[Link]:
    """What all mapping configurations say."""
    found: list[Link] = []
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


def _pairs(configuration: Json, place: str, findings: Findings) -> Iterator[Link]:
    """Version 2: sources and sinks that belong together by their ids."""
    transformation = child(configuration, "Transformation").get("value")
    if transformation:
        findings.error(
            f"{place}.Transformation",
            "transformations in Lua are not run, so its sinks are not bound",
        )
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


def _value(element: Json, name: str) -> object:
    return child(element, name).get("value")
