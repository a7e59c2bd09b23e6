"""Properties of which everything but name and value was found right before.

Most of what a Property says (its semantic id, its type, its description) is the same in each write
and in each twin of a kind. A Property that differs from one that was found right in nothing but
`idShort` and `value` needs only these looked at, by the very functions that the library uses for
them. Nothing else may depend on it: with qualifiers (AASd-129), extensions or data
specifications it is looked at whole.
"""

from functools import lru_cache

import msgspec
from aas_core3_1.stringification import data_type_def_xsd_from_str
from aas_core3_1.types import DataTypeDefXSD
from aas_core3_1.verification import (
    matches_id_short,
    matches_xml_serializable_string,
    value_consistent_with_xsd_type,
)

from lineshaft.twins import Json

KINDS_MAX = 4096
"""Kinds of Properties that are remembered; one more, and all are learnt anew."""
KIND_BYTES_MAX = 1000
"""Largest JSON of a kind that is remembered; so a kind is not nested deep either."""
VALUE_MAX = 1000
"""Longest value that is looked at here."""
LEVELS_MAX = 20
"""Collections within each other in which Properties are looked at here."""
NAMES_MAX = 4096
_SHORT_MAX = 128
_OPEN = frozenset({"extensions", "qualifiers", "embeddedDataSpecifications"})
"""With one of these a Property is looked at whole."""


class _WrongError(Exception):
    """Something is wrong; what, finds who looks at the whole."""


class Known:
    """Knows kinds of Properties; of what it does not know it says nothing."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, DataTypeDefXSD] = {}

    def rest(self, submodel: Json) -> Json | None:
        """The submodel without the Properties that are right; None when something is not.

        It is right if, and only if, this is: what the metamodel asks of siblings is seen to.
        """
        try:
            return self._without(submodel, "submodelElements", LEVELS_MAX)
        except _WrongError:
            return None

    def learn(self, rest: Json) -> None:
        """Remember the kinds of all Properties in what was found right."""
        level = [rest.get("submodelElements")]
        for _ in range(LEVELS_MAX):
            below = []
            for elements in level:
                for element in elements or ():
                    if element["modelType"] == "Property" and not _OPEN & element.keys():
                        self._keep(element)
                    elif element["modelType"] == "SubmodelElementCollection":
                        below.append(element.get("value"))
            level = below

    def _keep(self, element: Json) -> None:
        kind = data_type_def_xsd_from_str(element["valueType"])
        key = _kind(element)
        if kind is None or not 0 < len(key) <= KIND_BYTES_MAX:
            return
        if len(self._kinds) >= KINDS_MAX:
            self._kinds = {}
        self._kinds[key] = kind

    def _without(self, around: Json, name: str, levels: int) -> Json:
        """What holds elements under the name, without those that are right."""
        elements = around.get(name)
        if type(elements) is not list or not elements or not levels:
            return around
        names = {e["idShort"] for e in elements if _is_named(e)}
        if len(names) != len(elements):
            raise _WrongError
        left = [rest for e in elements if (rest := self._left(e, levels - 1)) is not None]
        rest = {**around, name: left}
        if not left:
            del rest[name]
        return rest

    def _left(self, element: Json, levels: int) -> Json | None:
        """What is to be looked at of an element; None when it is right."""
        match element.get("modelType"):
            case "Property":
                kind = self._kinds.get(_kind(element))
                if kind is None:
                    return element
                if not _is_right(kind, element):
                    raise _WrongError
                return None
            case "SubmodelElementCollection":
                return self._without(element, "value", levels)
            case _:
                return element


def _is_named(element: object) -> bool:
    return type(element) is dict and type(element.get("idShort")) is str


def _kind(element: Json) -> bytes:
    """All that a Property says but its name and value; empty when JSON cannot say it."""
    bare = {k: v for k, v in element.items() if k not in ("idShort", "value")}
    try:
        return msgspec.json.encode(bare)
    except (TypeError, ValueError, OverflowError):
        return b""


def _is_right(kind: DataTypeDefXSD, element: Json) -> bool:
    if not _is_name(element["idShort"]):
        return False
    if "value" not in element:
        return True
    value = element["value"]
    return (
        type(value) is str
        and len(value) <= VALUE_MAX
        and matches_xml_serializable_string(value)
        and value_consistent_with_xsd_type(value, kind)
    )


@lru_cache(NAMES_MAX)
def _is_name(text: str) -> bool:
    # The library's $ lets a line end through.
    return len(text) <= _SHORT_MAX and matches_id_short(text) and not text.endswith("\n")
