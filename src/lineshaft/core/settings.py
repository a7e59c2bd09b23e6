"""Typed settings tables: decoded once at the edge, so that inside nobody sees a dict."""

import ast
import inspect
import os
import textwrap
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from lineshaft.core.errors import SettingsError


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every settings table. A field's docstring is its documentation."""


S = TypeVar("S", bound=msgspec.Struct)


class Secret:
    """A word that is never printed: given as text, `{ env = "NAME" }` or `{ file = "path" }`.

    A field's default is written `msgspec.field(default_factory=Secret)`.
    """

    __slots__ = ("_word",)

    def __init__(self, word: str = "") -> None:
        self._word = word

    def reveal(self) -> str:
        """The word itself, for the one call that needs it."""
        return self._word

    def __bool__(self) -> bool:
        return bool(self._word)

    def __repr__(self) -> str:
        return "Secret(***)" if self._word else "Secret()"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._word == other._word

    def __hash__(self) -> int:
        return hash(self._word)


def decode(table: Mapping[str, Any], wanted: type[S]) -> S:
    """A settings struct from a decoded TOML or JSON table.

    Raises:
        SettingsError: the table does not fit; the message names the field and what came.
    """
    try:
        return msgspec.convert(table, wanted, dec_hook=_decode_hook)
    except msgspec.ValidationError as error:
        raise SettingsError(_with_hint(str(error), wanted)) from None


def _decode_hook(wanted: type, value: Any) -> Any:  # noqa: ANN401 - the hook's own signature
    if wanted is not Secret:
        raise NotImplementedError(wanted)
    match value:
        case str():
            return Secret(value)
        case {"env": str(name)} if len(value) == 1:
            if name not in os.environ:
                raise ValueError(f"environment variable {name} is not set")
            return Secret(os.environ[name])
        case {"file": str(name)} if len(value) == 1:
            try:
                return Secret(Path(name).read_text().rstrip("\n"))
            except OSError as error:
                raise ValueError(f"cannot read the secret's file: {error}") from None
    raise ValueError('Expected text, `{ env = "NAME" }` or `{ file = "path" }`')


def _with_hint(message: str, wanted: type[msgspec.Struct]) -> str:
    """The message of msgspec, with the known fields when one is unknown."""
    if "unknown field" in message and " - at " not in message:
        fields = ", ".join(f.encode_name for f in msgspec.structs.fields(wanted))
        return f"{message}; known are: {fields}"
    return message


def field_docs(settings: type[msgspec.Struct]) -> dict[str, str]:
    """The docstring under each field, by field name, inherited ones included."""
    docs: dict[str, str] = {}
    for base in reversed(settings.__mro__):
        if not isinstance(base, type(msgspec.Struct)) or base.__module__.startswith("msgspec"):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        docs |= {
            field.target.id: inspect.cleandoc(doc.value.value)
            for field, doc in pairwise(getattr(body, "body", []))
            if isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(doc, ast.Expr)
            and isinstance(doc.value, ast.Constant)
            and isinstance(doc.value.value, str)
        }
    return docs


def json_schema(settings: type[msgspec.Struct], prefix: str = "") -> dict[str, Any]:
    """The JSON Schema of a settings table, with the fields' docstrings, for editors.

    The tables inside it stand in `$defs`, their names with `prefix` before them.
    """
    (schema,), components = msgspec.json.schema_components(
        [settings], schema_hook=_schema_hook, ref_template=f"#/$defs/{prefix}{{name}}"
    )
    structs = {_component_name(s, components): s for s in _structs_within(settings)}
    for name, part in components.items():
        docs = field_docs(structs[name]) if name in structs else {}
        for field, doc in docs.items():
            if field in part.get("properties", {}):
                part["properties"][field]["description"] = doc
    return schema | {"$defs": {prefix + n: p for n, p in components.items()}}


def _schema_hook(wanted: type) -> dict[str, Any]:
    if wanted is not Secret:
        raise NotImplementedError(wanted)
    one = {"type": "object", "additionalProperties": False}
    text = {"type": "string"}
    return {
        "anyOf": [
            text,
            one | {"properties": {"env": text}, "required": ["env"]},
            one | {"properties": {"file": text}, "required": ["file"]},
        ]
    }


def _component_name(struct: type[msgspec.Struct], components: Mapping[str, Any]) -> str:
    """The name that msgspec gives a struct: the short one, unless two structs share it."""
    if struct.__name__ in components:
        return struct.__name__
    full = f"{struct.__module__}.{struct.__qualname__}"
    return next((c for c in components if c in (full, full.replace(".", "_"))), full)


def _structs_within(root: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    """The struct, and all that its fields mention."""
    found: set[type[msgspec.Struct]] = set()
    todo: list[Any] = [root]
    while todo:
        item = todo.pop()
        if isinstance(item, type) and issubclass(item, msgspec.Struct):
            if item not in found:
                found.add(item)
                todo += [f.type for f in msgspec.structs.fields(item)]
        else:
            todo += getattr(item, "__args__", ())
    return found
