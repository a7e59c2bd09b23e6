"""Interfaces that publish over MQTT."""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from lineshaft.twins import Json
from lineshaft.twins.plug.protocols import Built, Intervals
from lineshaft.twins.plug.reading import text
from lineshaft.twins.plug.things import Findings, Form, Property, Thing

SCHEMES = ("mqtt", "mqtts", "tcp", "ssl")
TLS = ("mqtts", "ssl")


def build(thing: Thing, intervals: Intervals, findings: Findings) -> Sequence[Built]:
    """The table of an MQTT interface; what it asks of intervals means nothing here."""
    del intervals
    base = urlsplit(thing.base)
    is_safe = base.scheme in TLS
    topics: dict[tuple[str, str], Json] = {}
    read = [p for p in thing.properties if _add(topics, p, base.path, findings)]
    if not read:
        return ()
    port = base.port or (8883 if is_safe else 1883)
    table: Json = {"kind": "mqtt", "host": base.hostname, "port": port}
    table["topics"] = list(topics.values())
    if is_safe:
        table["tls"] = {}
    return (Built(suffix="", table=table, properties=tuple(read)),)


def _add(
    topics: dict[tuple[str, str], Json], found: Property, base: str, findings: Findings
) -> bool:
    """Put the property into the topic that carries it; False with a finding when none does."""
    form = next((f for f in found.forms if _packet(f) == "subscribe"), None)
    if form is None:
        findings.error(found.forms[0].path, "no form subscribes, so it cannot be read")
        return False
    topic = _topic(form.href, base)
    if not topic or "+" in topic or "#" in topic:
        findings.error(form.path, f"{form.href!r} is no topic of one value")
        return False
    media = form.content_type.partition(";")[0].strip().lower()
    is_json = media == "application/json" or media.endswith("+json")
    if not is_json and (media != "text/plain" or found.keys):
        findings.error(form.path, f"payloads of type {media!r} are not read, only JSON and text")
        return False
    if any('"' in key for key in found.keys):
        findings.error(found.path, "a key with a quotation mark cannot be read")
        return False
    payload = "json" if is_json else "text" if found.kind in ("text", "json") else "number"
    if any(filter_ == topic and other != payload for filter_, other in topics):
        findings.error(form.path, f"{topic!r} is read in another form by another property")
        return False
    settings = topics.setdefault(
        (topic, payload),
        {"filter": topic, "qos": 1, "payload": payload, "at": "", "values": []},
    )
    if text(form.element, "mqv_qos") == "0":
        settings["qos"] = 0
    value = found.point() | {"kind": found.kind}
    if found.keys:
        value["key"] = "".join(f'["{key}"]' for key in found.keys)
    setting = next((f for f in found.forms if _packet(f) == "publish"), None)
    command = _topic(setting.href, base) if setting is not None else ""
    if command and found.is_whole and not set(command) & set("+#{}"):
        value["command"] = command
        if found.keys:
            value["command_key"] = found.keys[0]
    settings["values"].append(value)
    return True


def _packet(form: Form) -> str:
    writes = "write" in form.operation and "read" not in form.operation
    return text(form.element, "mqv_controlPacket", "publish" if writes else "subscribe").lower()


def _topic(href: str, base: str) -> str:
    """The topic of a href: below the path of the base, when it is not a whole address."""
    parts = urlsplit(href) if href.partition("://")[0] in SCHEMES else None
    if parts is not None:
        return unquote(parts.path).strip("/")
    above = base.strip("/")
    return unquote("/".join(part for part in (above, href.strip("/")) if part))
