"""The built console, served from memory with the headers that suit a single-page app."""

import asyncio
import gzip
import hashlib
import mimetypes
import posixpath
import re
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response

from lineshaft.core.errors import Missing
from lineshaft.core.flow import assert_off_loop

CONTENT_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing from outside; inline styles are allowed since antd writes its own, scripts are not."""
FOREVER = "public, max-age=31536000, immutable"
FRESH = "no-cache"
_HASHED = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.\w+$")
_PACKED = re.compile(r"^(text/|application/(javascript|json|manifest)|image/svg)")
_UNBUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Lineshaft</title>
<h1>The console is not built</h1>
<p>This checkout carries no built console. Build it with <code>python hatch_build.py</code> in the
root of the repository and load this page again. The API works without it:
<a href="/api/openapi.json">/api/openapi.json</a>.</p>
</html>
"""


class Asset(msgspec.Struct, frozen=True):
    """One file, ready to be sent."""

    body: bytes
    packed: bytes
    """The body, gzipped; empty where that would not help."""
    media_type: str
    etag: str
    cache: str


class Site:
    """The files below a folder; what is no file is answered by `index.html`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Asset | None] = {}

    async def asset(self, path: str) -> Asset | None:
        """The file, or None; read once, since an installed console does not change."""
        # One spelling a file: `./a`, `x/../a` and `a//` would each be remembered otherwise, and
        # anybody may ask for any number of them.
        if path != posixpath.normpath(path) or path.startswith(("/", "..")):
            return None
        if path not in self._known:
            found = await asyncio.to_thread(self._load, path)
            if found is None:  # not remembered: any number of wrong paths can be asked for
                return None
            self._known[path] = found
        return self._known[path]

    def _load(self, path: str) -> Asset | None:
        assert_off_loop()
        try:
            file = (self.folder / path).resolve()
            if not file.is_relative_to(self.folder.resolve()) or not file.is_file():
                return None
            body = file.read_bytes()
        except (OSError, ValueError):
            return None
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        packed = gzip.compress(body, 6, mtime=0) if _PACKED.match(kind) else b""
        return Asset(
            body,
            packed if len(packed) < len(body) else b"",
            kind,
            '"' + hashlib.sha256(body).hexdigest()[:20] + '"',
            FOREVER if path.startswith("assets/") and _HASHED.search(path) else FRESH,
        )

    async def page(self, request: Request[Any, Any, Any], path: str) -> Response[bytes]:
        """The answer to a visitor's browser.

        Raises:
            Missing: a file is asked for that there is not.
        """
        asset = await self.asset(path) if path else None
        if asset is None and (not path or "." not in path.rpartition("/")[2]):
            asset = await self.asset("index.html")
            if asset is None:
                return Response(_UNBUILT.encode(), media_type="text/html")
        if asset is None:
            raise Missing(f"there is no file /{path}", remedy="Start at the address /.")
        return send(request, asset)


def send(request: Request[Any, Any, Any], asset: Asset) -> Response[bytes]:
    """The file, or word that the visitor has it already."""
    headers = {"Cache-Control": asset.cache, "ETag": asset.etag, "Vary": "Accept-Encoding"}
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, headers=headers, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)
