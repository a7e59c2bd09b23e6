"""Identifiers by a stable rule: from the plant and the path, never from order or time."""

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, unquote

_WRONG = re.compile(r"[^a-zA-Z0-9_]")
"""Version 3.1 of the metamodel allows `-` too, which clients of version 3.0 refuse."""
SHORT_MAX = 128
"""Most characters of an idShort (IDTA-01001 v3.1, constraint on NameType)."""


class Scheme:
    """How things of one plant are called.

    `url` is the address under which identifiers resolve; without one they are URNs.
    """

    def __init__(self, url: str, plant: str) -> None:
        slug = re.sub(r"[^a-z0-9]+", "-", plain(plant).lower()).strip("-") or "plant"
        self._base = f"{url}/" if url else f"urn:lineshaft:{slug}:"

    @property
    def plant(self) -> str:
        """Identifier of the plant."""
        return self._base[:-1]

    def asset(self, path: str) -> str:
        """Identifier of an asset: what stands on its plate (IEC 61406)."""
        return f"{self._base}asset/{quote(path)}"

    def shell(self, path: str) -> str:
        """Identifier of the shell of an asset."""
        return f"{self._base}shell/{quote(path)}"

    def submodel(self, path: str, id_short: str) -> str:
        """Identifier of a submodel of an asset."""
        return f"{self._base}submodel/{quote(path)}/{id_short}"

    def path(self, id_: str) -> str:
        """The path of the asset that a shell or submodel identifier was made for."""
        kind, _, rest = id_.removeprefix(self._base).partition("/")
        return unquote(rest if kind == "shell" else rest.rpartition("/")[0])


def plain(text: str) -> str:
    """The text without accents, as far as it has any."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(c for c in parts if not unicodedata.combining(c))


def id_short(name: str) -> str:
    """A name as an idShort: a letter first, then letters, digits and `_`, two at least."""
    short = _WRONG.sub("_", plain(name))
    if not short[:1].isalpha():
        short = f"n_{short}"
    if len(short) == 1:
        short += "_"
    return short[:SHORT_MAX]


def id_shorts(names: Iterable[str]) -> dict[str, str]:
    """An idShort for each name; those that fall together are told apart by their order."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for name in names:
        first = short = id_short(name)
        n = 2
        while short.lower() in taken:
            short = f"{first[: SHORT_MAX - 8]}_{n}"
            n += 1
        taken.add(short.lower())
        found[name] = short
    return found
