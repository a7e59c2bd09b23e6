"""Security schemes as settings: which fields of a table an engineer must give.

A description says how somebody is to be shown who asks, never the secret itself.
Source: W3C Thing Description 1.1, 5.3.3; OPC UA schemes of IDTA 02017-1-1.
"""

import msgspec

from lineshaft.twins import Json
from lineshaft.twins.plug.reading import text
from lineshaft.twins.plug.things import Findings, Thing, schemes

POLICIES = {"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"}
"""Security policies of OPC UA by the end of their URI, as the standard writes them."""


class Credentials(msgspec.Struct, kw_only=True):
    """What a table must say of who asks."""

    settings: Json = {}
    """Fields that the description itself gives."""
    needs: tuple[str, ...] = ()
    """Fields that must be given."""
    is_known: bool = True
    """Whether there is a way in at all."""


def credentials(thing: Thing, protocol: str, findings: Findings) -> Credentials:
    """What the schemes of the interface ask for, with a finding for each secret."""
    made = Credentials(settings={})
    for path, element in schemes(thing):
        scheme = text(element, "scheme", "nosec").lower()
        match (scheme, protocol):
            case ("nosec", _):
                continue
            case ("auto", _):
                findings.warning(path, "`auto` says nothing; connected without credentials")
            case ("basic", "http" | "mqtt" | "opcua"):
                _need(made, ("username", "password"), path, findings)
            case ("bearer", "http"):
                _need(made, ("token",), path, findings)
            case ("apikey", "http") if text(element, "in", "query") in ("header", "auto"):
                made.settings["api_key_header"] = text(element, "name", "X-API-Key")
                _need(made, ("api_key",), path, findings)
            case ("apikey", "http") if text(element, "in", "query") == "query" and (
                name := text(element, "name")
            ):
                made.settings["api_key_query"] = name
                _need(made, ("api_key",), path, findings)
            case ("ua_channelsec", "opcua"):
                _channel(made, element, path, findings)
            case ("ua_authentication", "opcua"):
                _token(made, element, path, findings)
            case _:
                made.is_known = False
                where = f" in {text(element, 'in')}" if text(element, "in") else ""
                findings.error(
                    path,
                    f"the security scheme {scheme!r}{where} is not supported for {protocol},"
                    " so the interface is not connected",
                )
    return made


def _need(made: Credentials, fields: tuple[str, ...], path: str, findings: Findings) -> None:
    made.needs = (*made.needs, *(f for f in fields if f not in made.needs))
    secret = fields[-1]
    findings.warning(
        path,
        f"give {' and '.join(fields)} when plugging; {secret} as"
        f' {{ env = "NAME" }} or {{ file = "path" }}: a description holds no credentials',
    )


def _channel(made: Credentials, element: Json, path: str, findings: Findings) -> None:
    """Signing and encryption of OPC UA."""
    mode = text(element, "uav_securityMode", "None")
    policy = text(element, "uav_securityPolicy", "None").rpartition("#")[2]
    if mode.lower() == "none" or policy.lower() == "none":
        return
    if mode not in ("Sign", "SignAndEncrypt") or policy not in POLICIES:
        made.is_known = False
        findings.error(path, f"mode {mode!r} with policy {policy!r} is not supported")
        return
    made.settings |= {"security": policy.replace("_", ""), "mode": mode}
    made.needs = (*made.needs, "certificate", "private_key")
    findings.warning(
        path,
        f"{mode} with {policy}: give certificate and private_key, paths of files on this machine",
    )


def _token(made: Credentials, element: Json, path: str, findings: Findings) -> None:
    """Who logs in to an OPC UA server."""
    token = text(element, "uav_userIdentityToken", "Anonymous").lower()
    if "anonymous" in token:
        return
    if "user" in token:
        _need(made, ("username", "password"), path, findings)
        return
    made.is_known = False
    findings.error(path, f"a user identity token of type {token!r} is not supported")
