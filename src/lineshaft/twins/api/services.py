"""What the interface stands on, and what it asks of the living plant."""

from typing import Protocol

from lineshaft.core.access import Identity
from lineshaft.twins import Document, Json
from lineshaft.twins.access import COLLECTION as RULES
from lineshaft.twins.access.deciding import Access
from lineshaft.twins.api.jobs import Jobs
from lineshaft.twins.api.requests import NotAllowed
from lineshaft.twins.documents import COLLECTIONS as DOCUMENTS
from lineshaft.twins.documents import Documents
from lineshaft.twins.files import COLLECTIONS as FILES
from lineshaft.twins.files import Attachments, Files
from lineshaft.twins.model.paths import Steps, path_text
from lineshaft.twins.sealing import COLLECTION as KEYS
from lineshaft.twins.sealing import Seal
from lineshaft.twins.undoing import COLLECTIONS as IMPORTS

COLLECTIONS = (*DOCUMENTS, *FILES, *IMPORTS, RULES, KEYS)
"""What twins keep in the records."""


class Living(Protocol):
    """The plant behind the twins: values that are fresh, machines that take values and calls."""

    def lives(self, document: Document) -> bool:
        """Whether something in the document has its value from the plant."""

    def overlay(self, document: Document) -> Json | None:
        """The document with its bound values as they are now; None when nothing in it is bound."""

    def binds(self, submodel_id: str, steps: Steps) -> bool:
        """Whether the value of the element at the path is that of a machine."""

    async def set_values(
        self, who: Identity, submodel_id: str, steps: Steps, value: object
    ) -> set[Steps]:
        """Write to the machines what is bound at or below the path; the paths that were taken.

        `value` is in the form of `$value`. What is not taken is kept in the document.

        Raises:
            Denied, Refused, LinkLost: a machine may not, will not or cannot take it.
        """

    async def invoke(
        self, who: Identity, submodel_id: str, steps: Steps, inputs: Json, timeout_s: float
    ) -> Json:
        """Carry out the operation at the path; its outputs by idShort, values or whole elements.

        `inputs` holds those of the in-output variables too, and so do the outputs.

        Raises:
            Unbound: nothing carries it out.
            Refused, LinkLost, Denied: the machine will not, cannot or may not.
            TimeoutError: it took longer than `timeout_s`.
        """


class Past(Protocol):
    """Where the past of an element is read."""

    async def __call__(
        self, who: Identity, submodel: str, path: str, *, start: str, end: str, limit: int
    ) -> object:
        """What the element at the idShortPath was, as something that JSON can say.

        Raises:
            Missing: the caller may not know of it, or it is bound to nothing.
            Denied: the caller may not look at the point behind it.
            Invalid: a time is none, or the end is not after the start.
        """


class Unbound(NotAllowed):
    """An operation that nothing carries out."""


class Still:
    """A plant without machines: nothing is bound, nothing can be carried out."""

    def lives(self, document: Document) -> bool:
        """No."""
        return False

    def overlay(self, document: Document) -> Json | None:
        """None."""
        return None

    def binds(self, submodel_id: str, steps: Steps) -> bool:
        """No."""
        return False

    async def set_values(
        self,
        who: Identity,
        submodel_id: str,
        steps: Steps,
        value: object,
    ) -> set[Steps]:
        """Nothing is taken."""
        return set()

    async def invoke(
        self,
        who: Identity,
        submodel_id: str,
        steps: Steps,
        inputs: Json,
        timeout_s: float,
    ) -> Json:
        """Nothing carries it out.

        Raises:
            Unbound: always.
        """
        raise Unbound(
            f"operation {path_text(steps)!r} of submodel {submodel_id!r} is bound to nothing",
            remedy="Bind it to a method of a machine.",
        )


class Services:
    """What every handler is given."""

    def __init__(  # noqa: PLR0913 - each is a service; the last four by keyword
        self,
        documents: Documents,
        access: Access,
        files: Files,
        attachments: Attachments,
        living: Living | None = None,
        *,
        url: str = "",
        shell: str = "",
        submodel: str = "",
        seal: Seal | None = None,
    ) -> None:
        self.documents = documents
        self.access = access
        self.files = files
        self.attachments = attachments
        self.living: Living = living or Still()
        self.url = url
        """Address that descriptors name, `https://host`; empty for the one of the request."""
        self.shell = shell
        """Identifier of what `/aas` serves; empty for the first."""
        self.submodel = submodel
        """Identifier of what `/submodel` serves; empty for the first."""
        self.seal = seal or Seal()
        """Makes cursors that say nothing."""
        self.past: Past | None = None
        """Where the past of elements is read; None where nothing has any."""
        self.jobs = Jobs()
        """What was asked for without waiting."""

    async def start(self) -> None:
        """Read what decides, before anybody is answered.

        Raises:
            Invalid: the access rules were kept by a program that knew more.
            Unavailable: the records cannot be written now.
        """
        await self.access.load()
        await self.seal.load()

    async def run(self) -> None:
        """Carry out what was asked for without waiting, until cancelled."""
        await self.jobs.run()
