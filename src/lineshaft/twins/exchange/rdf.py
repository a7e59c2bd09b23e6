"""Environments go out as RDF, in Turtle, after the mapping of IDTA-01001 (`schemas/rdf`).

An Identifiable is a node named by its identifier, what it holds are blank nodes, a property is
named after the class that declares it, and a list is the property several times: as in the
published mapping, the order of a list is not told. There is no reader: RDF is for those who query.
"""

import base64
import enum
import re
from collections.abc import Iterator
from inspect import get_annotations

from aas_core3_1 import jsonization
from aas_core3_1 import types as aas

from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.exchange import KINDS

MEDIA_TYPE = "text/turtle"
NAMESPACE = "https://admin-shell.io/aas/3/1/"

_HEAD = f"""\
@prefix aas: <{NAMESPACE}> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xs: <http://www.w3.org/2001/XMLSchema#> .
"""
_NOT_IN_IRI = re.compile('[\x00-\x20<>"{}|^`\\\\]')
_ACRONYM = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z]|\d|$)")
_ESCAPED = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)


def write_rdf(environment: Json) -> bytes:
    """The environment as Turtle.

    Raises:
        Invalid: it has not the structure of the metamodel.
    """
    given = {key: environment[key] for key in KINDS if environment.get(key)}
    try:
        instance = jsonization.environment_from_jsonable(given)
        nodes: list[aas.Identifiable] = [
            *instance.over_asset_administration_shells_or_empty(),
            *instance.over_submodels_or_empty(),
            *instance.over_concept_descriptions_or_empty(),
        ]
        text = "".join(f"\n{_iri(node.id)} {''.join(_content(node, 1))}.\n" for node in nodes)
    except jsonization.DeserializationException as error:
        raise Invalid(
            f"{error.path} cannot be written as RDF: {error.cause}", remedy="Mend the document."
        ) from error
    except RecursionError:
        raise Invalid("the environment is nested too deep to be written as RDF") from None
    return (_HEAD + text).encode()


def _content(node: aas.Class, depth: int) -> Iterator[str]:
    """Type and properties, each on a line."""
    yield f"rdf:type aas:{_class(type(node))} ;\n"
    indent = "    " * depth
    for declaring in reversed(type(node).__mro__):
        for name in get_annotations(declaring):
            value = getattr(node, name, None)
            for item in value if isinstance(value, list) else (value,):
                if item is not None:
                    address = f"<{NAMESPACE}{_class(declaring)}/{_camel(name)}>"
                    yield f"{indent}{address} {_object(item, depth)} ;\n"


def _object(value: object, depth: int) -> str:
    if isinstance(value, aas.Class):
        indent = "    " * depth
        return f"[\n{indent}    {''.join(_content(value, depth + 1))}{indent}]"
    if isinstance(value, enum.Enum):
        literal = "".join(word.capitalize() for word in value.name.split("_"))
        return f"<{NAMESPACE}{_class(type(value))}/{literal}>"
    if isinstance(value, bool):
        return f'"{str(value).lower()}"^^xs:boolean'
    if isinstance(value, bytes | bytearray):
        return f'"{base64.b64encode(value).decode()}"^^xs:base64Binary'
    return f'"{str(value).translate(_ESCAPED)}"^^xs:string'


def _iri(identifier: str) -> str:
    return f"<{_NOT_IN_IRI.sub(lambda m: f'%{ord(m[0]):02X}', identifier)}>"


def _class(declaring: type) -> str:
    """The name in the ontology, where acronyms are words: `DataTypeDefXsd`."""
    return _ACRONYM.sub(lambda m: m[0].capitalize(), declaring.__name__)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
