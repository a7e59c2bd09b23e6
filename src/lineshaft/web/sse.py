"""Server-sent events, for clients as simple as curl."""

import msgspec

PING = b": still here\n\n"
"""A comment that keeps proxies from closing a quiet stream."""


def event(kind: str, data: object) -> bytes:
    """One event with JSON data."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(data))
