"""Find a backend by its kind.

The file name is the kind: `drivers/modbus.py` is what `kind = "modbus"` in the settings
means. Nothing is registered by hand, and a backend is imported only when it is asked for,
so a missing client library hurts only those who use it. Backends that live outside this
repository announce themselves with an entry point in the group `lineshaft.drivers`.
"""

import functools
import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Self, TypeVar

import msgspec

from lineshaft.core.errors import SettingsError
from lineshaft.core.settings import Secret, Settings, decode, field_docs

FAMILIES = ("drivers", "spines", "stores", "records")


class Plugin:
    """Base of every backend: a name, its settings, and how it describes itself."""

    Config: ClassVar[type[Settings]] = Settings
    example: ClassVar[str] = ""
    """A settings table that works as it stands; the docs print it, the contract test loads it."""
    rung: ClassVar[str] = "runs"
    """How far it is proven: `runs` (contract on its bench), `proven` (against a foreign peer),
    `conforms` (official kit)."""

    def __init__(self, name: str, config: Settings) -> None:
        self.name = name
        self.config = config

    @classmethod
    def kind(cls) -> str:
        """The word that settings know it by: its file's name."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def from_table(cls, name: str, table: Mapping[str, Any]) -> Self:
        """Build the backend from a decoded settings table, without `name` and `kind`.

        Raises:
            SettingsError: the table does not fit `Config`.
        """
        try:
            return cls(name, decode(table, cls.Config))
        except SettingsError as error:
            raise SettingsError(
                f"{name} (kind {cls.kind()!r}): {error}", remedy=error.remedy
            ) from None


P = TypeVar("P", bound=Plugin)


def kinds(family: str) -> list[str]:
    """Every kind that a family offers, in the repository and installed beside it."""
    package = importlib.import_module(f"lineshaft.{family}")
    ours = {m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")}
    return sorted(ours | {e.name for e in _outside(family)})


@functools.cache
def _outside(family: str) -> tuple[EntryPoint, ...]:
    """What packages installed beside us announce; looking reads a file of each of them."""
    return tuple(entry_points(group=f"lineshaft.{family}"))


def find(family: str, kind: str) -> type[Plugin]:
    """Import the backend of that kind.

    Raises:
        SettingsError: no such kind, or its client library is not installed.
    """
    known = kinds(family)
    if kind not in known:
        raise SettingsError(f"unknown kind {kind!r}; {family} offers: {', '.join(known)}")
    for entry in _outside(family):
        if entry.name == kind:
            return entry.load()  # type: ignore[no-any-return]
    try:
        module = importlib.import_module(f"lineshaft.{family}.{kind}")
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"kind {kind!r} needs the package {error.name!r}",
            remedy=f"pip install 'lineshaft[{kind}]'",
        ) from error
    found = [
        c
        for c in vars(module).values()
        if isinstance(c, type) and issubclass(c, Plugin) and c.__module__ == module.__name__
    ]
    assert len(found) == 1, f"{module.__name__} must define exactly one Plugin, not {len(found)}"  # noqa: S101
    return found[0]


def build(base: type[P], table: Mapping[str, Any]) -> P:
    """One backend of a family from its settings table; `kind` says which.

    Raises:
        SettingsError: the table does not fit.
    """
    rest = dict(table)
    kind = rest.pop("kind", None)
    family = base.__module__.rpartition(".")[2]
    if not isinstance(kind, str):
        raise SettingsError(
            f"{rest.get('name', family)}: kind is {kind!r}, wanted one of:"
            f" {', '.join(kinds(family))}"
        )
    plugin = find(family, kind)
    assert issubclass(plugin, base)  # noqa: S101 - a bug of the plugin, not of the settings
    return plugin.from_table(str(rest.pop("name", kind)), rest)


def describe(family: str, kind: str) -> str:
    """The reference page of one backend, in Markdown, from its code alone."""
    plugin = find(family, kind)
    page = [
        f"# {kind}",
        inspect.cleandoc(inspect.getmodule(plugin).__doc__ or ""),
        f"Quality: **{plugin.rung}**.",
        "## Settings",
        *settings_tables(plugin.Config),
        "## Example",
        f"```toml\n{inspect.cleandoc(plugin.example)}\n```",
    ]
    return "\n\n".join(page) + "\n"


def settings_tables(config: type[msgspec.Struct]) -> list[str]:
    """Markdown lists of a settings table's fields, then those of the tables inside it."""
    docs = field_docs(config)
    lines, inner = [], []
    for field in msgspec.structs.fields(config):
        text = " ".join(docs.get(field.name, "").split())
        lines.append(f"- `{field.encode_name}` ({_shown_default(field)}): {text}")
        inner += [(field.encode_name, s) for s in _structs_in(field.type)]
    parts = ["\n".join(lines) if lines else "None."]
    for name, struct in inner:
        parts += [f"### `{name}`", inspect.cleandoc(struct.__doc__ or ""), *settings_tables(struct)]
    return parts


def _shown_default(field: msgspec.structs.FieldInfo) -> str:
    """What happens when a field is left out, in the words of TOML."""
    if field.required:
        return "required"
    default = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory()
    if default is None or default in ((), []) or isinstance(default, Secret):
        return "optional"
    if isinstance(default, msgspec.Struct):
        return "optional table"
    if isinstance(default, dict):
        pairs = ", ".join(f"{k} = {_toml(v)}" for k, v in default.items())
        return f"default `{{ {pairs} }}`" if pairs else "optional"
    return f"default `{_toml(default)}`"


def _toml(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _structs_in(annotation: Any) -> list[type[msgspec.Struct]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return [annotation]
    return [s for a in getattr(annotation, "__args__", ()) for s in _structs_in(a)]


def load_example(plugin: type[Plugin]) -> dict[str, Any]:
    """The example table, decoded, without its `kind` and `name`."""
    (tables,) = tomllib.loads(inspect.cleandoc(plugin.example)).values()
    table = dict(tables[0] if isinstance(tables, list) else tables)
    table.pop("kind")
    table.pop("name", None)
    return table
