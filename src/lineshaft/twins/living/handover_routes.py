"""Documents of machines over HTTP: a file goes to a shell, and stands in its handover papers."""

from typing import Annotated, Any

from litestar import Request
from litestar.params import QueryParameter

from lineshaft.core.access import Action, Identity
from lineshaft.core.errors import Invalid
from lineshaft.twins.api.services import Services
from lineshaft.twins.exchange import FILE_BYTES_MAX
from lineshaft.twins.living.handover import About, Added, Handover
from lineshaft.web import post

Text = Annotated[str, QueryParameter(max_length=1000)]
Word = Annotated[str, QueryParameter(max_length=128)]


@post(
    "/twins/documents",
    action=Action.CONFIGURE,
    summary="Add a document to a machine's twin",
    tags=["twins"],
    request_max_body_size=FILE_BYTES_MAX,
)
async def add(  # noqa: PLR0913 - what is said of a document
    request: Request[Any, Any, Any],
    handover: Handover,
    twins: Services,
    who: Identity,
    *,
    shell: Text,
    title: Text,
    name: Text = "document",
    class_id: Word = "03-02",
    language: Word = "en",
    version: Word = "1",
    identifier: Word = "",
    organization: Text = "",
    description: Text = "",
) -> Added:
    """Keep the file in the body as a document of the shell with the identifier `shell`.

    It is entered into the submodel Handover Documentation, which is made for the first one.
    `class_id` is the class of VDI 2770, such as 03-02 for operation.
    """
    await handover.allowed(who, shell)
    media_type = request.headers.get("content-type", "application/octet-stream")
    file = await twins.files.put(request.stream(), media_type)
    if not file.size:
        raise Invalid("the body is empty", remedy="Send the bytes of the file as the body.")
    about = About(
        title=title,
        name=name,
        class_id=class_id,
        language=language,
        version=version,
        identifier=identifier,
        organization=organization,
        description=description,
    )
    return await handover.add(who, shell, about, file)


handlers = [add]
