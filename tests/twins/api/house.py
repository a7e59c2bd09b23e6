"""A server with twins behind it on loopback, and users that need no password."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.path import is_under
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.server import ServerSettings, app, served
from lineshaft.twins.access.deciding import Access
from lineshaft.twins.api.services import COLLECTIONS, Services
from lineshaft.twins.documents import Announce, Documents
from lineshaft.twins.files import Attachments, Files
from lineshaft.twins.model.identifier import encode_id
from lineshaft.twins.routes import handlers, mounts
from lineshaft.twins.sealing import Seal
from lineshaft.web.identify import Refusal

LOOK = frozenset({Action.OWN, Action.LOOK})
ENGINEER = LOOK | {Action.WRITE, Action.CONFIGURE}
PEOPLE = {
    "viewer": Identity(name="vera", actions=LOOK),
    "operator": Identity(name="otto", actions=LOOK | {Action.WRITE}),
    "engineer": Identity(name="emil", actions=ENGINEER),
    "guest": Identity(name="gina", actions=ENGINEER, branches=("acme/hall-2",)),
}


class People:
    async def identify(self, *, session: str, token: str, address: str) -> Identity | None:
        return PEOPLE.get(token)

    def allows(self, who: Identity, action: Action, path: str = "") -> bool:
        return action in who.actions and any(is_under(path, b) for b in who.branches)


def services(
    records: Records, authorizer: Authorizer, folder: Path, announce: Announce | None = None
) -> Services:
    """The services over a plant's records and the folder for its files, without a plant."""
    return Services(
        Documents(records, announce=announce),
        Access(records, authorizer, announce=announce),
        Files(folder),
        Attachments(records),
        seal=Seal(records),
    )


class House:
    """What runs, and how to reach it."""

    def __init__(self, url: str, twins: Services) -> None:
        self.url = url
        self.twins = twins

    def http(self, token: str = "engineer", version: str = "3.1") -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=f"{self.url}/api/v{version}", headers=headers)


@asynccontextmanager
async def house(
    folder: Path, kind: str = "memory", denied: Refusal | None = None
) -> AsyncGenerator[House]:
    table = {"name": "records", "kind": kind}
    if kind != "memory":
        table["path"] = str(folder / "records")
    records = build(Records, table)
    people = People()
    async with records.opened(COLLECTIONS):
        twins = services(records, people, folder / "files")
        made = app(
            {"twins": twins},
            handlers,
            mounts=mounts,
            authenticator=people,
            authorizer=people,
            denied=denied,
        )
        async with asyncio.TaskGroup() as group, served(made, ServerSettings(port=0)) as url:
            task = group.create_task(twins.run())
            try:
                yield House(url, twins)
            finally:
                task.cancel()


async def fill(http: httpx.AsyncClient, environment: dict) -> None:
    """Put an environment in over HTTP."""
    for key, place in (
        ("conceptDescriptions", "concept-descriptions"),
        ("submodels", "submodels"),
        ("assetAdministrationShells", "shells"),
    ):
        for document in environment.get(key, ()):
            answer = await http.put(f"/{place}/{encode_id(document['id'])}", json=document)
            assert answer.status_code == 201, answer.text
