"""The path of a point in the unified namespace: ISA-95 levels joined by `/`.

`acme/qingdao/press-shop/line-2/press-7/oil_temperature`
"""

import re
import unicodedata

from lineshaft.core.errors import Invalid

LEVELS_MAX = 16
LEVEL_CHARS_MAX = 100
PATH_BYTES_MAX = 512
FORBIDDEN = "+#*>$."
"""Wildcards of MQTT and NATS, and the separators that spines give a meaning of their own."""
SYSTEM = "lineshaft"
"""First level of what the platform says about itself."""
_CHARS = "".join(re.escape(chr(c)) for c in range(0x21, 0x7F) if chr(c) not in f"{FORBIDDEN}/")
_LEVEL = f"[{_CHARS}]{{1,{LEVEL_CHARS_MAX}}}"
_USUAL = re.compile(f"{_LEVEL}(?:/{_LEVEL}){{0,{LEVELS_MAX - 1}}}")
"""Well-formed paths in ASCII: nearly all of them, seen at one glance."""


def check_path(path: str) -> str:
    """The path itself, when it is well formed.

    Raises:
        Invalid: it is not; the message says which level and what to do.
    """
    if len(path) <= PATH_BYTES_MAX and _USUAL.fullmatch(path):
        return path
    if not path or len(path.encode()) > PATH_BYTES_MAX:
        raise Invalid(
            f"path {path[:40]!r} has {len(path.encode())} bytes, wanted 1 to {PATH_BYTES_MAX}",
            remedy="Shorten the names of its levels.",
        )
    if not unicodedata.is_normalized("NFC", path):
        raise Invalid(
            f"path {path!r} is not in Unicode normal form C",
            remedy=f"Write it as {unicodedata.normalize('NFC', path)!r}.",
        )
    levels = path.split("/")
    if len(levels) > LEVELS_MAX:
        raise Invalid(
            f"path {path!r} has {len(levels)} levels, wanted at most {LEVELS_MAX}",
            remedy="Join some levels into one.",
        )
    for level in levels:
        _check_level(path, level)
    return path


def _check_level(path: str, level: str) -> None:
    if not level or len(level) > LEVEL_CHARS_MAX:
        raise Invalid(
            f"path {path!r}: level {level!r} has {len(level)} characters,"
            f" wanted 1 to {LEVEL_CHARS_MAX}",
            remedy="Levels stand between single slashes, with none at the ends.",
        )
    for char in level:
        if char in FORBIDDEN or char.isspace() or not char.isprintable():
            raise Invalid(
                f"path {path!r}: level {level!r} holds {char!r}",
                remedy=f"Leave out whitespace and the characters {' '.join(FORBIDDEN)}.",
            )


def clean_level(text: str) -> str:
    """A level made from any text: what a path cannot hold becomes `_`.

    Used where names come from a device (a browse name, an MQTT topic), never for names
    that a person wrote.
    """
    text = unicodedata.normalize("NFC", text)
    kept = (
        "_" if c in FORBIDDEN or c == "/" or c.isspace() or not c.isprintable() else c for c in text
    )
    return "".join(kept)[:LEVEL_CHARS_MAX] or "_"


def parent(path: str) -> str:
    """The path one level up; of a single level, the empty text."""
    return path.rpartition("/")[0]


def is_under(path: str, branch: str) -> bool:
    """Whether the path is the branch itself or stands below it; all stand below the empty one."""
    return not branch or path == branch or path.startswith(branch + "/")
