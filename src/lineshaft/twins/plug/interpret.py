"""From descriptions and mappings to settings tables and bindings; nothing is connected here."""

import hashlib
from collections.abc import Sequence
from urllib.parse import urlsplit

from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path, clean_level
from lineshaft.twins import Json
from lineshaft.twins.plug import Binding, Interpreted, Wanted
from lineshaft.twins.plug.credentials import credentials
from lineshaft.twins.plug.mapping import Link, Made, links
from lineshaft.twins.plug.protocols import Build, Built, http, modbus, mqtt, opcua
from lineshaft.twins.plug.things import Findings, Thing, things

PROTOCOLS: dict[str, tuple[str, Build]] = {
    "http": ("http", http.build),
    "https": ("http", http.build),
    "modbus+tcp": ("modbus", modbus.build),
    "modbus": ("modbus", modbus.build),
    "mqtt": ("mqtt", mqtt.build),
    "mqtts": ("mqtt", mqtt.build),
    "opc.tcp": ("opcua", opcua.build),
}
"""Who reads an interface, by the scheme of its base address.

The address decides, since published descriptions give every second interface the semantic id
of MQTT.
"""
NAME_CHARS_MAX = 40


def interpret(aid: Json, mappings: Sequence[Json] = (), *, at: str) -> Interpreted:
    """What a description asks for, its points placed below the branch `at`.

    Raises:
        Invalid: `at` is no branch of the namespace.
    """
    check_path(at)
    findings = Findings()
    own = str(aid.get("id", ""))
    said = links(mappings, findings)
    wishes = [one for one in said if isinstance(one, Link) and one.source[0] == own]
    scripts = [one for one in said if isinstance(one, Made) and _is_of(one, own, findings)]
    read = [*wishes, *(link for one in scripts for link in one.sources.values())]
    intervals = {link.source[1]: link.poll_s for link in read if link.poll_s}
    wanted: list[Wanted] = []
    points: dict[str, str] = {}
    if aid.get("kind") == "Template":
        findings.error("", "it is a template, which describes no machine")
    else:
        for thing in things(aid, findings):
            for made, built in _tables(thing, own, at, intervals, findings):
                wanted.append(made)
                branch = made.table["at"]
                points |= {p.path: f"{branch}/{p.name}" for p in built.properties}
    return Interpreted(
        wanted=tuple(wanted),
        points=points,
        bindings=tuple(_bindings(wishes, scripts, points, findings)),
        findings=tuple(findings.items),
    )


def _tables(
    thing: Thing, own: str, at: str, intervals: dict[str, float], findings: Findings
) -> list[tuple[Wanted, Built]]:
    """The connections of one interface."""
    scheme = thing.base.partition("://")[0].lower()
    if scheme not in PROTOCOLS:
        findings.error(
            f"{thing.path}.EndpointMetadata.base",
            f"{thing.base[:80]!r} is not connected; known are {', '.join(PROTOCOLS)}",
        )
        return []
    if not _names_host(thing.base):
        findings.error(
            f"{thing.path}.EndpointMetadata.base",
            f"{thing.base[:80]!r} names no host and port; wanted {scheme}://host:port",
        )
        return []
    protocol, build = PROTOCOLS[scheme]
    needed = credentials(thing, protocol, findings)
    branch = f"{at}/{clean_level(thing.path)}"
    try:
        check_path(branch)
    except Invalid as error:
        findings.error(thing.path, f"{error} {error.remedy}")
        return []
    if not needed.is_known:
        return []
    return [
        (
            Wanted(
                element=thing.path,
                table={"name": name_of(own, thing.path) + built.suffix, "at": branch}
                | built.table
                | needed.settings,
                needs=needed.needs,
            ),
            built,
        )
        for built in build(thing, intervals, findings)
    ]


def _names_host(base: str) -> bool:
    try:
        parts = urlsplit(base)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def name_of(submodel: str, interface: str) -> str:
    """The name of an interface's connection: readable, and the same each time."""
    digest = hashlib.sha256(submodel.encode()).hexdigest()[:8]
    return f"twin-{digest}-{clean_level(interface)[:NAME_CHARS_MAX]}"


def _is_of(made: Made, own: str, findings: Findings) -> bool:
    """Whether all that a script looks at is of one description, and that is this one."""
    others = {link.source[0] for link in made.sources.values()}
    if own in others and len(others) > 1:
        findings.error(made.path, "a script over properties of several descriptions is not run")
    return others == {own}


def _bindings(
    wishes: list[Link], scripts: list[Made], points: dict[str, str], findings: Findings
) -> list[Binding]:
    """The element for each point; of several for one element the first holds."""
    found: dict[tuple[str, str], Binding] = {}
    for link in wishes:
        point = points.get(link.source[1])
        if point is None:
            findings.error(link.path, f"its source {link.source[1]!r} is not read")
        elif link.sink in found:
            findings.error(link.path, f"{link.sink[1]!r} is the sink of another source already")
        else:
            found[link.sink] = Binding(submodel=link.sink[0], path=link.sink[1], point=point)
    for made in scripts:
        inputs = {id_: points.get(link.source[1]) for id_, link in made.sources.items()}
        there = {id_: point for id_, point in inputs.items() if point is not None}
        for id_ in sorted(inputs.keys() - there.keys()):
            findings.error(made.path, f"its source {made.sources[id_].source[1]!r} is not read")
        if made.sink in found:
            findings.error(made.path, f"{made.sink[1]!r} is the sink of another source already")
        elif len(there) == len(inputs) > 0:
            submodel, path = made.sink
            found[made.sink] = Binding(
                submodel=submodel,
                path=path,
                point=next(iter(there.values())),
                script=made.script,
                inputs=tuple(there.items()),
                sink=made.sink_id,
            )
    return list(found.values())
