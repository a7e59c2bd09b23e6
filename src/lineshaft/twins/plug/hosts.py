"""Hosts: where a description leads, and whether the settings know the place."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.plug import Interpreted

ADDRESSES = ("base_url", "url")
"""Fields of a table that hold an address whole."""


def host_of(table: Json) -> str:
    """Name or address of the device of a settings table, in small letters; empty for none."""
    given = next((str(table[f]) for f in ADDRESSES if f in table), "")
    if not given:
        return str(table.get("host", "")).lower()
    try:
        return (urlsplit(given).hostname or "").lower()
    except ValueError:
        return ""


def strange(wanted: Interpreted, hosts: Iterable[str]) -> list[str]:
    """Hosts that are wanted and not among `hosts`, sorted; what names no host is strange."""
    allowed = [h.lower() for h in hosts]
    found = {host_of(w.table) or "an address without a host" for w in wanted.wanted}
    return sorted(h for h in found if not any(_is(h, rule) for rule in allowed))


def _is(host: str, rule: str) -> bool:
    if rule.startswith("*."):
        return host.endswith(rule[1:]) and len(host) > len(rule) - 1
    if host == rule:
        return True
    try:
        # A name is not looked up: what it leads to may be another place in a moment.
        return ipaddress.ip_address(host.strip("[]")) in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False


def check_hosts(hosts: Iterable[str]) -> None:
    """See that entries of `plug_hosts` mean something.

    Raises:
        Invalid: one is neither a name, the end of one, an address nor a network.
    """
    for rule in hosts:
        name = rule.removeprefix("*.")
        fits = all(c.isalnum() or c in "-._:[]/" for c in name) and name
        if "/" in rule:
            try:
                ipaddress.ip_network(rule, strict=False)
            except ValueError:
                fits = ""
        if not fits:
            raise Invalid(
                f"plug_hosts of [twins]: {rule!r} is no host",
                remedy="Write a name, *.end.of.names, an address, or a network: 10.1.0.0/16.",
            )
