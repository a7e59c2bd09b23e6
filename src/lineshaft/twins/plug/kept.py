"""What was decided about each interfaces description, kept in the records."""

import enum

import msgspec

from lineshaft.records import Delete, Put, Records
from lineshaft.twins import Json
from lineshaft.twins.plug import PLUGS, Binding

PAGE = 500


class State(enum.Enum):
    """How far a description is."""

    PROPOSED = "proposed"
    """It was found; nobody has agreed yet."""
    PLUGGED = "plugged"
    """Its connections are kept as it says."""
    WAITING = "waiting"
    """It changed so that an engineer has to agree again; what was agreed goes on."""
    UNPLUGGED = "unplugged"
    """An engineer took its connections away."""


class Plug(msgspec.Struct, frozen=True, kw_only=True):
    """One description and what was agreed on."""

    submodel: str
    """Its identifier."""
    state: State
    at: str = ""
    """Branch of the namespace that its points stand below."""
    given: dict[str, Json] = {}
    """What an engineer gave for its tables, by name; secrets only as references."""
    tables: dict[str, Json] = {}
    """Tables that are connected, by name."""
    reach: dict[str, str] = {}
    """What was agreed on for each connection: everything but its points."""
    sinks: tuple[str, ...] = ()
    """Submodels whose elements an engineer let be bound."""
    bindings: tuple[Binding, ...] = ()
    """What was bound."""
    problems: dict[str, str] = {}
    """Why a connection or binding could not be made, by its name."""


class Plugs:
    """The decisions, by identifier of the description."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def get(self, submodel: str) -> Plug | None:
        """The decision, or None."""
        record = await self._records.get(PLUGS.name, submodel)
        return msgspec.json.decode(record.data, type=Plug) if record else None

    async def all(self) -> list[Plug]:
        """Every decision."""
        found: list[Plug] = []
        cursor = ""
        while True:
            page = await self._records.find(PLUGS.name, cursor=cursor, limit=PAGE)
            found += [msgspec.json.decode(r.data, type=Plug) for r in page.records]
            if not (cursor := page.cursor):
                return found

    async def put(self, plug: Plug) -> None:
        """Keep a decision in the place of the one before."""
        data = msgspec.json.encode(plug)
        put = Put(collection=PLUGS.name, key=plug.submodel, data=data, rows=({"path": plug.at},))
        await self._records.commit(put)

    async def drop(self, submodel: str) -> None:
        """Forget a decision."""
        await self._records.commit(Delete(collection=PLUGS.name, key=submodel))
