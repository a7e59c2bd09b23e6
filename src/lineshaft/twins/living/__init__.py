"""Living fills twins from the plant: shells nobody has typed, fresh values, machines that obey.

`assets.py` finds what there is in the namespace, the modules named after submodel templates say
what is told of it, `gardener.py` keeps the documents as the plant is, `edits.py` keeps what people
changed apart from what was generated, `plantlife.py` overlays values and takes writes and calls.
What it needs of its neighbours it asks for by the protocols here; the plant fills them.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Annotated, Protocol

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.batch import Batch, Sample
from lineshaft.core.point import Point, Value
from lineshaft.core.settings import Secret, Settings
from lineshaft.twins import Json, plug


class Maker(Settings, frozen=True):
    """Who made the machines, for nameplates; machines of other makers are edited one by one."""

    name: str = ""
    """Registered name of the company."""
    street: str = ""
    """Street and number."""
    zip: str = ""
    """Postal code."""
    city: str = ""
    """Town."""
    country: Annotated[str, msgspec.Meta(pattern="^([A-Z]{2})?$")] = ""
    """ISO 3166-1 code of two letters."""


class Broker(Settings, frozen=True, kw_only=True):
    """What the table `[twins.events]` may say: the MQTT broker that events of twins go to."""

    host: str
    """Name or address of the broker."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 1883
    """TCP port; with TLS usually 8883."""
    topic: Annotated[str, msgspec.Meta(pattern="^[^+#]+$")] = "twins"
    """What their topics begin with."""
    client_id: str = "lineshaft-twins"
    """Who we are to the broker; nobody else there may be called so."""
    username: str = ""
    """Name to log in with; empty for none."""
    password: Secret = msgspec.field(default_factory=Secret)
    """Better as `{ env = "BROKER_PASSWORD" }` or `{ file = "/run/secrets/broker" }`."""
    tls: bool = False
    """Whether the link is encrypted."""
    ca: str = ""
    """With `tls`, the file with the certificates to trust; empty for those of the system."""
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 30
    """Seconds of silence after which the broker and we ask whether the other is there."""


class Config(plug.Config, frozen=True):
    """What the settings table `[twins]` may say."""

    generate: bool = True
    """Whether every asset of the namespace gets a shell by itself."""
    url: Annotated[str, msgspec.Meta(pattern="^(https?://.+[^/])?$")] = ""
    """Address under which identifiers resolve (IEC 61406), such as `https://id.acme.example`."""
    maker: Maker = Maker()
    """Who made the machines, where nothing else is known."""
    cache_mb: Annotated[float, msgspec.Meta(ge=0, le=16_384)] = 64.0
    """Memory for documents that are read often."""
    co2_kg_per_kwh: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Greenhouse gases of the plant's electricity; above 0, machines that count energy and parts
    get a Carbon Footprint."""
    versions: Annotated[int, msgspec.Meta(ge=0, le=500)] = 20
    """How many earlier versions are kept of each document that people change, and how many values
    of each element that they set; 0 keeps none."""
    versions_mb: Annotated[float, msgspec.Meta(ge=0, le=1024)] = 4.0
    """What the versions of one document may take together."""
    events: Broker | None = None
    """The MQTT broker that is told every change of a twin; without it none is."""


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """One submodel that another part of the plant brings to the twin of an asset."""

    id_short: str
    """Its name; one of the contributor's `id_shorts`."""
    semantic_id: str
    """What it means."""
    elements: tuple[Json, ...]
    """Its elements as the metamodel has them, without values that change by themselves."""
    bound: Mapping[str, str] = {}
    """The point that an element shows, or the method that an Operation calls, by idShortPath."""
    computed: bool = False
    """Whether `Contributor.values` is asked for values when it is read."""


class Contributor(Protocol):
    """A part of the plant that has something to say of assets; the plant brings them."""

    @property
    def id_shorts(self) -> tuple[str, ...]:
        """Names of the submodels that it brings; no other contributor has the same."""

    def version(self) -> Hashable:
        """Something that is otherwise when contributions may be; asked every second."""

    def contributed(self, path: str) -> Sequence[Contribution]:
        """What is to be told of the asset at the path, the same until the version changes."""

    async def refresh(self) -> None:
        """Work out what takes too long to be worked out when it is read; asked again and again.

        Raises:
            LineshaftError: it cannot be worked out now; the last values stand.
        """

    def values(self, path: str, id_short: str) -> Mapping[str, Value | None]:
        """Values now of elements of a submodel that it brought, by idShortPath; None for none."""


class Names(Protocol):
    """The namespace; the historian fills it."""

    version: int
    """Rises with every change."""

    def under(self, branch: str, who: Identity) -> list[str]:
        """Sorted paths at or below the branch that the identity may see."""

    def find(self, path: str) -> Point | None:
        """The point, or None."""


class Latest(Protocol):
    """Where the newest sample of a point is looked up; the historian fills it."""

    def latest(self, path: str) -> Sample | None:
        """The newest sample, or None when there is none."""


class History(Protocol):
    """Where samples are read; the store fills it."""

    async def read(
        self, points: list[str], start_ns: int, stop_ns: int, *, limit: int | None = None
    ) -> Batch:
        """Samples with `start_ns <= time_ns < stop_ns`, by point and time; the oldest `limit`."""


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """What a Modbus address holds."""

    unit: int
    type: str
    """`int16`, `uint16`, `int32`, `uint32`, `int64`, `uint64`, `float32`, `float64`, `bool`,
    `bit` or `string`."""
    quantity: int
    """How many addresses it takes."""
    order: str
    """Of bytes and words: `ABCD`, `CDAB`, `BADC` or `DCBA`."""
    scale: str = ""
    """What the figure is taken times, in words; empty when it is the value itself."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as a twin describes it."""

    name: str
    protocol: str
    """`OPC UA`, `Modbus TCP`, `MQTT`, `HTTP`."""
    address: str
    """Where it leads, as an address of its protocol."""
    registers: Mapping[str, Register] = {}
    """Of Modbus: what is held, by the address of a point."""


class Machines(Protocol):
    """The devices of the plant, and the guard before them; `plant.py` fills it."""

    def link(self, source: str) -> Link | None:
        """The connection of that name, or None."""

    async def write(self, who: Identity, values: Mapping[str, Value]) -> None:
        """Write values by point through the guard: prepare all, then confirm and read back each.

        When one cannot be prepared, nothing is written. When one fails after that, the error says
        which were written and which were not.

        Raises:
            Denied: `who` may not.
            Refused: settings, limits, interlock or device say no, or it reads back otherwise.
            LinkLost: a device does not answer.
        """

    async def call(
        self, who: Identity, method: str, inputs: Mapping[str, Value]
    ) -> dict[str, Value]:
        """Have a machine carry out a method, on record; its outputs by name.

        Raises:
            Denied: `who` may not.
            Refused: settings, limits or interlock say no, or the device knows no such method.
            LinkLost: it does not answer.
        """

    def callable(self, method: str) -> bool:
        """Whether the settings allow to call the method at all."""

    def writable(self, point: str) -> bool:
        """Whether the settings allow to write the point at all."""
