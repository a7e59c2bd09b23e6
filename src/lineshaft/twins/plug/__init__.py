"""Plug turns a machine's own description of its interfaces into connections and bindings.

Two submodels of the IDTA tell how a machine is reached: Asset Interfaces Description (IDTA
02017: W3C Thing Descriptions as collections) and Asset Interfaces Mapping Configuration (IDTA
02027: which value goes to which element). `interpret.py` reads them and does nothing else;
`plugger.py` connects what was read, once an engineer has agreed.
"""

import enum
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.settings import Settings
from lineshaft.records import Collection, Column
from lineshaft.twins import Finding, Json

DESCRIPTION = "https://admin-shell.io/idta/AssetInterfacesDescription/"
"""What the semantic id of an interfaces description begins with, in every version."""
MAPPING = "https://admin-shell.io/idta/AssetInterfacesMappingConfiguration/"
"""What the semantic id of a mapping configuration begins with, in every version."""

PLUGS = Collection(name="twin_plugs", columns={"path": Column.TEXT})
"""What was connected for each interfaces description, by the identifier of its submodel."""
COLLECTIONS = (PLUGS,)


class Mode(enum.Enum):
    """How descriptions become connections."""

    ASK = "ask"
    """An engineer confirms each machine."""
    AUTO = "auto"
    """At once."""
    OFF = "off"
    """Never."""


class Config(Settings, frozen=True):
    """What the settings table `[twins]` may say about it."""

    plug: Mode = Mode.ASK
    """What happens when a machine's interfaces description arrives: `ask` proposes its
    connections to an engineer, `auto` makes them at once, `off` does nothing."""
    plug_hosts: tuple[str, ...] = ()
    """Where descriptions may lead without the agreement of somebody who may configure the whole
    plant: names (`press.local`), ends of names (`*.plc.example`), addresses, networks
    (`10.1.0.0/16`). None by default: an engineer of a branch agrees to no address. When some are
    named, `auto` connects to them alone."""


class Binding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An element of a submodel whose value is that of a point."""

    submodel: str
    """Identifier of the submodel."""
    path: str
    """idShortPath of the element."""
    point: str
    """Path of the point in the namespace."""
    branch: str | None = None
    """Where the submodel stood when it was bound; never taken from a client."""
    script: str = ""
    """Works the value out of several points; empty when it is that of the point."""
    inputs: tuple[tuple[str, str], ...] = ()
    """Of a script: its sources by SourceId, with the point of each."""
    sink: str = ""
    """Of a script: the SinkId of the value."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One connection that a description asks for."""

    element: str
    """idShortPath of the interface."""
    table: Json
    """Its settings table, as `[[drivers]]` in the settings file would have it."""
    needs: tuple[str, ...] = ()
    """Fields of the table that must be given by an engineer, since a description holds no
    credentials."""


class Interpreted(msgspec.Struct, frozen=True, kw_only=True):
    """What an interfaces description and its mappings ask for."""

    wanted: tuple[Wanted, ...]
    points: dict[str, str]
    """Point in the namespace for each property of the description, by idShortPath."""
    bindings: tuple[Binding, ...]
    findings: tuple[Finding, ...]
    """What is not supported, or was guessed; each names its element."""


class Connect(Protocol):
    """Where connections are made and taken away; the plant fills it."""

    async def connect(self, who: Identity, table: Mapping[str, Any]) -> str:
        """Add a connection from its settings table, and keep it; returns its name.

        Raises:
            SettingsError: the table is wrong, or reads a point that another reads already.
            Invalid: its name is taken, or it holds a secret as text.
        """

    def connected(self, name: str) -> bool:
        """Whether there is a connection of that name, up or not."""

    async def disconnect(self, who: Identity, name: str) -> None:
        """Remove a connection that was made at run time.

        Raises:
            Missing: there is none of that name.
        """


class Bindings(Protocol):
    """Where it is kept which element shows which point."""

    async def bind(self, who: Identity, source: str, bindings: tuple[Binding, ...]) -> None:
        """Keep these bindings in the place of all that came from `source`; none takes them away.

        `source` is the identifier of the description that they come from.
        """
