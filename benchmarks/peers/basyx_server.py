"""The BaSyx Python SDK as a server of twins: what `benchmarks/twins.py` compares with.

The SDK on PyPI has no HTTP server, so this is a small WSGI application on werkzeug, as the
project's own server is one: routes by werkzeug's map, objects in the SDK's store in memory, bodies
read and answers written by the SDK's own JSON decoder and encoder. Lists are cut from the store by
skipping, as that server does. It runs on uvicorn, in one thread, so that the HTTP server in front
is the same for both; there is no authentication, and nothing is written to a disk.

    python benchmarks/peers/basyx_server.py PORT ENVIRONMENT.json
"""

import base64
import io
import itertools
import json
import sys
from pathlib import Path

import uvicorn
from basyx.aas import model
from basyx.aas.adapter.json import (
    AASToJsonEncoder,
    StrictAASFromJsonDecoder,
    read_aas_json_file,
)
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response


class Application:
    """The store behind a WSGI callable."""

    def __init__(self, store: model.DictIdentifiableStore) -> None:
        self.store = store
        self.urls = Map(
            [
                Rule("/health/ready", endpoint=self.ready),
                Rule("/shells", endpoint=self.shells, methods=["GET"]),
                Rule("/shells/<id64>", endpoint=self.shell, methods=["GET"]),
                Rule("/submodels", endpoint=self.submodels, methods=["GET"]),
                Rule("/submodels/<id64>", endpoint=self.submodel, methods=["GET"]),
                Rule("/submodels/<id64>", endpoint=self.put_submodel, methods=["PUT"]),
            ]
        )

    def __call__(self, environ, start_response):
        request = Request(environ)
        try:
            endpoint, values = self.urls.bind_to_environ(environ).match()
            response = endpoint(request, **values)
        except HTTPException as error:
            response = error
        return response(environ, start_response)

    def ready(self, request: Request) -> Response:
        return Response("ok")

    def shells(self, request: Request) -> Response:
        return self._page(request, model.AssetAdministrationShell)

    def submodels(self, request: Request) -> Response:
        return self._page(request, model.Submodel)

    def shell(self, request: Request, id64: str) -> Response:
        return answer(self._one(id64, model.AssetAdministrationShell))

    def submodel(self, request: Request, id64: str) -> Response:
        return answer(self._one(id64, model.Submodel))

    def put_submodel(self, request: Request, id64: str) -> Response:
        new = json.loads(request.get_data(), cls=StrictAASFromJsonDecoder)
        self._one(id64, model.Submodel).update_from(new)
        return Response(status=204)

    def _page(self, request: Request, kind: type) -> Response:
        limit, start = int(request.args.get("limit", 100)), int(request.args.get("cursor", 0))
        found = (x for x in self.store if isinstance(x, kind))
        page = list(itertools.islice(found, start, start + limit))
        return answer({"paging_metadata": {"cursor": str(start + limit)}, "result": page})

    def _one(self, id64: str, kind: type) -> model.Identifiable:
        identifier = base64.urlsafe_b64decode(id64 + "=" * (-len(id64) % 4)).decode()
        try:
            found = self.store.get_item(identifier)
        except KeyError:
            raise NotFound from None
        if not isinstance(found, kind):
            raise NotFound
        return found


def answer(content: object) -> Response:
    return Response(json.dumps(content, cls=AASToJsonEncoder), content_type="application/json")


def on_uvicorn(application: Application):
    """The WSGI application for uvicorn, on its loop's thread: the store takes one at a time."""

    async def served(scope, receive, send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        environ = {
            "REQUEST_METHOD": scope["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": scope["path"],
            "QUERY_STRING": scope["query_string"].decode(),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        begun: dict = {}

        def start_response(status, headers, exc_info=None) -> None:
            begun["status"] = int(status[:3])
            begun["headers"] = [(n.lower().encode(), v.encode()) for n, v in headers]

        content = b"".join(application(environ, start_response))
        await send({"type": "http.response.start", **begun})
        await send({"type": "http.response.body", "body": content})

    return served


def main(port: int, file: Path) -> None:
    with file.open() as opened:
        store = read_aas_json_file(opened, failsafe=False)
    uvicorn.run(
        on_uvicorn(Application(store)),
        port=port,
        log_level="error",
        access_log=False,
        lifespan="off",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
