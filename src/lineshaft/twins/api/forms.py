"""Files that come as multipart/form-data, read piece by piece."""

import mimetypes
import re
from collections.abc import AsyncGenerator

import msgspec
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from lineshaft.core.errors import Invalid
from lineshaft.twins.api.requests import Request, WrongMedia
from lineshaft.twins.files import FileRef, Files

FIELD_BYTES_MAX = 1 << 20
"""Of all fields that are no file."""
SEGMENTS_MAX = 1000
OCTETS = "application/octet-stream"
_MEDIA = re.compile(r"[\w!#$&^.+-]{1,60}/[\w!#$&^.+-]{1,60}", re.ASCII)
"""Narrower than the metamodel's contentType, which such a type becomes."""


class Form:
    """What came with a file."""

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.header(b"content-type"))
        if kind != "multipart/form-data" or not options.get("boundary"):
            raise WrongMedia(
                f"the body is of type {kind[:60]!r}, wanted multipart/form-data with a boundary",
                remedy="Send the file in a field `file`, its name in a field `fileName`.",
            )
        self._boundary = options["boundary"]
        self._request = request
        self.fields: dict[str, list[str]] = {}
        """The fields that are no file, in their order."""
        self.name = ""
        """Name of the file; what the field `fileName` says goes before that of the file field."""
        self.media_type = OCTETS
        self._files = 0

    async def keep(self, files: Files, *, size_max: int) -> FileRef:
        """Read all of it, and keep the file.

        Raises:
            Invalid: it holds no file, more than one, or is no form.
            TooLarge: it has more than `size_max` bytes.
        """
        ref = await files.put(self._file(size_max), OCTETS)
        if self._files != 1:
            raise Invalid(
                f"the form holds {self._files} fields `file`, wanted one",
                remedy="Send the file in a field `file`, its name in a field `fileName`.",
            )
        self.name = (self.fields.get("fileName") or [self.name])[0] or self.name
        if self.media_type == OCTETS:
            self.media_type = mimetypes.guess_type(self.name)[0] or OCTETS
        return msgspec.structs.replace(ref, media_type=self.media_type)

    async def _file(self, size_max: int) -> AsyncGenerator[bytes]:
        """The bytes of the file, while the rest is put aside."""
        segment: MultipartSegment | None = None
        field: bytearray | None = None
        room = FIELD_BYTES_MAX
        try:
            with PushMultipartParser(self._boundary, max_segment_count=SEGMENTS_MAX) as parser:
                async for chunk in self._request.chunks(size_max):
                    for event in parser.parse(chunk):
                        if isinstance(event, MultipartSegment):
                            segment = event
                            field = None if self._is_file(event) else bytearray()
                        elif not event:
                            self._end(segment, field)
                        elif field is None:
                            yield bytes(event)
                        else:
                            field += event
                            room -= len(event)
                            _check_room(room)
        except (MultipartError, UnicodeDecodeError) as error:
            raise Invalid(f"the body is no multipart/form-data: {error}") from None

    def _is_file(self, segment: MultipartSegment) -> bool:
        if segment.name != "file":
            return False
        self._files += 1
        self.name = segment.filename or "file"
        said = segment.content_type or OCTETS
        self.media_type = said if _MEDIA.fullmatch(said) else OCTETS
        return True

    def _end(self, segment: MultipartSegment | None, field: bytearray | None) -> None:
        if segment is not None and field is not None:
            self.fields.setdefault(segment.name, []).append(field.decode())


def _check_room(room: int) -> None:
    if room < 0:
        raise Invalid(f"the fields beside the file have more than {FIELD_BYTES_MAX} bytes")
